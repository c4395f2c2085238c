/* sessions._native: what every message passes on its way to the journal, in C. */

#include "sessions.h"

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "sessions._native",
    .m_doc = "What every message passes on its way to the journal, in C.",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit__native(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    if (prepare_functions() < 0 || prepare_records(module) < 0 || prepare_sending() < 0
        || PyModule_AddFunctions(module, sending_functions) < 0
        || PyModule_AddIntConstant(module, "REVISION", REVISION) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
