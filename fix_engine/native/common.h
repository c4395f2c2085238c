/* What all that is written in C here has in common: pieces of text, and the slots of classes. */

#ifndef SEAMARK_COMMON_H
#define SEAMARK_COMMON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

enum { SOH = 1, NUMBER_SIZE = 24 };

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

/* Where the instances of a class keep a slot; -1 with TypeError where it is no slot. */
static inline Py_ssize_t offset_of(PyObject *type, const char *name)
{
    PyObject *found = PyObject_GetAttrString(type, name);
    if (found == NULL)
        return -1;
    PyMemberDef *member = NULL;
    if (Py_IS_TYPE(found, &PyMemberDescr_Type))
        member = ((PyMemberDescrObject *)found)->d_member;
    Py_DECREF(found); /* the class has it too */
    if (member == NULL || member->type != T_OBJECT_EX) {
        PyErr_Format(PyExc_TypeError, "%s of %R is no slot", name, type);
        return -1;
    }
    return member->offset;
}

static inline PyObject **slot_at(PyObject *object, Py_ssize_t offset)
{
    return (PyObject **)((char *)object + offset);
}

#endif
