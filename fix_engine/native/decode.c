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

static PyTypeObject *message_type, *shape_type;
static PyObject *fix44;
static Py_ssize_t at_begin_string, at_msg_type, at_raw, at_seq, at_shape, at_values; /* in Message */
static Py_ssize_t at_shape_msg_type, at_seq_place;                                   /* in Shape */

static inline PyObject **slot(PyObject *thing, Py_ssize_t offset)
{
    return (PyObject **)((char *)thing + offset);
}

static inline void put(PyObject *thing, Py_ssize_t offset, PyObject *value)
{
    *slot(thing, offset) = Py_NewRef(value);
}

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
static PyObject *seq_of(PyObject *shape, PyObject *values)
{
    PyObject *place = *slot(shape, at_seq_place);
    if (place == NULL || !PyLong_CheckExact(place))
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

/* What Message(FIX44, shape, values, raw) would be. */
static PyObject *make_message(
    const unsigned char *data, const Frame *frame, const Fields *fields, PyObject *shape)
{
    const char *begin = (const char *)data + frame->start;
    PyObject *raw = NULL, *seq = NULL, *message = NULL;
    PyObject *values = values_of(data, fields);
    if (values == NULL)
        return NULL;
    raw = PyBytes_FromStringAndSize(begin, frame->after - frame->start);
    seq = raw == NULL ? NULL : seq_of(shape, values);
    message = seq == NULL ? NULL : message_type->tp_alloc(message_type, 0);
    if (message != NULL) {
        put(message, at_begin_string, fix44);
        put(message, at_msg_type, *slot(shape, at_shape_msg_type));
        put(message, at_raw, raw);
        put(message, at_seq, seq);
        put(message, at_shape, shape);
        put(message, at_values, values);
    }
    Py_XDECREF(seq);
    Py_XDECREF(raw);
    Py_DECREF(values);
    return message;
}

/* The shape of these fields, borrowed; NULL when it is not known, or with an exception. */
static PyObject *known_shape(PyObject *shapes, const Fields *fields)
{
    PyObject *key = PyBytes_FromStringAndSize((const char *)fields->key, fields->key_size);
    if (key == NULL)
        return NULL;
    PyObject *shape = PyDict_GetItemWithError(shapes, key);
    Py_DECREF(key);
    if (shape != NULL && (!Py_IS_TYPE(shape, shape_type) || *slot(shape, at_shape_msg_type) == NULL))
        return NULL;
    return shape;
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
        PyObject *shape = known_shape(shapes, &fields);
        if (shape == NULL) {
            if (PyErr_Occurred())
                return NULL;
            break;
        }
        Py_INCREF(shape); /* memory for a message may be had by a collection, which runs Python */
        PyObject *message = make_message(data, &frame, &fields, shape);
        Py_DECREF(shape);
        if (message == NULL || PyList_Append(out, message) < 0) {
            Py_XDECREF(message);
            return NULL;
        }
        Py_DECREF(message);
        position = frame.after;
    }
    return PyLong_FromSsize_t(position);
}

PyMethodDef decode_functions[] = {
    {"take", (PyCFunction)(void (*)(void))take, METH_FASTCALL, take_doc},
    {NULL, NULL, 0, NULL},
};

/* Where a class with __slots__ keeps one of them. */
static int find_slot(PyTypeObject *type, const char *name, Py_ssize_t *offset)
{
    PyObject *found = PyObject_GetAttrString((PyObject *)type, name);
    if (found == NULL)
        return -1;
    int is_slot = Py_IS_TYPE(found, &PyMemberDescr_Type);
    PyMemberDef *member = is_slot ? ((PyMemberDescrObject *)found)->d_member : NULL;
    Py_DECREF(found); /* the class has it too */
    if (member == NULL || member->type != T_OBJECT_EX) {
        PyErr_Format(PyExc_ImportError, "%s.%s is no slot", type->tp_name, name);
        return -1;
    }
    *offset = member->offset;
    return 0;
}

int prepare_decode(void)
{
    PyObject *module = PyImport_ImportModule("fix_engine.message");
    PyObject *tags = PyImport_ImportModule("fix_engine.tags");
    int result = -1;
    if (module == NULL || tags == NULL)
        goto done;
    message_type = (PyTypeObject *)PyObject_GetAttrString(module, "Message");
    shape_type = (PyTypeObject *)PyObject_GetAttrString(module, "Shape");
    fix44 = PyObject_GetAttrString(tags, "FIX44");
    if (message_type == NULL || shape_type == NULL || fix44 == NULL)
        goto done;
    if (find_slot(message_type, "begin_string", &at_begin_string) == 0
        && find_slot(message_type, "msg_type", &at_msg_type) == 0
        && find_slot(message_type, "raw", &at_raw) == 0
        && find_slot(message_type, "seq", &at_seq) == 0
        && find_slot(message_type, "shape", &at_shape) == 0
        && find_slot(message_type, "values", &at_values) == 0
        && find_slot(shape_type, "msg_type", &at_shape_msg_type) == 0
        && find_slot(shape_type, "seq_place", &at_seq_place) == 0)
        result = 0;
done:
    Py_XDECREF(module);
    Py_XDECREF(tags);
    return result;
}
