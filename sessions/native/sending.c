/* Endpoint.send of sessions/endpoint.py, while nothing else waits to be done first. */

#include "sessions.h"

enum { P_REFERENCE, P_ENDPOINT, P_TURN, P_ADD, P_KIND, P_ACTIVE, SENDING_PARTS };
enum { E_NUMBER, E_SESSION, E_SENT, E_WIRE, E_SETTLING, ENDPOINT_SLOTS };
enum { S_EFFECTS, S_INBOUND, S_NUMBER, S_STATE, SESSION_SLOTS };
enum { T_LAST_SEQ, T_OFFSETS, T_LENGTHS, T_FIRSTS, TABLE_SLOTS };

static Layout endpoint, session, turn, inbound, messages, table;
static PyObject *append_name, *write_name;

/* SentTable.append of sessions/sent.py for a message whose number is the next. */
static int note_in_table(PyObject *sent, PyObject *seq, PyObject *offset, Py_ssize_t size)
{
    PyObject *t[TABLE_SLOTS], *found;
    long long number, last;
    PyObject *length = PyLong_FromSsize_t(size);
    if (length == NULL)
        return -1;
    if (read_slots(&table, sent, t) && as_number(seq, &number) && as_number(t[T_LAST_SEQ], &last)
        && last < LLONG_MAX && number == last + 1 && PyObject_Size(t[T_FIRSTS]) > 0) {
        found = PyObject_CallMethodOneArg(t[T_OFFSETS], append_name, offset);
        if (found != NULL)
            Py_SETREF(found, PyObject_CallMethodOneArg(t[T_LENGTHS], append_name, length));
        if (found != NULL)
            Py_XSETREF(*slot_at(sent, table.offsets[T_LAST_SEQ]), Py_NewRef(seq));
    } else {
        PyErr_Clear();
        PyObject *const args[] = {sent, seq, offset, length};
        found = PyObject_VectorcallMethod(append_name, args, 4, NULL);
    }
    Py_DECREF(length);
    Py_XDECREF(found);
    return found != NULL ? 0 : -1;
}

/* Number and frame it, have it journaled, note where it stands, write it; its MsgSeqNum. */
static PyObject *sent_now(Function *self, PyObject **e, PyObject **s, PyObject *next_in,
                          PyObject *where, PyObject *const *message)
{
    PyObject *seq = NULL, *offset = NULL, *written = NULL;
    PyObject *numbered = PyObject_Vectorcall(s[S_NUMBER], message, 4, NULL);
    if (numbered == NULL)
        return NULL;
    if (!PyTuple_CheckExact(numbered) || PyTuple_GET_SIZE(numbered) != 2
        || !PyBytes_CheckExact(PyTuple_GET_ITEM(numbered, 1))) {
        PyErr_SetString(PyExc_TypeError, "a number and bytes are wanted of `number`");
        goto done;
    }
    PyObject *raw = PyTuple_GET_ITEM(numbered, 1);
    PyObject *const record[] = {self->parts[P_KIND], e[E_NUMBER], PyTuple_GET_ITEM(numbered, 0),
                                next_in, raw};
    offset = PyObject_Vectorcall(self->parts[P_ADD], record, 5, NULL);
    if (offset == NULL || note_in_table(where, record[2], offset, PyBytes_GET_SIZE(raw)) < 0)
        goto done;
    if (e[E_WIRE] != Py_None && s[S_STATE] == self->parts[P_ACTIVE]
        && (written = PyObject_CallMethodOneArg(e[E_WIRE], write_name, raw)) == NULL)
        goto done;
    seq = Py_NewRef(record[2]);
done:
    Py_XDECREF(written);
    Py_XDECREF(offset);
    Py_DECREF(numbered);
    return seq;
}

static PyObject *send(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    Function *function = (Function *)self;
    PyObject *e[ENDPOINT_SLOTS], *s[SESSION_SLOTS], *now, *next_in, *where;
    Py_ssize_t given = PyVectorcall_NARGS(count);
    if (names != NULL || given < 2 || given > 3
        || !read_slots(&endpoint, function->parts[P_ENDPOINT], e) || e[E_SETTLING] != Py_False
        || !read_slots(&session, e[E_SESSION], s) || !PyList_CheckExact(s[S_EFFECTS])
        || PyList_GET_SIZE(s[S_EFFECTS]) || !read_slots(&turn, function->parts[P_TURN], &now)
        || !read_slots(&inbound, s[S_INBOUND], &next_in) || !PyLong_CheckExact(now)
        || PyObject_Not(now) || !read_slots(&messages, e[E_SENT], &where))
        return PyObject_Vectorcall(function->parts[P_REFERENCE], args, count, names);
    PyObject *header = given == 3 ? Py_NewRef(args[2]) : PyBytes_FromStringAndSize(NULL, 0);
    if (header == NULL)
        return NULL;
    /* What is borrowed from slots outlives what is called: Python may put other things there. */
    PyObject *held[] = {e[E_NUMBER], e[E_WIRE], s[S_NUMBER], s[S_STATE], now, next_in, where};
    enum { HELD = sizeof held / sizeof *held };
    for (int n = 0; n < HELD; n++)
        Py_INCREF(held[n]);
    PyObject *const message[] = {args[0], args[1], now, header};
    PyObject *seq = sent_now(function, e, s, next_in, where, message);
    for (int n = 0; n < HELD; n++)
        Py_DECREF(held[n]);
    Py_DECREF(header);
    return seq;
}

PyDoc_STRVAR(sending_doc,
             "sending(reference, endpoint, turn, add, kind, active) -> what sends as `reference`\n"
             "does: (msg_type, body, header=b'') -> MsgSeqNum. `add` puts a record of that kind\n"
             "into the journal; only in the state `active` is anything written to the peer.");

static PyObject *sending(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (endpoint.type == NULL) {
        PyErr_SetString(PyExc_TypeError, "describe() comes first");
        return NULL;
    }
    return made_function(send, args, count, SENDING_PARTS);
}

static const Description DESCRIBED[] = {
    {&endpoint, {"number", "session", "sent", "wire", "_settling"}},
    {&session, {"effects", "inbound", "number", "state"}},
    {&inbound, {"expected"}},
    {&turn, {"now"}},
    {&messages, {"table"}},
    {&table, {"last_seq", "offsets", "lengths", "_firsts"}},
};

enum { CLASSES = sizeof DESCRIBED / sizeof *DESCRIBED };

PyDoc_STRVAR(describe_doc, "describe(Endpoint, Session, InboundSequence, Turn, SentMessages, SentTable):\n"
                           "the classes whose slots are read.");

static PyObject *describe(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (find_layouts(DESCRIBED, CLASSES, args, count) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyMethodDef sending_functions[] = {
    {"describe", (PyCFunction)(void (*)(void))describe, METH_FASTCALL, describe_doc},
    {"sending", (PyCFunction)(void (*)(void))sending, METH_FASTCALL, sending_doc},
    {NULL, NULL, 0, NULL},
};

int prepare_sending(void)
{
    append_name = PyUnicode_InternFromString("append");
    write_name = PyUnicode_InternFromString("write");
    return append_name == NULL || write_name == NULL ? -1 : 0;
}
