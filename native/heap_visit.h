/* One object of the heap: what it refers to, and how large it is. Reads only; runs no code but the
 * tp_traverse of its type.
 */
#ifndef OUTLIVE_HEAP_VISIT_H
#define OUTLIVE_HEAP_VISIT_H

#include "heap_types.h"

/* Adds the next row's references and its other columns. */
void visit_object(PyObject *object);

#endif
