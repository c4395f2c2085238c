/* NewOrderSingle without conditions to NewOrder, as RequestParser of exchange/requests has it. */

#include "exchange.h"

enum { P_REFERENCE, P_INSTRUMENTS, P_PLACES, P_SIDES, P_ORDER_TYPES, P_TIMES_IN_FORCE, REQUEST_PARTS };
enum { AT_CL_ORD_ID, AT_ACCOUNT, AT_SYMBOL, AT_SIDE, AT_ORD_TYPE, AT_ORDER_QTY, AT_PRICE,
       AT_TIME_IN_FORCE, PLACES };

/* The value of each field of an order, borrowed; None for one that is not there. */
static int find_values(PyObject *places, PyObject *values, PyObject **found)
{
    if (places == NULL || !PyTuple_Check(places) || PyTuple_GET_SIZE(places) != PLACES
        || !PyList_CheckExact(values))
        return 0;
    for (Py_ssize_t n = 0; n < PLACES; n++) {
        long long place;
        if (!as_number(PyTuple_GET_ITEM(places, n), &place) || place >= PyList_GET_SIZE(values))
            return 0;
        found[n] = place < 0 ? Py_None : PyList_GET_ITEM(values, place);
    }
    return 1;
}

/* What a dictionary has, borrowed, or NULL; nothing is worked out. */
static PyObject *known(PyObject *dictionary, PyObject *key)
{
    return PyDict_Check(dictionary) ? PyDict_GetItemWithError(dictionary, key) : NULL;
}

/* A decimal in steps of a grid, as a new reference; NULL when it is none. */
static PyObject *steps_of(PyObject *steps_grid, PyObject *value, long long *number)
{
    PyObject *slots[GRID_SLOTS], *steps = NULL;
    if (value != Py_None && read_slots(&grid, steps_grid, slots))
        steps = looked_up(slots[G_NUMBERS], value);
    if (steps != NULL && !as_number(steps, number))
        Py_CLEAR(steps);
    return steps;
}

static PyObject *order_terms(Function *self, PyObject **values)
{
    PyObject *which = known(self->parts[P_INSTRUMENTS], values[AT_SYMBOL]);
    PyObject *side = known(self->parts[P_SIDES], values[AT_SIDE]);
    PyObject *type = known(self->parts[P_ORDER_TYPES], values[AT_ORD_TYPE]);
    PyObject *time = known(self->parts[P_TIMES_IN_FORCE], values[AT_TIME_IN_FORCE]);
    PyObject *i[INSTRUMENT_SLOTS], *price = NULL, *quantity = NULL;
    long long kind, least, most, lots, ticks = 0;
    if (which == NULL || side == NULL || type == NULL || time == NULL
        || !read_slots(&instrument, which, i) || !as_number(type, &kind)
        || !as_number(i[I_MIN_QUANTITY], &least) || !as_number(i[I_MAX_QUANTITY], &most))
        return NULL;
    /* What is borrowed outlives what grids work out in Python. */
    PyObject *prices = i[I_PRICES], *limit = values[AT_PRICE], *made = NULL;
    PyObject *held[] = {which, side, type, time, prices, limit};
    enum { HELD = sizeof held / sizeof *held };
    for (int n = 0; n < HELD; n++)
        Py_INCREF(held[n]);
    quantity = steps_of(i[I_QUANTITIES], values[AT_ORDER_QTY], &lots);
    if (quantity != NULL && kind == LIMIT)
        price = steps_of(prices, limit, &ticks);
    else if (kind == MARKET && limit == Py_None)
        price = PyLong_FromLong(0);
    if (quantity == NULL || price == NULL || lots < least || lots > most
        || (kind == LIMIT && ticks <= 0)) {
        Py_XDECREF(quantity);
        Py_XDECREF(price);
    } else {
        PyObject *kept[TERMS_SLOTS] = {Py_NewRef(which), Py_NewRef(side),    Py_NewRef(type),
                                       Py_NewRef(time),  price,              quantity,
                                       Py_NewRef(Py_None), Py_NewRef(Py_None), Py_NewRef(Py_None)};
        made = made_of(&terms, kept);
    }
    for (int n = 0; n < HELD; n++)
        Py_DECREF(held[n]);
    return made;
}

/* The command; NULL when the reference must see to the message. */
static PyObject *plain_order(Function *self, PyObject *session, PyObject *request)
{
    PyObject *m[MESSAGE_SLOTS], *values[PLACES];
    if (!read_slots(&message, request, m)
        || !find_values(known(self->parts[P_PLACES], m[M_SHAPE]), m[M_VALUES], values))
        return NULL;
    PyObject *cl_ord_id = Py_NewRef(values[AT_CL_ORD_ID]), *account = values[AT_ACCOUNT];
    account = account == Py_None ? PyBytes_FromStringAndSize(NULL, 0) : Py_NewRef(account);
    PyObject *wanted = account != NULL ? order_terms(self, values) : NULL;
    if (wanted == NULL) {
        Py_XDECREF(account);
        Py_DECREF(cl_ord_id);
        return NULL;
    }
    PyObject *kept[NEW_ORDER_SLOTS] = {Py_NewRef(session), Py_NewRef(request), cl_ord_id,
                                       account,            wanted,             Py_NewRef(Py_None)};
    return made_of(&new_order, kept);
}

static PyObject *parse_order(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    Function *function = (Function *)self;
    PyObject *command = NULL;
    if (names == NULL && PyVectorcall_NARGS(count) == 2)
        command = plain_order(function, args[0], args[1]);
    return command != NULL ? command : by_reference(self, args, count, names);
}

PyDoc_STRVAR(
    order_parser_doc,
    "order_parser(reference, instruments, places, sides, order_types, times_in_force) -> what\n"
    "parses NewOrderSingle as `reference` does: (session, message) -> command.");

static PyObject *order_parser(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    return made_function(parse_order, args, count, REQUEST_PARTS);
}

PyMethodDef request_functions[] = {
    {"order_parser", (PyCFunction)(void (*)(void))order_parser, METH_FASTCALL, order_parser_doc},
    {NULL, NULL, 0, NULL},
};
