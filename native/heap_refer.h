/* References of the next row, as they are found. */
#ifndef OUTLIVE_HEAP_REFER_H
#define OUTLIVE_HEAP_REFER_H

#include "heap_found.h"
#include "pycompat_heap.h"

static inline void refer(PyObject *to)
{
    if (to != NULL) {
        column_push32(&found.edges, found_row(to));
    }
}

/* Those that have names. */
typedef struct {
    uint32_t names[NAMES_MAX];
    uint32_t count;
} Named;

static inline void refer_named(Named *named, PyObject *to, uint32_t name)
{
    if (to != NULL && named->count < NAMES_MAX) {
        refer(to);
        named->names[named->count++] = name;
    }
}

/* An object's reference count, as a snapshot has it. */
static inline uint32_t object_refcount(PyObject *object)
{
    Py_ssize_t count = Py_REFCNT(object);
    return is_immortal(object) || count >= (Py_ssize_t)IMMORTAL ? IMMORTAL : (uint32_t)count;
}

#endif
