/* Classes that are made in C: what their own __init__ would do, where that is to keep the arguments.

   The call of such a class with positional arguments fills its slots, in the order of the names it
   was given, and the rest from its defaults. Any other call goes the way of every class. */

#include "codec.h"

enum { MAX_CLASSES = 64 };

typedef struct {
    PyTypeObject *type;
    Py_ssize_t count, required;
    Py_ssize_t offsets[MAX_SLOTS];
    PyObject *defaults[MAX_SLOTS]; /* of those behind the required ones */
} Construction;

static Construction known[MAX_CLASSES];
static Py_ssize_t known_count;

static const Construction *construction_of(PyObject *type)
{
    for (Py_ssize_t n = 0; n < known_count; n++)
        if ((PyObject *)known[n].type == type)
            return &known[n];
    return NULL;
}

static PyObject *by_its_own_way(PyObject *type, PyObject *const *args, size_t count, PyObject *names)
{
    Py_ssize_t positional = PyVectorcall_NARGS(count);
    PyObject *tuple = PyTuple_New(positional), *keywords = NULL, *result = NULL;
    if (tuple == NULL)
        return NULL;
    for (Py_ssize_t n = 0; n < positional; n++)
        PyTuple_SET_ITEM(tuple, n, Py_NewRef(args[n]));
    if (names != NULL) {
        keywords = PyDict_New();
        for (Py_ssize_t n = 0; keywords != NULL && n < PyTuple_GET_SIZE(names); n++)
            if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, n), args[positional + n]) < 0)
                Py_CLEAR(keywords);
    }
    if (names == NULL || keywords != NULL)
        result = PyType_Type.tp_call(type, tuple, keywords);
    Py_XDECREF(keywords);
    Py_DECREF(tuple);
    return result;
}

static PyObject *construct(PyObject *type, PyObject *const *args, size_t count, PyObject *names)
{
    const Construction *made = construction_of(type);
    Py_ssize_t given = PyVectorcall_NARGS(count);
    if (made == NULL || names != NULL || given < made->required || given > made->count)
        return by_its_own_way(type, args, count, names);
    PyObject *thing = made->type->tp_alloc(made->type, 0);
    if (thing == NULL)
        return NULL;
    for (Py_ssize_t n = 0; n < made->count; n++)
        *slot_at(thing, made->offsets[n]) = Py_NewRef(n < given ? args[n] : made->defaults[n]);
    return thing;
}

PyDoc_STRVAR(
    make_in_c_doc,
    "make_in_c(cls, names, defaults): have `cls` keep its arguments without its __init__.\n\n"
    "`names` are the slots in the order of the arguments, `defaults` those of the last of them.");

static PyObject *make_in_c(PyObject *module, PyObject *args)
{
    PyTypeObject *type;
    PyObject *names, *defaults;
    if (!PyArg_ParseTuple(args, "O!O!O!", &PyType_Type, &type, &PyTuple_Type, &names, &PyTuple_Type,
                          &defaults))
        return NULL;
    if (construction_of((PyObject *)type) != NULL)
        Py_RETURN_NONE;
    Py_ssize_t count = PyTuple_GET_SIZE(names), optional = PyTuple_GET_SIZE(defaults);
    if (known_count == MAX_CLASSES || count > MAX_SLOTS || optional > count) {
        PyErr_SetString(PyExc_ValueError, "too many classes, slots or defaults");
        return NULL;
    }
    Construction *made = &known[known_count];
    made->count = count;
    made->required = count - optional;
    for (Py_ssize_t n = 0; n < count; n++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, n));
        if (name == NULL || (made->offsets[n] = offset_of((PyObject *)type, name)) < 0)
            return NULL;
    }
    for (Py_ssize_t n = made->required; n < count; n++)
        made->defaults[n] = Py_NewRef(PyTuple_GET_ITEM(defaults, n - made->required));
    made->type = (PyTypeObject *)Py_NewRef((PyObject *)type);
    known_count++;
    type->tp_vectorcall = construct;
    Py_RETURN_NONE;
}

PyMethodDef construct_functions[] = {
    {"make_in_c", make_in_c, METH_VARARGS, make_in_c_doc},
    {NULL, NULL, 0, NULL},
};
