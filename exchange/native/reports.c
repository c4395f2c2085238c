/* ExecutionReports of orders without conditions, as ReportEncoder of exchange/reports.py has them. */

#include "exchange.h"

enum { P_REFERENCE, P_FORMAT_TIME, P_FEE_FIELDS, REPORT_PARTS, P_NOW = REPORT_PARTS, P_TIME };
enum { MAX_PIECES = 72, MAX_NUMBERS = 8, MAX_HELD = 10 };

enum { READ_SLOTS = EXECUTED_SLOTS + ORDER_SLOTS + INSTRUMENT_SLOTS };

/* A body while its pieces are found. `held` keeps texts alive that a dictionary may forget, and what
   was `read` is kept as soon as Python is called, which may put other things into the slots. */
typedef struct {
    Piece pieces[MAX_PIECES];
    char digits[MAX_NUMBERS][NUMBER_SIZE];
    PyObject *held[MAX_HELD];
    PyObject *read[READ_SLOTS];
    int count, numbers, holds, is_kept;
} Body;

#define PUT(body, text) put(body, (Piece){text, sizeof text - 1})

static void put(Body *body, Piece piece)
{
    body->pieces[body->count++] = piece;
}

static int put_bytes(Body *body, PyObject *value)
{
    if (!PyBytes_CheckExact(value))
        return 0;
    put(body, (Piece){PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)});
    return 1;
}

/* A field that is left out when it is empty. */
static int put_optional(Body *body, const char *tag, PyObject *value)
{
    if (!PyBytes_CheckExact(value))
        return 0;
    if (!PyBytes_GET_SIZE(value))
        return 1;
    put(body, (Piece){tag, (Py_ssize_t)strlen(tag)});
    put_bytes(body, value);
    PUT(body, "\001");
    return 1;
}

static int put_number(Body *body, PyObject *value)
{
    long long number;
    if (!as_number(value, &number))
        return 0;
    put(body, decimal(number, body->digits[body->numbers++]));
    return 1;
}

/* Side (54) or TimeInForce (59), of one digit. */
static int put_code(Body *body, PyObject *value)
{
    long long code;
    return as_number(value, &code) && code >= 0 && code <= 9 && put_number(body, value);
}

/* What was made for this body alone. */
static int put_held(Body *body, PyObject *value)
{
    if (value == NULL)
        return 0;
    body->held[body->holds++] = value;
    return put_bytes(body, value);
}

/* To be called before anything that may run Python. */
static void keep_what_was_read(Body *body)
{
    for (int n = 0; n < READ_SLOTS && !body->is_kept; n++)
        Py_INCREF(body->read[n]);
    body->is_kept = 1;
}

/* A number of ticks or lots as a decimal. */
static int put_steps(Body *body, PyObject *steps_grid, PyObject *number)
{
    PyObject *slots[GRID_SLOTS], *text;
    if (!read_slots(&grid, steps_grid, slots) || !PyDict_Check(slots[G_TEXTS]))
        return 0;
    text = PyDict_GetItemWithError(slots[G_TEXTS], number);
    if (text != NULL)
        return put_held(body, Py_NewRef(text));
    keep_what_was_read(body);
    return !PyErr_Occurred() && put_held(body, PyObject_GetItem(slots[G_TEXTS], number));
}

/* AvgPx (6): exact where the mean is a price, else as the grid has it. */
static int put_average(Body *body, PyObject *prices, PyObject *traded_value, PyObject *filled)
{
    long long value, count;
    if (!as_number(traded_value, &value) || !as_number(filled, &count) || count < 0 || value < 0)
        return 0;
    if (count == 0) {
        PUT(body, "0");
        return 1;
    }
    if (value % count) {
        keep_what_was_read(body);
        return put_held(body, PyObject_CallMethod(prices, "average", "OO", traded_value, filled));
    }
    PyObject *mean = PyLong_FromLongLong(value / count);
    int is_put = mean != NULL && put_steps(body, prices, mean);
    Py_XDECREF(mean);
    return is_put;
}

/* From OrdType (40) to TimeInForce (59). */
static int put_terms(Body *body, PyObject **of_event, PyObject **of_order, PyObject **of_instrument)
{
    long long kind;
    if (!as_number(of_order[O_ORDER_TYPE], &kind) || (kind != LIMIT && kind != MARKET)
        || PyLong_CheckExact(of_order[O_ORDER_TYPE])) /* no OrderType, whatever its value */
        return 0;
    put(body, kind == LIMIT ? (Piece){"40=2\001", 5} : (Piece){"40=1\001", 5});
    if (!put_optional(body, "41=", of_event[E_ORIG_CL_ORD_ID]))
        return 0;
    if (kind == LIMIT) {
        PUT(body, "44=");
        if (!put_steps(body, of_instrument[I_PRICES], of_order[O_PRICE]))
            return 0;
        PUT(body, "\001");
    }
    PUT(body, "54=");
    if (!put_code(body, of_order[O_SIDE]))
        return 0;
    PUT(body, "\00155=");
    if (!put_bytes(body, of_instrument[I_SYMBOL]))
        return 0;
    PUT(body, "\001");
    if (!put_optional(body, "58=", of_event[E_TEXT]))
        return 0;
    PUT(body, "59=");
    return put_code(body, of_order[O_TIME_IN_FORCE]);
}

