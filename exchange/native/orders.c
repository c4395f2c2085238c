/* VenueOrder, made as its __init__ in exchange/orders.py makes it. */

#include "exchange.h"

enum { P_REFERENCE, MAKER_PARTS };
enum { A_SELF_TRADE_GROUP, ACCOUNT_SLOTS };

static Layout account;

static PyObject *plain_order(PyObject *const *args)
{
    PyObject *order_id = args[0], *session = args[1], *owner = args[2], *wanted = args[3];
    PyObject *t[TERMS_SLOTS], *i[INSTRUMENT_SLOTS], *a[ACCOUNT_SLOTS];
    if (!read_slots(&terms, wanted, t) || !read_slots(&instrument, t[T_INSTRUMENT], i)
        || !read_slots(&account, owner, a))
        return NULL;
    PyObject *zero = PyLong_FromLong(0), *nothing = PyBytes_FromStringAndSize(NULL, 0);
    if (zero == NULL || nothing == NULL) {
        Py_XDECREF(zero);
        Py_XDECREF(nothing);
        return NULL;
    }
    PyObject *kept[] = {
        order_id, i[I_INSTRUMENT_ID], t[T_SIDE], t[T_ORDER_TYPE], t[T_PRICE], t[T_QUANTITY],
        t[T_QUANTITY], a[A_SELF_TRADE_GROUP], args[6], t[T_TERMS], session, owner,
        t[T_INSTRUMENT], t[T_TIME_IN_FORCE], args[5], args[4], t[T_CONDITIONS], zero, zero, zero,
        Py_True, nothing, Py_None,
    };
    for (Py_ssize_t n = 0; n < whole_order.count; n++)
        Py_INCREF(kept[n]);
    Py_DECREF(zero);
    Py_DECREF(nothing);
    return made_of(&whole_order, kept);
}

static PyObject *make_order(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    PyObject *made = NULL;
    if (names == NULL && PyVectorcall_NARGS(count) == 7)
        made = plain_order(args);
    return made != NULL ? made : by_reference(self, args, count, names);
}

PyDoc_STRVAR(order_maker_doc,
             "order_maker(VenueOrder, AccountState) -> what makes orders as the call of the class\n"
             "does, with seven arguments by place.");

static PyObject *order_maker(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    static const char *const ACCOUNT[] = {"self_trade_group", NULL};
    if (count == 2 && find_layout(&account, args[1], ACCOUNT) < 0)
        return NULL;
    return made_function(make_order, args, count - 1, MAKER_PARTS);
}

PyMethodDef order_functions[] = {
    {"order_maker", (PyCFunction)(void (*)(void))order_maker, METH_FASTCALL, order_maker_doc},
    {NULL, NULL, 0, NULL},
};
