/* What every message passes in a session: the usual one that comes in, and the number of ours. */

#include "codec.h"

enum { P_REFERENCE, P_SETTINGS, P_SPECIAL, P_PLANS, USUAL_PARTS };
enum { P_OUTBOUND = P_REFERENCE + 1, NUMBER_PARTS };

static Layout message, shape, settings, plan, outbound;

enum { M_BEGIN_STRING, M_MSG_TYPE, M_SEQ, M_SHAPE, M_VALUES, MESSAGE_SLOTS };
enum { S_HEADER_PLACES, S_POSS_DUP_PLACE, SHAPE_SLOTS };
enum { T_SENDER, T_TARGET, T_MAX_LATENCY, SETTINGS_SLOTS };
enum { L_FORMATS, L_ENUMS, L_COUNTS, PLAN_SLOTS };
enum { O_NEXT_SEQ, O_LAST_SENT, O_TIME, O_BEFORE_TIME, O_AFTER_TIME, OUTBOUND_SLOTS };

static int same_bytes(PyObject *one, PyObject *other)
{
    return one == other
           || (PyBytes_CheckExact(one) && PyBytes_CheckExact(other)
               && PyBytes_GET_SIZE(one) == PyBytes_GET_SIZE(other)
               && memcmp(bytes_of(one), bytes_of(other), (size_t)PyBytes_GET_SIZE(one)) == 0);
}

/* The value of a header field, borrowed; NULL when it is not there. */
static PyObject *header_value(PyObject *places, Py_ssize_t which, PyObject *values)
{
    long long place;
    if (!PyTuple_CheckExact(places) || PyTuple_GET_SIZE(places) != 3 || !PyList_CheckExact(values)
        || !as_number(PyTuple_GET_ITEM(places, which), &place) || place < 0
        || place >= PyList_GET_SIZE(values))
        return NULL;
    return PyList_GET_ITEM(values, place);
}

/* What header_fault of fix_engine/header.py looks at. */
static int header_is_usual(PyObject *places, PyObject *values, PyObject **told, PyObject *now)
{
    PyObject *sender = header_value(places, 0, values), *target = header_value(places, 1, values);
    PyObject *time = header_value(places, 2, values);
    long long sent, clock, latency;
    if (sender == NULL || target == NULL || time == NULL || !same_bytes(sender, told[T_TARGET])
        || !same_bytes(target, told[T_SENDER]) || !time_of(time, &sent) || !as_number(now, &clock)
        || clock < 0 || !as_number(told[T_MAX_LATENCY], &latency))
        return 0;
    return (clock > sent ? clock - sent : sent - clock) <= latency;
}

/* 1 for a message of which the reference would find the same; 0: let it look; -1: likewise. */
static int message_is_usual(Function *self, PyObject *thing, PyObject *expected, PyObject *now)
{
    PyObject *m[MESSAGE_SLOTS], *s[SHAPE_SLOTS], *t[SETTINGS_SLOTS], *l[PLAN_SLOTS];
    PyObject *special = self->parts[P_SPECIAL], *plans = self->parts[P_PLANS];
    long long seq, next;
    if (!read_slots(&message, thing, m) || !read_slots(&shape, m[M_SHAPE], s)
        || !read_slots(&settings, self->parts[P_SETTINGS], t) || !as_number(m[M_SEQ], &seq)
        || !as_number(expected, &next) || seq != next || s[S_POSS_DUP_PLACE] != Py_None
        || !same_bytes(m[M_BEGIN_STRING], from_python.fix44) || !PyDict_CheckExact(special)
        || PyDict_Contains(special, m[M_MSG_TYPE]) || !PyDict_CheckExact(plans)
        || !header_is_usual(s[S_HEADER_PLACES], m[M_VALUES], t, now))
        return 0;
    PyObject *found = PyDict_GetItemWithError(plans, m[M_SHAPE]);
    if (found == NULL || !read_slots(&plan, found, l) || !PyList_CheckExact(l[L_FORMATS])
        || !PyList_CheckExact(l[L_ENUMS]) || !PyList_CheckExact(l[L_COUNTS]))
        return 0;
    Py_INCREF(found); /* checks may be in Python, and the validator forgets all plans at times */
    int is_sound = values_are_sound(m[M_VALUES], l[L_FORMATS], l[L_ENUMS], l[L_COUNTS]);
    Py_DECREF(found);
    return is_sound;
}

