/* What the parts of sessions._native share. */

#ifndef SEAMARK_SESSIONS_H
#define SEAMARK_SESSIONS_H

#include "../../fix_engine/native/common.h"

#define REVISION 3 /* of specs/journal.md, and of what the module offers; who imports it asks for it */

int prepare_records(PyObject *module);
int prepare_sending(void);
extern PyMethodDef sending_functions[];

#endif
