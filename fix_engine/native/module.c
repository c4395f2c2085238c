/* fix_engine._native: the module of the compiled codec. */

#include "codec.h"

Reference reference;
FromPython from_python;

static const struct {
    const char *module, *name;
    PyObject **value;
} WANTED[] = {
    {"fix_engine.plain", "checksum", &reference.checksum},
    {"fix_engine.plain", "encode", &reference.encode},
    {"fix_engine.plain", "encode_shared", &reference.encode_shared},
    {"fix_engine.plain", "encode_numbered", &reference.encode_numbered},
    {"fix_engine.plain", "encode_numbered_shared", &reference.encode_numbered_shared},
    {"fix_engine.message", "Message", &from_python.message},
    {"fix_engine.message", "Shape", &from_python.shape},
    {"fix_engine.tags", "FIX44", &from_python.fix44},
};

static int prepare_wanted(void)
{
    for (size_t n = 0; n < sizeof WANTED / sizeof *WANTED; n++) {
        PyObject *module = PyImport_ImportModule(WANTED[n].module);
        if (module == NULL)
            return -1;
        *WANTED[n].value = PyObject_GetAttrString(module, WANTED[n].name);
        Py_DECREF(module);
        if (*WANTED[n].value == NULL)
            return -1;
    }
    return 0;
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
    if (prepare_wanted() < 0 || prepare_decode() < 0 || prepare_form(module) < 0
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