static PyObject *is_usual(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    Function *function = (Function *)self;
    if (names == NULL && PyVectorcall_NARGS(count) == 3
        && message_is_usual(function, args[0], args[1], args[2]) == 1)
        Py_RETURN_TRUE;
    return by_reference(self, args, count, names);
}

PyDoc_STRVAR(usual_doc,
             "usual(reference, settings, special, plans, plan_class) -> what tells as `reference`\n"
             "does whether there is nothing to do with a message but to deliver it:\n"
             "(message, expected, now) -> bool. `special` has the MsgTypes of the session layer,\n"
             "`plans` what is to be checked, by shape.");

static PyObject *usual(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    static const char *const SETTINGS[] = {"sender_comp_id", "target_comp_id", "max_latency_ns", NULL};
    static const char *const PLAN[] = {"formats", "enums", "counts", NULL};
    if (count == USUAL_PARTS + 1
        && (find_layout(&settings, (PyObject *)Py_TYPE(args[P_SETTINGS]), SETTINGS) < 0
            || find_layout(&plan, args[USUAL_PARTS], PLAN) < 0))
        return NULL;
    return made_function(is_usual, args, count - 1, USUAL_PARTS);
}

/* Outbound.number of fix_engine/outbound.py, but for a time stamp that is to be made first. */
static PyObject *next_message(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    Function *function = (Function *)self;
    PyObject *sender = function->parts[P_OUTBOUND], *o[OUTBOUND_SLOTS];
    Py_ssize_t given = PyVectorcall_NARGS(count);
    long long seq, now, last;
    if (names != NULL || given < 3 || given > 4 || !read_slots(&outbound, sender, o)
        || !as_number(o[O_NEXT_SEQ], &seq) || seq == LLONG_MAX || !as_number(args[2], &now)
        || !as_number(o[O_LAST_SENT], &last) || now != last)
        return PyObject_Vectorcall(function->parts[P_REFERENCE], args, count, names);
    PyObject *header = given == 4 ? Py_NewRef(args[3]) : PyBytes_FromStringAndSize(NULL, 0);
    PyObject *next = PyLong_FromLongLong(seq + 1), *result = NULL, *raw = NULL;
    if (header != NULL && next != NULL) {
        PyObject *number = Py_NewRef(o[O_NEXT_SEQ]);
        PyObject *const parts[] = {args[0],         number, o[O_BEFORE_TIME], o[O_TIME],
                                   o[O_AFTER_TIME], header, args[1]};
        Py_SETREF(*slot_at(sender, outbound.offsets[O_NEXT_SEQ]), Py_NewRef(next));
        raw = numbered_message(parts);
        if (raw != NULL)
            result = PyTuple_Pack(2, number, raw);
        Py_DECREF(number);
    }
    Py_XDECREF(raw);
    Py_XDECREF(header);
    Py_XDECREF(next);
    return result;
}

PyDoc_STRVAR(numbering_doc, "numbering(reference, outbound) -> what numbers and frames messages of an\n"
                            "Outbound as its method does: (msg_type, body, now, header) -> (seq, raw).");

static PyObject *numbering(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    static const char *const OUTBOUND[] = {"next_seq", "last_sent", "_time", "_before_time",
                                           "_after_time", NULL};
    if (count == NUMBER_PARTS
        && find_layout(&outbound, (PyObject *)Py_TYPE(args[P_OUTBOUND]), OUTBOUND) < 0)
        return NULL;
    return made_function(next_message, args, count, NUMBER_PARTS);
}

PyMethodDef session_functions[] = {
    {"usual", (PyCFunction)(void (*)(void))usual, METH_FASTCALL, usual_doc},
    {"numbering", (PyCFunction)(void (*)(void))numbering, METH_FASTCALL, numbering_doc},
    {NULL, NULL, 0, NULL},
};

int prepare_session(void)
{
    static const char *const MESSAGE[] = {"begin_string", "msg_type", "seq", "shape", "values", NULL};
    static const char *const SHAPE[] = {"header_places", "poss_dup_place", NULL};
    return find_layout(&message, from_python.message, MESSAGE) < 0
                   || find_layout(&shape, from_python.shape, SHAPE) < 0 || prepare_functions() < 0
               ? -1
               : 0;
}
