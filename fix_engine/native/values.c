/* Values: do they have the format of their type? And timestamps to integers. */

#include "codec.h"

enum {
    MAX_DIGITS = 18,       /* bounded: what comes after may convert it */
    MAX_VALUE_BYTES = 256, /* longer ones are free text or data, or too long */
};

#define LAST_SECOND 9000000000LL /* in the year 2255; 63 bits of nanoseconds reach to 2262 */

typedef struct {
    const unsigned char *at, *end;
} Text;

static Py_ssize_t skip_digits(Text *text)
{
    const unsigned char *start = text->at;
    while (text->at < text->end && is_digit(*text->at))
        text->at++;
    return text->at - start;
}

static int skip(Text *text, unsigned char byte)
{
    if (text->at == text->end || *text->at != byte)
        return 0;
    text->at++;
    return 1;
}

/* Two digits from `least` to `most`, or -1. */
static int two_digits(Text *text, int least, int most)
{
    if (text->end - text->at < 2 || !is_digit(text->at[0]) || !is_digit(text->at[1]))
        return -1;
    int number = (text->at[0] - '0') * 10 + (text->at[1] - '0');
    text->at += 2;
    return number < least || number > most ? -1 : number;
}

/* INT, DAYOFMONTH: "-?\d{1,18}" */
static int int_fits(Text text)
{
    skip(&text, '-');
    Py_ssize_t digits = skip_digits(&text);
    return digits >= 1 && digits <= MAX_DIGITS && text.at == text.end;
}

/* LENGTH, SEQNUM, NUMINGROUP: "\d{1,18}" */
static int count_fits(Text text)
{
    Py_ssize_t digits = skip_digits(&text);
    return digits >= 1 && digits <= MAX_DIGITS && text.at == text.end;
}

/* FLOAT and its kin: "-?(?:\d+(?:\.\d*)?|\.\d+)" */
static int float_fits(Text text)
{
    skip(&text, '-');
    Py_ssize_t digits = skip_digits(&text);
    if (skip(&text, '.'))
        digits += skip_digits(&text);
    return digits >= 1 && text.at == text.end;
}

static int char_fits(Text text) { return text.end - text.at == 1; }

static int boolean_fits(Text text)
{
    return text.end - text.at == 1 && (*text.at == 'Y' || *text.at == 'N');
}

/* ".", then 3, 6 or 9 digits: nanoseconds; 0 when nothing is left, -1 for anything else. */
static long long fraction_of(Text text)
{
    Py_ssize_t digits = text.end - text.at - 1;
    long long number = 0;
    if (text.at == text.end)
        return 0;
    if (*text.at++ != '.' || (digits != 3 && digits != 6 && digits != 9))
        return -1;
    for (; text.at < text.end; text.at++) {
        if (!is_digit(*text.at))
            return -1;
        number = number * 10 + (*text.at - '0');
    }
    for (; digits < 9; digits++)
        number *= 10;
    return number;
}

