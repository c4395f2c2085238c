/* exchange._native: what every order passes, in C; compiled.py puts it to use.

   Each function does what its reference in Python does where the case is usual, and calls the
   reference where it is not, or where anything at all is unexpected. */

#include "exchange.h"

Layout executed, order, instrument, grid, message, terms, new_order, whole_order;

static const Description DESCRIBED[] = {
    {&executed,
     {"order", "exec_index", "exec_type", "ord_status", "cl_ord_id", "orig_cl_ord_id", "leaves",
      "filled", "traded_value", "last_quantity", "last_price", "is_maker", "fee", "text",
      "restatement_reason", "query", "quantity"}},
    {&order,
     {"order_id", "instrument", "account", "side", "order_type", "time_in_force", "price",
      "quantity", "conditions"}},
    {&instrument, {"symbol", "prices", "quantities", "min_quantity", "max_quantity",
      "instrument_id"}},
    {&grid, {"numbers", "texts"}},
    {&message, {"shape", "values"}},
    {&terms,
     {"instrument", "side", "order_type", "time_in_force", "price", "quantity", "terms",
      "conditions", "self_trade"}},
    {&new_order, {"session", "message", "cl_ord_id", "account", "wanted", "deadline"}},
};

/* Every slot of a VenueOrder, in the order in which orders.c fills them. */
static const char *const WHOLE_ORDER[] = {
    "order_id", "instrument_id", "side", "order_type", "price", "quantity", "leaves",
    "self_trade_group", "self_trade", "terms", "session", "owner", "instrument", "time_in_force",
    "account", "cl_ord_id", "conditions", "filled", "traded_value", "expires_at", "is_open",
    "ended", "static_fields", NULL,
};

enum { CLASSES = sizeof DESCRIBED / sizeof *DESCRIBED };

PyDoc_STRVAR(describe_doc, "describe(Executed, VenueOrder, Instrument, Grid, Message, OrderTerms,\n"
                           "NewOrder): the classes whose slots are read and filled.");

static PyObject *describe(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (find_layouts(DESCRIBED, CLASSES, args, count) < 0
        || find_layout(&whole_order, (PyObject *)order.type, WHOLE_ORDER) < 0)
        return NULL;
    Py_RETURN_NONE;
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
    if (prepare_functions() < 0)
        return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    if (PyModule_AddFunctions(module, functions) < 0
        || PyModule_AddFunctions(module, report_functions) < 0
        || PyModule_AddFunctions(module, request_functions) < 0
        || PyModule_AddFunctions(module, order_functions) < 0 || prepare_answers() < 0
        || PyModule_AddFunctions(module, answer_functions) < 0
        || PyModule_AddIntConstant(module, "REVISION", REVISION) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
