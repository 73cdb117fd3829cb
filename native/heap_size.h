/* How large objects are, read from their headers: no method of theirs is called. */
#ifndef OUTLIVE_HEAP_SIZE_H
#define OUTLIVE_HEAP_SIZE_H

#include "heap_types.h"

/* Bytes of an object's own: as sys.getsizeof says for the built-in types and numpy's arrays, with attributes
 * that are not in a dict. For other types of C code, the part that the interpreter allocated. */
uint64_t object_bytes(PyObject *object, const TypeInfo *info);

#endif