/* Days from 1970-01-01 to the first of a month, Gregorian. */
static long long days_to_month(int year, int month)
{
    static const int BEFORE[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int before = year - 1, is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    long long days = before * 365LL + before / 4 - before / 100 + before / 400 - 719162;
    return days + BEFORE[month - 1] + (is_leap && month > 2);
}

/* YYYYMMDD of a day from 1970 on, in days since then; -1 when it is none. */
static long long days_of(Text text)
{
    static const int DAYS[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int century = two_digits(&text, 19, 99), in_century = century < 0 ? -1 : two_digits(&text, 0, 99);
    if (in_century < 0)
        return -1;
    int year = century * 100 + in_century, month = two_digits(&text, 1, 12);
    int day = month < 0 ? -1 : two_digits(&text, 1, DAYS[month - 1]);
    int is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1970 || day < 0 || (month == 2 && day == 29 && !is_leap))
        return -1;
    return days_to_month(year, month) + day - 1;
}

/* UTCTimestamp, YYYYMMDD-HH:MM:SS with perhaps a fraction; a leap second (:60) is the first of the
   next minute. True with seconds and nanoseconds since 1970. */
static int read_timestamp(Text text, long long *seconds, long long *nanoseconds)
{
    enum { DATE = 8 };
    static unsigned char known[DATE]; /* the day that was read last, as most will be today */
    static long long known_days = -1;
    if (text.end - text.at < DATE)
        return 0;
    if (known_days < 0 || memcmp(known, text.at, DATE) != 0) {
        known_days = days_of((Text){text.at, text.at + DATE});
        if (known_days < 0)
            return 0;
        memcpy(known, text.at, DATE);
    }
    text.at += DATE;
    int hour, minute, second;
    if (!skip(&text, '-') || (hour = two_digits(&text, 0, 23)) < 0 || !skip(&text, ':')
        || (minute = two_digits(&text, 0, 59)) < 0 || !skip(&text, ':')
        || (second = two_digits(&text, 0, 60)) < 0)
        return 0;
    *nanoseconds = fraction_of(text);
    *seconds = (known_days * 24 + hour) * 3600 + minute * 60 + second;
    return *nanoseconds >= 0;
}

static int timestamp_fits(Text text)
{
    long long seconds, nanoseconds;
    return read_timestamp(text, &seconds, &nanoseconds);
}

static int to_text(PyObject *value, Text *text)
{
    if (!PyBytes_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expected bytes, not %.100s", Py_TYPE(value)->tp_name);
        return -1;
    }
    *text = (Text){bytes_of(value), bytes_of(value) + PyBytes_GET_SIZE(value)};
    return 0;
}

#define FORMAT(name)                                                      \
    static PyObject *is_##name(PyObject *module, PyObject *value)         \
    {                                                                     \
        Text text;                                                        \
        return to_text(value, &text) < 0 ? NULL : PyBool_FromLong(name##_fits(text)); \
    }
FORMAT(int)
FORMAT(count)
FORMAT(float)
FORMAT(char)
FORMAT(boolean)
FORMAT(timestamp)

int time_of(PyObject *value, long long *time)
{
    long long seconds, nanoseconds;
    Text text;
    if (!PyBytes_CheckExact(value) || to_text(value, &text) < 0
        || !read_timestamp(text, &seconds, &nanoseconds) || seconds > LAST_SECOND)
        return 0;
    *time = seconds * 1000000000LL + nanoseconds;
    return 1;
}

PyDoc_STRVAR(parse_doc, "A UTCTimestamp in nanoseconds since 1970, or None when it is none.");

static PyObject *parse_timestamp(PyObject *module, PyObject *value)
{
    Text text;
    long long seconds, nanoseconds;
    if (to_text(value, &text) < 0)
        return NULL;
    if (!read_timestamp(text, &seconds, &nanoseconds))
        Py_RETURN_NONE;
    if (seconds <= LAST_SECOND)
        return PyLong_FromLongLong(seconds * 1000000000LL + nanoseconds);
    PyObject *whole = PyLong_FromLongLong(seconds), *unit = PyLong_FromLong(1000000000L);
    PyObject *rest = PyLong_FromLongLong(nanoseconds), *product = NULL, *result = NULL;
    if (whole != NULL && unit != NULL && rest != NULL)
        product = PyNumber_Multiply(whole, unit);
    if (product != NULL)
        result = PyNumber_Add(product, rest);
    Py_XDECREF(whole);
    Py_XDECREF(unit);
    Py_XDECREF(rest);
    Py_XDECREF(product);
    return result;
}

/* A row of a plan of checks: its place, whose value is given back, borrowed; NULL when it has none. */
static PyObject *value_at(PyObject *row, Py_ssize_t parts, PyObject *values)
{
    if (!PyTuple_CheckExact(row) || PyTuple_GET_SIZE(row) != parts)
        return NULL;
    PyObject *place = PyTuple_GET_ITEM(row, 0);
    Py_ssize_t index = PyLong_CheckExact(place) ? PyLong_AsSsize_t(place) : -1;
    if (index < 0 || index >= PyList_GET_SIZE(values)) {
        PyErr_Clear();
        return NULL;
    }
    return PyList_GET_ITEM(values, index);
}

/* The number that a value of 1 to 18 digits is, or -1. */
static long long number_of(PyObject *value)
{
    Text text;
    long long number = 0;
    if (!PyBytes_CheckExact(value) || to_text(value, &text) < 0 || !count_fits(text))
        return -1;
    for (; text.at < text.end; text.at++)
        number = number * 10 + (*text.at - '0');
    return number;
}

/* Whether a value passes a format check, which mostly is one of ours; -1 with an exception set. */
static int fits(PyObject *check, PyObject *value)
{
    static const struct {
        PyCFunction check;
        int (*fits)(Text);
    } OURS[] = {{is_float, float_fits},     {is_timestamp, timestamp_fits}, {is_count, count_fits},
                {is_char, char_fits},       {is_int, int_fits},             {is_boolean, boolean_fits}};
    if (PyCFunction_CheckExact(check) && PyBytes_CheckExact(value)) {
        PyCFunction called = PyCFunction_GET_FUNCTION(check);
        Text text = {bytes_of(value), bytes_of(value) + PyBytes_GET_SIZE(value)};
        for (size_t n = 0; n < sizeof OURS / sizeof *OURS; n++)
            if (OURS[n].check == called)
                return OURS[n].fits(text);
    }
    Py_INCREF(check); /* both are of lists, which Python may change */
    Py_INCREF(value);
    PyObject *found = PyObject_CallOneArg(check, value);
    Py_DECREF(value);
    Py_DECREF(check);
    int is_true = found != NULL ? PyObject_IsTrue(found) : -1;
    Py_XDECREF(found);
    return is_true;
}

int values_are_sound(PyObject *values, PyObject *formats, PyObject *enums, PyObject *counts)
{
    for (Py_ssize_t n = 0; n < PyList_GET_SIZE(values); n++) {
        PyObject *value = PyList_GET_ITEM(values, n);
        if (!PyBytes_CheckExact(value) || PyBytes_GET_SIZE(value) == 0
            || PyBytes_GET_SIZE(value) > MAX_VALUE_BYTES)
            return 0;
    }
    for (Py_ssize_t n = 0; n < PyList_GET_SIZE(formats); n++) {
        PyObject *row = PyList_GET_ITEM(formats, n), *value = value_at(row, 2, values);
        int does_fit = value != NULL ? fits(PyTuple_GET_ITEM(row, 1), value) : 0;
        if (does_fit <= 0)
            return does_fit;
    }
    for (Py_ssize_t n = 0; n < PyList_GET_SIZE(enums); n++) {
        PyObject *row = PyList_GET_ITEM(enums, n), *value = value_at(row, 3, values);
        PyObject *allowed = value ? PyTuple_GET_ITEM(row, 1) : NULL;
        int is_in = allowed && PyFrozenSet_CheckExact(allowed) ? PySet_Contains(allowed, value) : 0;
        if (is_in < 0)
            return -1;
        if (!is_in)
            return 0;
    }
    for (Py_ssize_t n = 0; n < PyList_GET_SIZE(counts); n++) {
        PyObject *row = PyList_GET_ITEM(counts, n), *value = value_at(row, 2, values);
        PyObject *entries = value ? PyTuple_GET_ITEM(row, 1) : NULL;
        Py_ssize_t most = entries && PyLong_CheckExact(entries) ? PyLong_AsSsize_t(entries) : -1;
        if (most < 0 || number_of(value) != most) {
            PyErr_Clear();
            return 0;
        }
    }
    return 1;
}

PyDoc_STRVAR(
    are_sound_doc,
    "are_sound(values, formats, enums, counts) -> bool\n\n"
    "Whether a plan of checks finds no fault. False when it may: the reference tells which.");

static PyObject *are_sound(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    for (Py_ssize_t n = 0; n < 4; n++) {
        if (count != 4 || !PyList_CheckExact(args[n])) {
            PyErr_SetString(PyExc_TypeError, "are_sound() wants four lists");
            return NULL;
        }
    }
    int found = values_are_sound(args[0], args[1], args[2], args[3]);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

PyMethodDef value_functions[] = {
    {"is_int", is_int, METH_O, "Whether a value is an INT."},
    {"is_count", is_count, METH_O, "Whether a value is a LENGTH, SEQNUM or NUMINGROUP."},
    {"is_float", is_float, METH_O, "Whether a value is a FLOAT."},
    {"is_char", is_char, METH_O, "Whether a value is a CHAR."},
    {"is_boolean", is_boolean, METH_O, "Whether a value is a BOOLEAN."},
    {"is_timestamp", is_timestamp, METH_O, "Whether a value is a UTCTIMESTAMP."},
    {"parse_timestamp", parse_timestamp, METH_O, parse_doc},
    {"are_sound", (PyCFunction)(void (*)(void))are_sound, METH_FASTCALL, are_sound_doc},
    {NULL, NULL, 0, NULL},
};