/* Everything in tag order; false when the reference must do it. */
static int put_all(Body *body, Function *self, PyObject *event, PyObject *position, PyObject *time)
{
    PyObject **e = body->read, **o = e + EXECUTED_SLOTS, **i = o + ORDER_SLOTS;
    long long last, filled, fee, changed;
    if (!read_slots(&executed, event, e) || !read_slots(&order, e[E_ORDER], o)
        || !read_slots(&instrument, o[O_INSTRUMENT], i) || o[O_CONDITIONS] != Py_None
        || e[E_QUERY] != Py_None || !as_number(e[E_LAST_QUANTITY], &last)
        || !as_number(e[E_FILLED], &filled) || !as_number(e[E_FEE], &fee)
        || !as_number(e[E_QUANTITY], &changed) || !PyBool_Check(e[E_IS_MAKER]))
        return 0;
    int is_first_fill = last && last == filled;
    if (!put_optional(body, "1=", o[O_ACCOUNT]))
        return 0;
    PUT(body, "6=");
    if (is_first_fill ? !put_steps(body, i[I_PRICES], e[E_LAST_PRICE])
                      : !put_average(body, i[I_PRICES], e[E_TRADED_VALUE], e[E_FILLED]))
        return 0;
    PUT(body, "\00111=");
    if (!put_bytes(body, e[E_CL_ORD_ID]))
        return 0;
    PUT(body, "\00114=");
    if (!put_steps(body, i[I_QUANTITIES], e[E_FILLED]))
        return 0;
    PUT(body, "\00117=");
    if (!put_number(body, position))
        return 0;
    PUT(body, "-");
    if (!put_number(body, e[E_EXEC_INDEX]))
        return 0;
    PUT(body, "\001");
    if (last) {
        PUT(body, "31=");
        if (!put_steps(body, i[I_PRICES], e[E_LAST_PRICE]))
            return 0;
        PUT(body, "\00132=");
        if (!put_steps(body, i[I_QUANTITIES], e[E_LAST_QUANTITY]))
            return 0;
        PUT(body, "\001");
    }
    PUT(body, "37=");
    if (!put_number(body, o[O_ORDER_ID]))
        return 0;
    PUT(body, "\00138=");
    if (!put_steps(body, i[I_QUANTITIES], changed ? e[E_QUANTITY] : o[O_QUANTITY]))
        return 0;
    PUT(body, "\00139=");
    if (!put_bytes(body, e[E_ORD_STATUS]))
        return 0;
    PUT(body, "\001");
    if (!put_terms(body, e, o, i))
        return 0;
    PUT(body, "\00160=");
    if (!put_bytes(body, time))
        return 0;
    PUT(body, "\001");
    if (last && fee) {
        keep_what_was_read(body);
        if (!put_held(body, PyObject_CallOneArg(self->parts[P_FEE_FIELDS], event)))
            return 0;
    }
    PUT(body, "150=");
    if (!put_bytes(body, e[E_EXEC_TYPE]))
        return 0;
    PUT(body, "\001151=");
    if (!put_steps(body, i[I_QUANTITIES], e[E_LEAVES]))
        return 0;
    PUT(body, "\001");
    if (last)
        put(body, e[E_IS_MAKER] == Py_True ? (Piece){"851=1\001", 6} : (Piece){"851=2\001", 6});
    else if (e[E_RESTATEMENT_REASON] != Py_None) {
        PUT(body, "378=");
        if (!put_number(body, e[E_RESTATEMENT_REASON]))
            return 0;
        PUT(body, "\001");
    }
    return 1;
}

static PyObject *joined(const Body *body)
{
    Py_ssize_t size = 0;
    for (int n = 0; n < body->count; n++)
        size += body->pieces[n].size;
    PyObject *result = PyBytes_FromStringAndSize(NULL, size);
    char *at = result != NULL ? PyBytes_AS_STRING(result) : NULL;
    for (int n = 0; result != NULL && n < body->count; n++)
        at = append(at, body->pieces[n]);
    return result;
}

/* TransactTime (60) of reports that are stamped `now`, a new reference; the last one is kept. */
static PyObject *time_of(Function *self, PyObject *now)
{
    if (now != self->parts[P_NOW]) {
        PyObject *time = PyObject_CallOneArg(self->parts[P_FORMAT_TIME], now);
        if (time == NULL)
            return NULL;
        Py_XSETREF(self->parts[P_NOW], Py_NewRef(now));
        Py_XSETREF(self->parts[P_TIME], time);
    }
    return Py_XNewRef(self->parts[P_TIME]);
}

static PyObject *encode_executed(PyObject *self, PyObject *const *args, size_t count,
                                 PyObject *names)
{
    Function *function = (Function *)self;
    PyObject *result = NULL;
    if (names == NULL && PyVectorcall_NARGS(count) == 3) {
        Body body;
        body.count = body.numbers = body.holds = body.is_kept = 0;
        PyObject *time = time_of(function, args[2]);
        if (time != NULL) /* another report may be encoded before this one is done */
            body.held[body.holds++] = time;
        if (time != NULL && put_all(&body, function, args[0], args[1], time))
            result = joined(&body);
        for (int n = 0; n < body.holds; n++)
            Py_DECREF(body.held[n]);
        for (int n = 0; n < READ_SLOTS && body.is_kept; n++)
            Py_DECREF(body.read[n]);
    }
    return result != NULL ? result : by_reference(self, args, count, names);
}

PyDoc_STRVAR(
    executed_encoder_doc,
    "executed_encoder(reference, format_time, fee_fields) -> what encodes Executed as `reference`\n"
    "does: (event, position, now) -> body.");

static PyObject *executed_encoder(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    return made_function(encode_executed, args, count, REPORT_PARTS);
}

PyMethodDef report_functions[] = {
    {"executed_encoder", (PyCFunction)(void (*)(void))executed_encoder, METH_FASTCALL,
     executed_encoder_doc},
    {NULL, NULL, 0, NULL},
};
