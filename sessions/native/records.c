/* The records of a batch, each written once into memory that grows.

   Records is what PlainRecords of sessions/journal/gathering.py is. */

#include "sessions.h"

#include <stdint.h>

enum { HEAD = 25, KEPT = 1 << 20 }; /* bytes: before a payload; of memory between two batches */

typedef struct {
    PyObject_HEAD
    unsigned char *data;
    Py_ssize_t size, room, count;
    unsigned long long begin, position;
    char is_input[UINT8_MAX + 1]; /* by kind */
} Records;

static unsigned char *put(unsigned char *at, uint64_t value, int bytes)
{
    for (; bytes > 0; bytes--, value >>= 8)
        *at++ = (unsigned char)value;
    return at;
}

static int make_room(Records *records, Py_ssize_t wanted)
{
    if (wanted <= records->room)
        return 0;
    Py_ssize_t room = records->room < 4096 ? 4096 : records->room;
    while (room < wanted)
        room = room > PY_SSIZE_T_MAX / 2 ? wanted : room * 2;
    unsigned char *data = PyMem_Realloc(records->data, (size_t)room);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    records->data = data;
    records->room = room;
    return 0;
}

/* An int from 0 to `most`; false, with OverflowError or TypeError, for anything else. */
static int as_unsigned(PyObject *value, uint64_t most, uint64_t *number)
{
    *number = PyLong_AsUnsignedLongLong(value); /* TypeError for what is no int */
    if (*number == (uint64_t)-1 && PyErr_Occurred())
        return 0;
    if (*number <= most)
        return 1;
    PyErr_SetString(PyExc_OverflowError, "not a number of the size that a record has for it");
    return 0;
}

PyDoc_STRVAR(
    add_doc, "add(kind, session, seq, next_in, payload=b'') -> the offset at which the payload will stand");

static PyObject *add(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    Records *records = (Records *)self;
    uint64_t kind, session, seq, next_in;
    if (count < 4 || count > 5 || (count == 5 && !PyBytes_Check(args[4]))) {
        PyErr_SetString(PyExc_TypeError, "add() wants four numbers and bytes");
        return NULL;
    }
    Py_ssize_t length = count == 5 ? PyBytes_GET_SIZE(args[4]) : 0;
    if (!as_unsigned(args[0], UINT8_MAX, &kind) || !as_unsigned(args[1], UINT32_MAX, &session)
        || !as_unsigned(args[2], UINT64_MAX, &seq) || !as_unsigned(args[3], UINT64_MAX, &next_in))
        return NULL;
    if (length > UINT32_MAX || length > PY_SSIZE_T_MAX - HEAD - records->size) {
        PyErr_SetString(PyExc_OverflowError, "a payload of more than 4 GiB");
        return NULL;
    }
    if (make_room(records, records->size + HEAD + length) < 0)
        return NULL;
    unsigned char *at = records->data + records->size;
    at = put(put(put(put(put(at, kind, 1), session, 4), seq, 8), next_in, 8), (uint64_t)length, 4);
    if (length)
        memcpy(at, PyBytes_AS_STRING(args[4]), (size_t)length);
    records->size += HEAD + length;
    records->count++;
    records->position += (unsigned char)records->is_input[kind];
    return PyLong_FromUnsignedLongLong(records->begin + (size_t)(records->size - length));
}

PyDoc_STRVAR(take_doc, "take() -> all of them; there are none from then on");

static PyObject *take(PyObject *self, PyObject *unused)
{
    Records *records = (Records *)self;
    PyObject *all = PyBytes_FromStringAndSize((const char *)records->data, records->size);
    if (all == NULL)
        return NULL;
    records->size = records->count = 0;
    if (records->room > KEPT) {
        PyMem_Free(records->data);
        records->data = NULL;
        records->room = 0;
    }
    return all;
}

static PyObject *make_records(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *inputs, *kinds, *kind;
    if (!PyArg_ParseTuple(args, "O", &inputs) || (kinds = PyObject_GetIter(inputs)) == NULL)
        return NULL;
    Records *records = (Records *)type->tp_alloc(type, 0);
    while (records != NULL && (kind = PyIter_Next(kinds)) != NULL) {
        uint64_t number;
        if (as_unsigned(kind, UINT8_MAX, &number))
            records->is_input[number] = 1;
        Py_DECREF(kind);
        if (PyErr_Occurred())
            break;
    }
    Py_DECREF(kinds);
    if (PyErr_Occurred())
        Py_CLEAR(records);
    return (PyObject *)records;
}

static void free_records(PyObject *self)
{
    PyMem_Free(((Records *)self)->data);
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef methods[] = {
    {"add", (PyCFunction)(void (*)(void))add, METH_FASTCALL, add_doc},
    {"take", take, METH_NOARGS, take_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"count", T_PYSSIZET, offsetof(Records, count), READONLY, "How many there are."},
    {"begin", T_ULONGLONG, offsetof(Records, begin), 0, "The offset where the first will stand."},
    {"position", T_ULONGLONG, offsetof(Records, position), 0, "How many inputs there have been."},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject records_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "sessions._native.Records",
    .tp_doc = "The encoded records of the batch that is being gathered.",
    .tp_basicsize = sizeof(Records),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = make_records,
    .tp_dealloc = free_records,
    .tp_methods = methods,
    .tp_members = members,
};

int prepare_records(PyObject *module)
{
    return PyModule_AddType(module, &records_type);
}
