/* Messages to bytes: each written once, into memory of the right size. */

#include "codec.h"

enum { MAX_PIECES = 12 };

#define TEXT(text) ((Piece){text, sizeof text - 1})
#define BYTES(value) ((Piece){PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)})

/* The pieces as the fields of a message, framed: "8=FIX.4.4|9=...|" before, "10=...|" behind.
   The last of them may have its share of the CheckSum known: then `known` is it, else -1. */
static PyObject *framed(const Piece *pieces, int count, int known)
{
    Py_ssize_t length = 0;
    for (int n = 0; n < count; n++) {
        if (pieces[n].size > PY_SSIZE_T_MAX - 64 - length)
            return PyErr_NoMemory();
        length += pieces[n].size;
    }
    char digits[NUMBER_SIZE];
    Piece prefix = TEXT("8=FIX.4.4\0019="), body_length = decimal(length, digits);
    Py_ssize_t size = prefix.size + body_length.size + 1 + length + 7;
    PyObject *result = PyBytes_FromStringAndSize(NULL, size);
    if (result == NULL)
        return NULL;
    char *start = PyBytes_AS_STRING(result);
    char *at = append(append(start, prefix), body_length);
    *at++ = SOH;
    for (int n = 0; n < count; n++)
        at = append(at, pieces[n]);
    Py_ssize_t summed = at - start;
    if (known >= 0)
        summed -= pieces[count - 1].size;
    unsigned char sum = sum_of((const unsigned char *)start, summed);
    if (known >= 0)
        sum = (unsigned char)(sum + known);
    at = append(at, TEXT("10="));
    *at++ = (char)('0' + sum / 100);
    *at++ = (char)('0' + sum / 10 % 10);
    *at++ = (char)('0' + sum % 10);
    *at = SOH;
    return result;
}

static int all_bytes(PyObject *const *values, Py_ssize_t count)
{
    for (Py_ssize_t n = 0; n < count; n++)
        if (!PyBytes_CheckExact(values[n]))
            return 0;
    return 1;
}

PyDoc_STRVAR(checksum_doc, "CheckSum (10): the sum of all bytes modulo 256.");

static PyObject *checksum(PyObject *module, PyObject *data)
{
    if (!PyBytes_CheckExact(data))
        return PyObject_CallOneArg(reference.checksum, data);
    return PyLong_FromLong(sum_of(bytes_of(data), PyBytes_GET_SIZE(data)));
}

PyDoc_STRVAR(encode_doc, "A whole FIX.4.4 message around `body`.");

static PyObject *encode(PyObject *module, PyObject *body)
{
    if (!PyBytes_CheckExact(body))
        return PyObject_CallOneArg(reference.encode, body);
    return framed(&BYTES(body), 1, -1);
}

PyDoc_STRVAR(shared_doc, "encode_shared(head, shared, shared_checksum) -> message");

static PyObject *encode_shared(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    long long known;
    if (count != 3 || !all_bytes(args, 2) || !as_number(args[2], &known))
        return PyObject_Vectorcall(reference.encode_shared, args, (size_t)count, NULL);
    Piece pieces[] = {BYTES(args[0]), BYTES(args[1])};
    return framed(pieces, 2, (int)(known & 0xFF));
}

/* "35=<MsgType>|34=<MsgSeqNum>" and what follows, from the first `count` arguments. */
static PyObject *numbered(PyObject *const *args, Py_ssize_t count, long long seq, int known)
{
    char digits[NUMBER_SIZE];
    Piece pieces[MAX_PIECES] = {TEXT("35="), BYTES(args[0]), TEXT("\00134="), decimal(seq, digits)};
    int filled = 4;
    for (Py_ssize_t n = 2; n < count; n++)
        pieces[filled++] = BYTES(args[n]);
    return framed(pieces, filled, known);
}

PyObject *numbered_message(PyObject *const *args)
{
    long long seq;
    if (!all_bytes(args, 1) || !all_bytes(args + 2, 5) || !as_number(args[1], &seq))
        return PyObject_Vectorcall(reference.encode_numbered, args, 7, NULL);
    return numbered(args, 7, seq, -1);
}

PyDoc_STRVAR(
    numbered_doc,
    "encode_numbered(msg_type, seq, before_time, time, after_time, header, body) -> message");

static PyObject *encode_numbered(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 7)
        return PyObject_Vectorcall(reference.encode_numbered, args, (size_t)count, NULL);
    return numbered_message(args);
}

PyDoc_STRVAR(
    numbered_shared_doc,
    "encode_numbered_shared(msg_type, seq, before_time, time, after_time, own, shared,\n"
    "shared_checksum) -> message");

static PyObject *encode_numbered_shared(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    long long seq, known;
    if (count != 8 || !all_bytes(args, 1) || !all_bytes(args + 2, 5) || !as_number(args[1], &seq)
        || !as_number(args[7], &known))
        return PyObject_Vectorcall(reference.encode_numbered_shared, args, (size_t)count, NULL);
    return numbered(args, 7, seq, (int)(known & 0xFF));
}

PyMethodDef encode_functions[] = {
    {"checksum", checksum, METH_O, checksum_doc},
    {"encode", encode, METH_O, encode_doc},
    {"encode_shared", (PyCFunction)(void (*)(void))encode_shared, METH_FASTCALL, shared_doc},
    {"encode_numbered", (PyCFunction)(void (*)(void))encode_numbered, METH_FASTCALL, numbered_doc},
    {"encode_numbered_shared", (PyCFunction)(void (*)(void))encode_numbered_shared, METH_FASTCALL,
     numbered_shared_doc},
    {NULL, NULL, 0, NULL},
};
