/* Bytes to messages: what nearly every message is like; all else is left to the reference. */

#include "codec.h"

enum {
    MAX_FIELDS = 128,      /* the shape of a message with more is not remembered */
    MAX_TAG = 10,          /* "-?\d{1,9}" */
    MAX_MSG_TYPE = 16,
    MAX_LENGTH_DIGITS = 9,
    TRAILER = 7,           /* "10=nnn" and its SOH */
    MAX_KEY = MAX_MSG_TYPE + MAX_FIELDS * (MAX_TAG + 1),
};

static const char PREFIX[] = "8=FIX.4.4\0019=";
enum { PREFIX_SIZE = sizeof PREFIX - 1 };

typedef struct {
    Py_ssize_t start, size;
} Span;

/* A message as it stands in the buffer: from `start`, fields from `body` to `end`. */
typedef struct {
    Py_ssize_t start, body, end, after;
} Frame;

/* The fields of a message: where their values are, and what its shape is known by. */
typedef struct {
    Py_ssize_t count, key_size;
    Span values[MAX_FIELDS];
    unsigned char key[MAX_KEY];
} Fields;

static Layout message, shape;

enum { S_MSG_TYPE, S_SEQ_PLACE, SHAPE_SLOTS };

/* "8=FIX.4.4|9=<1 to 9 digits>|", and "|10=nnn|" where BodyLength says, with the right CheckSum.
   False for anything else, also for a message that is not complete yet. */
static int read_frame(
    const unsigned char *data, Py_ssize_t size, Py_ssize_t start, Py_ssize_t most, Frame *frame)
{
    if (size - start < PREFIX_SIZE || memcmp(data + start, PREFIX, PREFIX_SIZE) != 0)
        return 0;
    Py_ssize_t at = start + PREFIX_SIZE, first = at, length = 0;
    for (; at < size && at - first < MAX_LENGTH_DIGITS && is_digit(data[at]); at++)
        length = length * 10 + (data[at] - '0');
    if (at == first || at == size || data[at] != SOH || length == 0 || length > most)
        return 0;
    Py_ssize_t body = at + 1;
    if (length > size - body - TRAILER)
        return 0;
    Py_ssize_t end = body + length;
    const unsigned char *trailer = data + end;
    if (trailer[-1] != SOH || memcmp(trailer, "10=", 3) != 0 || trailer[6] != SOH
        || !is_digit(trailer[3]) || !is_digit(trailer[4]) || !is_digit(trailer[5]))
        return 0;
    int said = (trailer[3] - '0') * 100 + (trailer[4] - '0') * 10 + (trailer[5] - '0');
    *frame = (Frame){start, body, end, end + TRAILER};
    return said == sum_of(data + start, end - start);
}

/* Tags and values of a frame, which ends in SOH. A value may hold "=", a tag neither "=" nor SOH.
   The key is that of plain.py: MsgType and the tags behind it, SOH between them. */
static int read_fields(const unsigned char *data, const Frame *frame, Fields *fields)
{
    const unsigned char *at = data + frame->body, *end = data + frame->end;
    if (frame->end - frame->body < 4 || memcmp(at, "35=", 3) != 0)
        return 0;
    Py_ssize_t count = 0;
    unsigned char *key = fields->key;
    for (; at < end; count++) {
        const unsigned char *tag = at;
        while (at < end && *at != '=' && *at != SOH)
            at++;
        if (at == end || *at == SOH || at - tag > MAX_TAG || count == MAX_FIELDS)
            return 0;
        const unsigned char *value = at + 1;
        for (at = value; *at != SOH;)  /* the last byte is one */
            at++;
        fields->values[count] = (Span){value - data, at - value};
        if (count == 0) {
            tag = value;
            if (at == value || at - value > MAX_MSG_TYPE)
                return 0;
        } else {
            *key++ = SOH;
        }
        for (const unsigned char *stop = count == 0 ? at : value - 1; tag < stop;)
            *key++ = *tag++;
        at++;
    }
    fields->count = count;
    fields->key_size = key - fields->key;
    return 1;
}

/* MsgSeqNum (34) as Message has it: None when it is not there, or not 1 to 18 digits. */
static PyObject *seq_of(PyObject *place, PyObject *values)
{
    if (!PyLong_CheckExact(place))
        return Py_NewRef(Py_None);
    Py_ssize_t index = PyLong_AsSsize_t(place);
    if (index < 0 || index >= PyList_GET_SIZE(values)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_IndexError, "seq_place");
        return NULL;
    }
    PyObject *value = PyList_GET_ITEM(values, index);
    const unsigned char *digits = bytes_of(value);
    Py_ssize_t size = PyBytes_GET_SIZE(value);
    long long number = 0;
    if (size == 0 || size > 18)
        return Py_NewRef(Py_None);
    for (Py_ssize_t at = 0; at < size; at++) {
        if (!is_digit(digits[at]))
            return Py_NewRef(Py_None);
        number = number * 10 + (digits[at] - '0');
    }
    return PyLong_FromLongLong(number);
}

