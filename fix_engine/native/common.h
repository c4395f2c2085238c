/* What all that is written in C here has in common: pieces of text, and the slots of classes. */

#ifndef SEAMARK_COMMON_H
#define SEAMARK_COMMON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

enum { SOH = 1, NUMBER_SIZE = 24, MAX_SLOTS = 32, MAX_PARTS = 7 };

typedef struct {
    const char *data;
    Py_ssize_t size;
} Piece;

/* An int of the machine's size; false when it is something else. */
static inline int as_number(PyObject *value, long long *number)
{
    int overflow = 0;
    if (!PyLong_Check(value))
        return 0;
    *number = PyLong_AsLongLongAndOverflow(value, &overflow);
    return !overflow;
}

/* Decimal digits of a number, written from the end of `text`. */
static inline Piece decimal(long long number, char text[NUMBER_SIZE])
{
    char *at = text + NUMBER_SIZE;
    unsigned long long rest = number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0)
        *--at = '-';
    return (Piece){at, text + NUMBER_SIZE - at};
}

static inline char *append(char *at, Piece piece)
{
    memcpy(at, piece.data, (size_t)piece.size);
    return at + piece.size;
}

static inline PyObject **slot_at(PyObject *object, Py_ssize_t offset)
{
    return (PyObject **)((char *)object + offset);
}

/* A class, and where its instances keep the slots that are asked for. */
typedef struct {
    PyTypeObject *type;
    Py_ssize_t count, offsets[MAX_SLOTS];
} Layout;

/* Where the instances of a class keep a slot; -1 with TypeError where it is no slot. */
Py_ssize_t offset_of(PyObject *type, const char *name);

/* Fill a layout in, with slots by their names, behind the last of which is NULL; -1 with TypeError. */
int find_layout(Layout *layout, PyObject *type, const char *const *names);

/* A layout, and the slots that are asked for, behind the last of which is NULL. */
typedef struct {
    Layout *layout;
    const char *names[MAX_SLOTS + 1];
} Description;

/* Fill layouts in from their classes, the last one first; -1 with TypeError. */
int find_layouts(const Description *wanted, Py_ssize_t size, PyObject *const *classes,
                 Py_ssize_t count);

/* What is in the slots of a thing, borrowed; false when it is of another class, or one is empty. */
static inline int read_slots(const Layout *layout, PyObject *thing, PyObject **slots)
{
    if (!Py_IS_TYPE(thing, layout->type))
        return 0;
    for (Py_ssize_t n = 0; n < layout->count; n++)
        if ((slots[n] = *slot_at(thing, layout->offsets[n])) == NULL)
            return 0;
    return 1;
}

/* A new instance with these values, of which it takes the references; NULL with an exception. */
static inline PyObject *made_of(const Layout *layout, PyObject **values)
{
    PyObject *thing = layout->type->tp_alloc(layout->type, 0);
    for (Py_ssize_t n = 0; n < layout->count; n++)
        if (thing != NULL)
            *slot_at(thing, layout->offsets[n]) = values[n];
        else
            Py_DECREF(values[n]);
    return thing;
}

/* Something to be called from Python, with what it was given when it was made. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *parts[MAX_PARTS];
} Function;

/* A Function of `count` parts, for a function of the module that was given them; or NULL. */
PyObject *made_function(vectorcallfunc call, PyObject *const *parts, Py_ssize_t given,
                        Py_ssize_t count);
int prepare_functions(void);

/* What the reference, the first part, makes of a call. It will meet the same error, if there is one,
   unless that is none of the case's: an interrupt comes but once. */
static inline PyObject *by_reference(PyObject *self, PyObject *const *args, size_t count,
                                     PyObject *names)
{
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception))
        return NULL;
    PyErr_Clear();
    return PyObject_Vectorcall(((Function *)self)->parts[0], args, count, names);
}

#endif
