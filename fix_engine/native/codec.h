/* What the parts of the compiled codec share. README.md beside this file says how it is built. */

#ifndef SEAMARK_CODEC_H
#define SEAMARK_CODEC_H

#include "common.h"

#define REVISION 3 /* of what the module offers; compiled.py asks for it */

/* What the reference, plain.py, does instead when an argument is not what is usual. */
typedef struct {
    PyObject *checksum, *encode, *encode_shared, *encode_numbered, *encode_numbered_shared;
} Reference;

extern Reference reference;

/* What messages are made of: the classes of fix_engine.message, and "FIX.4.4". */
typedef struct {
    PyObject *message, *shape, *fix44;
} FromPython;

extern FromPython from_python;

static inline int is_digit(unsigned char byte) { return byte >= '0' && byte <= '9'; }

static inline const unsigned char *bytes_of(PyObject *value)
{
    return (const unsigned char *)PyBytes_AS_STRING(value);
}

/* CheckSum (10): the sum of all bytes modulo 256. Eight bits may overflow: that is the modulus. */
static inline unsigned char sum_of(const unsigned char *data, Py_ssize_t size)
{
    unsigned char sum = 0;
    for (Py_ssize_t at = 0; at < size; at++)
        sum = (unsigned char)(sum + data[at]);
    return sum;
}

/* Whether a plan of checks finds no fault in the values of a message; -1 with an exception set. */
int values_are_sound(PyObject *values, PyObject *formats, PyObject *enums, PyObject *counts);

/* A UTCTimestamp in nanoseconds since 1970; false when it is none, or does not fit. */
int time_of(PyObject *value, long long *time);

/* A message as encode_numbered makes it of seven arguments; NULL with an exception set. */
PyObject *numbered_message(PyObject *const *args);

/* Each part has its functions, and may have something to get ready; -1 with an exception set. */
extern PyMethodDef decode_functions[], encode_functions[], value_functions[], construct_functions[],
    session_functions[];
int prepare_decode(void);
int prepare_form(PyObject *module);
int prepare_session(void);

#endif
