/* All objects of the heap: those that the collector knows, and what they refer to. */
#ifndef OUTLIVE_HEAP_WALK_H
#define OUTLIVE_HEAP_WALK_H

#include "pycompat.h"

typedef struct {
    uint64_t ident; /* threading.get_ident() */
    const char *name;
} ThreadName;

/* Fills the columns of heap_found.h, and calls `progress` now and then. With `contents`, hashes of values
 * too, by this key. Only in a forked child, once. False if memory ran out. */
bool heap_walk(PyInterpreterState *interpreter, const ThreadName *names, size_t name_count, bool contents,
               uint64_t key, void (*progress)(uint64_t objects, uint64_t edges));

#endif
