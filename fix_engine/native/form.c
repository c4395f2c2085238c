/* Form: a pattern of bytes that is filled in again and again, parsed once.

   Form(b"11=%b\00114=%d\001")((b"ID", 5)) is what b"11=%b\00114=%d\001" % (b"ID", 5) is. */

#include "codec.h"

enum { MAX_VALUES = 64 };

typedef struct {
    Py_ssize_t start, size; /* literal bytes before the value */
    char kind;              /* 'b', 'd', or 0 for what stands behind the last value */
} Part;

typedef struct {
    PyObject_HEAD
    PyObject *pattern;
    Py_ssize_t count; /* values */
    Py_ssize_t literal_size;
    Part parts[MAX_VALUES + 1];
} Form;

/* A value as it is written; its digits, if any, into `text`. False when the reference must do it. */
static int is_written(PyObject *value, char kind, char text[NUMBER_SIZE], Piece *written)
{
    long long number;
    if (kind == 'd') {
        if (!as_number(value, &number))
            return 0;
        *written = decimal(number, text);
        return 1;
    }
    if (!PyBytes_CheckExact(value))
        return 0;
    *written = (Piece){PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)};
    return 1;
}

static PyObject *form_fill(Form *form, PyObject *values)
{
    Piece written[MAX_VALUES];
    char digits[MAX_VALUES][NUMBER_SIZE];
    Py_ssize_t size = form->literal_size;
    if (!PyTuple_CheckExact(values) || PyTuple_GET_SIZE(values) != form->count)
        return PyNumber_Remainder(form->pattern, values);
    for (Py_ssize_t n = 0; n < form->count; n++) {
        if (!is_written(PyTuple_GET_ITEM(values, n), form->parts[n].kind, digits[n],
                        &written[n]))
            return PyNumber_Remainder(form->pattern, values);
        if (written[n].size > PY_SSIZE_T_MAX - 64 - size)
            return PyErr_NoMemory();
        size += written[n].size;
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, size);
    if (result == NULL)
        return NULL;
    const char *pattern = PyBytes_AS_STRING(form->pattern);
    char *at = PyBytes_AS_STRING(result);
    for (Py_ssize_t n = 0; n <= form->count; n++) {
        at = append(at, (Piece){pattern + form->parts[n].start, form->parts[n].size});
        if (n < form->count)
            at = append(at, written[n]);
    }
    return result;
}

static PyObject *form_call(PyObject *self, PyObject *args, PyObject *keywords)
{
    if (keywords != NULL || PyTuple_GET_SIZE(args) != 1) {
        PyErr_SetString(PyExc_TypeError, "a Form takes one tuple");
        return NULL;
    }
    return form_fill((Form *)self, PyTuple_GET_ITEM(args, 0));
}

static int parse_pattern(Form *form)
{
    const char *text = PyBytes_AS_STRING(form->pattern);
    Py_ssize_t size = PyBytes_GET_SIZE(form->pattern), start = 0;
    for (Py_ssize_t at = 0; at < size; at++) {
        if (text[at] != '%')
            continue;
        char kind = at + 1 < size ? text[at + 1] : 0;
        if ((kind != 'b' && kind != 'd') || form->count == MAX_VALUES)
            return -1;
        form->parts[form->count++] = (Part){start, at - start, kind};
        form->literal_size += at - start;
        start = at + 2;
        at++;
    }
    form->parts[form->count] = (Part){start, size - start, 0};
    form->literal_size += size - start;
    return 0;
}

static PyObject *form_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *pattern;
    static char *names[] = {"pattern", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "S", names, &pattern))
        return NULL;
    Form *form = (Form *)type->tp_alloc(type, 0);
    if (form == NULL)
        return NULL;
    form->pattern = Py_NewRef(pattern);
    if (parse_pattern(form) < 0) {
        Py_DECREF(form);
        PyErr_SetString(PyExc_ValueError, "a pattern has %b and %d, 64 of them at most");
        return NULL;
    }
    return (PyObject *)form;
}

static void form_free(PyObject *self)
{
    Py_XDECREF(((Form *)self)->pattern);
    Py_TYPE(self)->tp_free(self);
}

static PyTypeObject form_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "fix_engine._native.Form",
    .tp_doc = "A pattern with %b and %d, to be called with a tuple of their values.",
    .tp_basicsize = sizeof(Form),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = form_new,
    .tp_dealloc = form_free,
    .tp_call = form_call,
};

int prepare_form(PyObject *module)
{
    return PyModule_AddType(module, &form_type);
}
