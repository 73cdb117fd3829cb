/* What a walk of the heap has found so far: the columns of a snapshot (src/outlive/model/heap_layout.py has
 * their rows), filled by heap_walk.c and what it calls, written by heap_file.c. In the child of one
 * fork only.
 */
#ifndef OUTLIVE_HEAP_FOUND_H
#define OUTLIVE_HEAP_FOUND_H

#include "heap_columns.h"

/* heap_layout.Rest */
enum { REST_OTHER, REST_SEQUENCE, REST_MAPPING, REST_SET, REST_STACK };

/* heap_layout.Category */
enum {
    CATEGORY_OTHER,
    CATEGORY_MODULE,
    CATEGORY_TYPE,
    CATEGORY_DICT,
    CATEGORY_LIST,
    CATEGORY_TUPLE,
    CATEGORY_SET,
    CATEGORY_STR,
    CATEGORY_BYTES,
    CATEGORY_INT,
    CATEGORY_FUNCTION,
    CATEGORY_METHOD,
    CATEGORY_BUILTIN,
    CATEGORY_CELL,
    CATEGORY_CODE,
    CATEGORY_FRAME,
    CATEGORY_GENERATOR,
    CATEGORY_COROUTINE,
    CATEGORY_ASYNC_GENERATOR,
    CATEGORY_TRACEBACK,
    CATEGORY_EXCEPTION,
    CATEGORY_TASK,
    CATEGORY_FUTURE,
    CATEGORY_CONTEXT,
    CATEGORY_CONTEXT_VARIABLE,
    CATEGORY_WEAK_REFERENCE,
    CATEGORY_THREAD,
};

/* heap_layout.TypeFlag, FrameState, RootKind */
enum { TYPE_COLLECTED = 1, TYPE_HEAP = 2 };
enum { FRAME_IS_UNKNOWN, FRAME_IS_CREATED, FRAME_IS_SUSPENDED, FRAME_IS_RUNNING, FRAME_IS_FINISHED };
enum { ROOT_INTERPRETER = 1, ROOT_THREAD, ROOT_STATIC, ROOT_STACK };

enum { IMMORTAL = UINT32_MAX, NAMES_MAX = 1 << 15 };

typedef struct {
    Column address, size, shape, refcount, first, edges;
    Column large, types, codes, frames, texts, roots, contents, sites, samples;
    Interner strings, shapes; /* a shape: type, rest, names; 32 bits each */
    Column told;              /* a bit an object: its text is among `texts` or will be */
    uint64_t objects;         /* rows of `address`; the first `walked` have their other columns */
    uint64_t walked;
} Found;

extern Found found;

/* The row of the object at an address, a new one if it has none yet. */
static inline uint32_t found_row(const void *object)
{
    uint64_t address = (uintptr_t)object;
    uint32_t row = address_row(address);
    if (row == NO_ROW) {
        row = (uint32_t)found.objects++;
        address_set(address, row);
        column_push(&found.address, &address, sizeof address);
    }
    return row;
}

/* The object of a row; NULL for what is none. */
static inline void *found_object(uint64_t row)
{
    uint64_t address;
    __builtin_memcpy(&address, found.address.bytes + row * sizeof address, sizeof address);
    return (void *)(uintptr_t)address;
}

/* A row of what is no object. */
static inline uint32_t found_nobody(void)
{
    uint64_t address = 0;
    column_push(&found.address, &address, sizeof address);
    return (uint32_t)found.objects++;
}

/* The number of a string that ends with NUL. */
uint32_t found_string(const char *string);

/* The number of the shape of objects of this type, with these names and this rest. */
uint32_t found_shape(uint32_t type, uint32_t rest, const uint32_t *names, uint32_t count);

/* The columns of the next object; call in the order of rows, after its edges were pushed. */
void found_walked(uint32_t shape, uint64_t size, uint32_t refcount);

/* An object's text. */
void found_text(uint32_t object, uint32_t string);

/* A row of `codes`. */
void found_code(uint32_t object, uint32_t name, uint32_t file, uint32_t line);

/* A row of `frames`. */
void found_frame(uint32_t object, uint32_t code, uint32_t line, uint32_t state);

/* A row of `roots`. */
void found_root(uint32_t object, uint32_t kind, uint32_t name);

/* Notes that an object's text is wanted; false if it was so already. */
bool found_wants_text(uint32_t object);

#endif
