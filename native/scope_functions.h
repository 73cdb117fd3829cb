/* The binding of scopes and their runs. */
#ifndef OUTLIVE_SCOPE_FUNCTIONS_H
#define OUTLIVE_SCOPE_FUNCTIONS_H

#include "pycompat.h"

extern PyMethodDef scope_functions[];

#endif
