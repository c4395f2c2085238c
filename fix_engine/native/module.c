/* fix_engine._native: the module of the compiled codec. */

#include "codec.h"

Reference reference;

static int prepare_reference(void)
{
    PyObject *plain = PyImport_ImportModule("fix_engine.plain");
    if (plain == NULL)
        return -1;
    reference.checksum = PyObject_GetAttrString(plain, "checksum");
    reference.encode = PyObject_GetAttrString(plain, "encode");
    reference.encode_shared = PyObject_GetAttrString(plain, "encode_shared");
    reference.encode_numbered = PyObject_GetAttrString(plain, "encode_numbered");
    reference.encode_numbered_shared = PyObject_GetAttrString(plain, "encode_numbered_shared");
    Py_DECREF(plain);
    return PyErr_Occurred() ? -1 : 0;
}

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "fix_engine._native",
    .m_doc = "The hot paths of the codec in C; compiled.py puts them to use.",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit__native(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    if (prepare_reference() < 0 || prepare_decode() < 0 || prepare_form(module) < 0
        || prepare_session() < 0 || PyModule_AddFunctions(module, session_functions) < 0
        || PyModule_AddFunctions(module, decode_functions) < 0
        || PyModule_AddFunctions(module, encode_functions) < 0
        || PyModule_AddFunctions(module, value_functions) < 0
        || PyModule_AddFunctions(module, construct_functions) < 0
        || PyModule_AddIntConstant(module, "REVISION", REVISION) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
