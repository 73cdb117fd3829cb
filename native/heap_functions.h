/* The module's functions for heap snapshots and graphs. */
#ifndef OUTLIVE_HEAP_FUNCTIONS_H
#define OUTLIVE_HEAP_FUNCTIONS_H

#include "pycompat.h"

extern PyMethodDef heap_functions[];

#endif
