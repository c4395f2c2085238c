/* exchange._native: what every order passes, in C; compiled.py puts it to use.

   Each function does what its reference in Python does where the case is usual, and calls the
   reference where it is not, or where anything at all is unexpected. */

#include "exchange.h"

Layout executed, order, instrument, grid, message, terms, new_order;

static const struct {
    Layout *layout;
    const char *names[MAX_SLOTS];
} DESCRIBED[] = {
    {&executed,
     {"order", "exec_index", "exec_type", "ord_status", "cl_ord_id", "orig_cl_ord_id", "leaves",
      "filled", "traded_value", "last_quantity", "last_price", "is_maker", "fee", "text",
      "restatement_reason", "query", "quantity"}},
    {&order,
     {"order_id", "instrument", "account", "side", "order_type", "time_in_force", "price",
      "quantity", "conditions"}},
    {&instrument, {"symbol", "prices", "quantities", "min_quantity", "max_quantity"}},
    {&grid, {"numbers", "texts"}},
    {&message, {"shape", "values"}},
    {&terms,
     {"instrument", "side", "order_type", "time_in_force", "price", "quantity", "terms",
      "conditions", "self_trade"}},
    {&new_order, {"session", "message", "cl_ord_id", "account", "wanted", "deadline"}},
};

enum { CLASSES = sizeof DESCRIBED / sizeof *DESCRIBED };

PyDoc_STRVAR(describe_doc, "describe(Executed, VenueOrder, Instrument, Grid, Message, OrderTerms,\n"
                           "NewOrder): the classes whose slots are read and filled.");

static PyObject *describe(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != CLASSES) {
        PyErr_Format(PyExc_TypeError, "describe() wants %d classes", CLASSES);
        return NULL;
    }
    for (int n = 0; n < CLASSES; n++) {
        Layout *layout = DESCRIBED[n].layout;
        if (!PyType_Check(args[n])) {
            PyErr_Format(PyExc_TypeError, "%R is no class", args[n]);
            return NULL;
        }
        Py_ssize_t found = 0;
        for (; found < MAX_SLOTS && DESCRIBED[n].names[found] != NULL; found++)
            if ((layout->offsets[found] = offset_of(args[n], DESCRIBED[n].names[found])) < 0)
                return NULL;
        layout->count = found;
        Py_XSETREF(layout->type, (PyTypeObject *)Py_NewRef(args[n]));
    }
    Py_RETURN_NONE;
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
    .tp_name = "exchange._native.Function",
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
    if (given != count || executed.type == NULL) {
        PyErr_Format(PyExc_TypeError, "%zd arguments, behind describe()", count);
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

static PyMethodDef functions[] = {
    {"describe", (PyCFunction)(void (*)(void))describe, METH_FASTCALL, describe_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "exchange._native",
    .m_doc = "What every order passes, in C; compiled.py puts it to use.",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit__native(void)
{
    if (PyType_Ready(&function_type) < 0)
        return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    if (PyModule_AddFunctions(module, functions) < 0
        || PyModule_AddFunctions(module, report_functions) < 0
        || PyModule_AddFunctions(module, request_functions) < 0
        || PyModule_AddIntConstant(module, "REVISION", REVISION) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