static PyObject *values_of(const unsigned char *data, const Fields *fields)
{
    PyObject *values = PyList_New(fields->count);
    if (values == NULL)
        return NULL;
    for (Py_ssize_t n = 0; n < fields->count; n++) {
        const char *from = (const char *)data + fields->values[n].start;
        PyObject *value = PyBytes_FromStringAndSize(from, fields->values[n].size);
        if (value == NULL) {
            Py_DECREF(values);
            return NULL;
        }
        PyList_SET_ITEM(values, n, value);
    }
    return values;
}

/* What Message(FIX44, its_shape, values, raw) would be. */
static PyObject *make_message(const unsigned char *data, const Frame *frame, const Fields *fields,
                              PyObject *its_shape)
{
    const char *begin = (const char *)data + frame->start;
    PyObject *slots[SHAPE_SLOTS], *seq = NULL;
    PyObject *values = values_of(data, fields);
    if (values == NULL)
        return NULL;
    PyObject *raw = PyBytes_FromStringAndSize(begin, frame->after - frame->start);
    /* Slots are read when nothing runs any more that could put other things there. */
    if (raw != NULL) {
        if (read_slots(&shape, its_shape, slots))
            seq = seq_of(slots[S_SEQ_PLACE], values);
        else
            PyErr_SetString(PyExc_TypeError, "a shape has lost what is in its slots");
    }
    if (seq == NULL) {
        Py_DECREF(values);
        Py_XDECREF(raw);
        return NULL;
    }
    PyObject *made[] = {Py_NewRef(from_python.fix44), Py_NewRef(slots[S_MSG_TYPE]), raw, seq,
                        Py_NewRef(its_shape), values};
    return made_of(&message, made);
}

/* The shape of these fields, borrowed; NULL when it is not known, or with an exception. */
static PyObject *known_shape(PyObject *shapes, const Fields *fields)
{
    PyObject *key = PyBytes_FromStringAndSize((const char *)fields->key, fields->key_size);
    if (key == NULL)
        return NULL;
    PyObject *found = PyDict_GetItemWithError(shapes, key);
    Py_DECREF(key);
    return found != NULL && Py_IS_TYPE(found, shape.type) ? found : NULL;
}

PyDoc_STRVAR(
    take_doc,
    "take(buffer, position, at_most, bytes_at_most, max_message_bytes, shapes, out) -> position\n\n"
    "Append the messages from `position` on to `out`, as long as their frames are right and their\n"
    "shapes known; where that ends is for the reference to go on.");

static PyObject *take(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 7 || !PyDict_CheckExact(args[5]) || !PyList_CheckExact(args[6])) {
        PyErr_SetString(PyExc_TypeError, "take() wants five arguments, a dict and a list");
        return NULL;
    }
    PyObject *buffer = args[0], *shapes = args[5], *out = args[6];
    Py_ssize_t limits[4]; /* position, at_most, bytes_at_most, max_message_bytes */
    for (int n = 0; n < 4; n++) {
        limits[n] = PyNumber_AsSsize_t(args[n + 1], NULL); /* cut where it is out of range */
        if (limits[n] == -1 && PyErr_Occurred())
            return NULL;
    }
    Py_ssize_t position = limits[0];
    if (!PyBytes_CheckExact(buffer) || position < 0)
        return Py_NewRef(args[1]);
    const unsigned char *data = bytes_of(buffer);
    Py_ssize_t size = PyBytes_GET_SIZE(buffer);
    Frame frame;
    Fields fields;
    while (position < size && PyList_GET_SIZE(out) < limits[1] && position < limits[2]) {
        if (!read_frame(data, size, position, limits[3], &frame)
            || !read_fields(data, &frame, &fields))
            break;
        PyObject *its_shape = known_shape(shapes, &fields);
        if (its_shape == NULL) {
            if (PyErr_Occurred())
                return NULL;
            break;
        }
        Py_INCREF(its_shape); /* memory may be had by a collection, which runs Python */
        PyObject *found = make_message(data, &frame, &fields, its_shape);
        Py_DECREF(its_shape);
        if (found == NULL || PyList_Append(out, found) < 0) {
            Py_XDECREF(found);
            return NULL;
        }
        Py_DECREF(found);
        position = frame.after;
    }
    return PyLong_FromSsize_t(position);
}

PyMethodDef decode_functions[] = {
    {"take", (PyCFunction)(void (*)(void))take, METH_FASTCALL, take_doc},
    {NULL, NULL, 0, NULL},
};

int prepare_decode(void)
{
    static const char *const MESSAGE[] = {"begin_string", "msg_type", "raw", "seq", "shape", "values",
                                          NULL};
    static const char *const SHAPE[] = {"msg_type", "seq_place", NULL};
    return find_layout(&message, from_python.message, MESSAGE) < 0
                   || find_layout(&shape, from_python.shape, SHAPE) < 0
               ? -1
               : 0;
}
