/* Hashes of values, to find equal ones: by a key that nobody keeps, so that none can be guessed from them. */
#ifndef OUTLIVE_HEAP_VALUES_H
#define OUTLIVE_HEAP_VALUES_H

#include "pycompat.h"

/* The hash of a str, bytes, int, float, or a tuple of such; 0 for all else. Equal values of one type have one
 * hash. */
uint64_t value_hash(PyObject *object, uint64_t key);

#endif
