/* What the parts of exchange._native share. */

#ifndef SEAMARK_EXCHANGE_H
#define SEAMARK_EXCHANGE_H

#include "../../fix_engine/native/common.h"

#define REVISION 1 /* of what the module offers and expects of classes; compiled.py asks for it */

enum { MARKET = 1, LIMIT = 2 }; /* OrdType (40) */

/* The slots that are read, in this order; module.c has their names. */
enum { E_ORDER, E_EXEC_INDEX, E_EXEC_TYPE, E_ORD_STATUS, E_CL_ORD_ID, E_ORIG_CL_ORD_ID, E_LEAVES,
       E_FILLED, E_TRADED_VALUE, E_LAST_QUANTITY, E_LAST_PRICE, E_IS_MAKER, E_FEE, E_TEXT,
       E_RESTATEMENT_REASON, E_QUERY, E_QUANTITY, EXECUTED_SLOTS };
enum { O_ORDER_ID, O_INSTRUMENT, O_ACCOUNT, O_SIDE, O_ORDER_TYPE, O_TIME_IN_FORCE, O_PRICE,
       O_QUANTITY, O_CONDITIONS, ORDER_SLOTS };
enum { I_SYMBOL, I_PRICES, I_QUANTITIES, I_MIN_QUANTITY, I_MAX_QUANTITY, I_INSTRUMENT_ID,
       INSTRUMENT_SLOTS };
enum { G_NUMBERS, G_TEXTS, GRID_SLOTS };
enum { M_SHAPE, M_VALUES, MESSAGE_SLOTS };
enum { T_INSTRUMENT, T_SIDE, T_ORDER_TYPE, T_TIME_IN_FORCE, T_PRICE, T_QUANTITY, T_TERMS,
       T_CONDITIONS, T_SELF_TRADE, TERMS_SLOTS };
enum { N_SESSION, N_MESSAGE, N_CL_ORD_ID, N_ACCOUNT, N_WANTED, N_DEADLINE, NEW_ORDER_SLOTS };

extern Layout executed, order, instrument, grid, message, terms, new_order, whole_order;

/* What stands in a dictionary, or is worked out by it, as a new reference; NULL when it cannot be. */
static inline PyObject *looked_up(PyObject *dictionary, PyObject *key)
{
    PyObject *found = PyDict_Check(dictionary) ? PyDict_GetItemWithError(dictionary, key) : NULL;
    if (found != NULL)
        return Py_NewRef(found);
    return PyErr_Occurred() ? NULL : PyObject_GetItem(dictionary, key);
}

extern PyMethodDef report_functions[], request_functions[], order_functions[], answer_functions[];
int prepare_answers(void);

#endif
