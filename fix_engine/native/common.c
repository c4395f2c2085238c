/* Slots of classes, and functions that keep something; compiled into each module that needs it. */

#include "common.h"

Py_ssize_t offset_of(PyObject *type, const char *name)
{
    PyObject *found = PyObject_GetAttrString(type, name);
    if (found == NULL)
        return -1;
    PyMemberDef *member = NULL;
    if (Py_IS_TYPE(found, &PyMemberDescr_Type) /* another class has it elsewhere */
        && PyType_IsSubtype((PyTypeObject *)type, PyDescr_TYPE(found)))
        member = ((PyMemberDescrObject *)found)->d_member;
    Py_DECREF(found); /* the class has it too */
    if (member == NULL || member->type != T_OBJECT_EX) {
        PyErr_Format(PyExc_TypeError, "%s of %R is no slot", name, type);
        return -1;
    }
    return member->offset;
}

int find_layout(Layout *layout, PyObject *type, const char *const *names)
{
    Layout found = {.type = (PyTypeObject *)type};
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError, "%R is no class", type);
        return -1;
    }
    for (; found.count < MAX_SLOTS && names[found.count] != NULL; found.count++)
        if ((found.offsets[found.count] = offset_of(type, names[found.count])) < 0)
            return -1;
    Py_INCREF(type);
    Py_XDECREF(layout->type);
    *layout = found;
    return 0;
}

int find_layouts(const Description *wanted, Py_ssize_t size, PyObject *const *classes,
                 Py_ssize_t count)
{
    if (count != size) {
        PyErr_Format(PyExc_TypeError, "describe() wants %zd classes", size);
        return -1;
    }
    for (Py_ssize_t n = size - 1; n >= 0; n--)
        if (find_layout(wanted[n].layout, classes[n], wanted[n].names) < 0)
            return -1;
    return 0;
}

static int visit_parts(PyObject *self, visitproc visit, void *arg)
{
    for (int n = 0; n < MAX_PARTS; n++)
        Py_VISIT(((Function *)self)->parts[n]);
    return 0;
}

static int clear_parts(PyObject *self)
{
    for (int n = 0; n < MAX_PARTS; n++)
        Py_CLEAR(((Function *)self)->parts[n]);
    return 0;
}

static void free_function(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    clear_parts(self);
    PyObject_GC_Del(self);
}

static PyTypeObject function_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_native.Function",
    .tp_doc = "A function in C that has its reference in Python.",
    .tp_basicsize = sizeof(Function),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Function, call),
    .tp_call = PyVectorcall_Call,
    .tp_traverse = visit_parts,
    .tp_clear = clear_parts,
    .tp_dealloc = free_function,
};

PyObject *made_function(vectorcallfunc call, PyObject *const *parts, Py_ssize_t given,
                        Py_ssize_t count)
{
    if (given != count) {
        PyErr_Format(PyExc_TypeError, "%zd arguments are wanted", count);
        return NULL;
    }
    Function *function = PyObject_GC_New(Function, &function_type);
    if (function == NULL)
        return NULL;
    function->call = call;
    for (Py_ssize_t n = 0; n < MAX_PARTS; n++)
        function->parts[n] = n < count ? Py_NewRef(parts[n]) : NULL;
    PyObject_GC_Track(function);
    return (PyObject *)function;
}

int prepare_functions(void)
{
    return PyType_Ready(&function_type);
}
