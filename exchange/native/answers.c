/* plain_answer of exchange/answers.py, which sends what came of a command. */

#include "exchange.h"

static PyObject *session_name, *send_name;

/* Encode one event and send it to its session; -1 with an exception set. */
static int answer_one(PyObject *event, PyObject *const *args)
{
    PyObject *encoders = args[1], *peers = args[2], *position = args[3], *now = args[4];
    PyObject *asker = args[5], *route = args[6], *body = NULL, *peer = NULL, *sent = NULL;
    PyObject *session = PyObject_GetAttr(event, session_name);
    PyObject *encoder = session ? looked_up(encoders, (PyObject *)Py_TYPE(event)) : NULL;
    int is_asker = -1;
    if (encoder == NULL)
        goto done;
    if (!PyTuple_CheckExact(encoder) || PyTuple_GET_SIZE(encoder) != 2) {
        PyErr_SetString(PyExc_TypeError, "an encoder stands behind its MsgType");
        goto done;
    }
    peer = looked_up(peers, session);
    is_asker = peer != NULL ? PyObject_RichCompareBool(session, asker, Py_EQ) : -1;
    if (is_asker < 0)
        goto done;
    PyObject *const told[] = {event, position, now};
    body = PyObject_Vectorcall(PyTuple_GET_ITEM(encoder, 1), told, 3, NULL);
    if (body == NULL)
        goto done;
    PyObject *const message[] = {peer, PyTuple_GET_ITEM(encoder, 0), body, route};
    sent = PyObject_VectorcallMethod(send_name, message, is_asker ? 4 : 3, NULL);
done:
    Py_XDECREF(sent);
    Py_XDECREF(peer);
    Py_XDECREF(body);
    Py_XDECREF(encoder);
    Py_XDECREF(session);
    return sent != NULL ? 0 : -1;
}

PyDoc_STRVAR(answer_doc,
             "answer(events, encoders, peers, position, now, asker, route): send what came of a\n"
             "command, one after the other; `route` goes with what the asker gets.");

static PyObject *answer(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 7 || !PyList_CheckExact(args[0])) {
        PyErr_SetString(PyExc_TypeError, "answer() wants a list of events, and six more arguments");
        return NULL;
    }
    for (Py_ssize_t n = 0; n < PyList_GET_SIZE(args[0]); n++) {
        PyObject *event = Py_NewRef(PyList_GET_ITEM(args[0], n));
        int is_sent = answer_one(event, args);
        Py_DECREF(event);
        if (is_sent < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

PyMethodDef answer_functions[] = {
    {"answer", (PyCFunction)(void (*)(void))answer, METH_FASTCALL, answer_doc},
    {NULL, NULL, 0, NULL},
};

int prepare_answers(void)
{
    session_name = PyUnicode_InternFromString("session");
    send_name = PyUnicode_InternFromString("send");
    return session_name == NULL || send_name == NULL ? -1 : 0;
}
