/* What a type says of its instances: which of their references have names, and where they lie. Looked up once
 * for each type, in the child that walks; types neither come nor go there.
 */
#ifndef OUTLIVE_HEAP_TYPES_H
#define OUTLIVE_HEAP_TYPES_H

#include "pycompat.h"

/* How instances are walked. */
typedef enum {
    WALK_BY_TRAVERSE, /* what the type's tp_traverse visits, and its members */
    WALK_ATOM,        /* refers to nothing */
    WALK_LIST,
    WALK_TUPLE,
    WALK_DICT,
    WALK_GENERATOR,
    WALK_FRAME,
    WALK_HAMT,      /* a node of a context's mapping */
    WALK_LRU,       /* a link of an lru_cache */
    WALK_LRU_CACHE, /* which visits what its links refer to, as if it were its own */
    WALK_DUMMY,     /* what holds a thread's part of a thread-local */
} Walking;

/* What instances have blocks of their own for, besides what their category tells. */
typedef enum { OWNS_NOTHING, OWNS_BYTEARRAY, OWNS_ARRAY, OWNS_DEQUE } Owning;

typedef struct {
    int32_t offset; /* in the instance, of a reference; -1: the instance's dict; -2: its type */
    uint32_t name;
} Member;

enum { MEMBER_DICT = -1, MEMBER_TYPE = -2, SHAPES_KEPT = 4 };

typedef struct {
    PyTypeObject *type;
    uint32_t row; /* of `types` */
    uint16_t category;
    uint16_t rest;
    Walking walking;
    Owning owning;
    uint32_t member_count, key_count;
    const Member *members;
    const uint32_t *keys; /* names of the attributes that are not in a dict */
    uint32_t plain_shape; /* that of instances without named references */
    struct {
        uint64_t present; /* which of members, then keys */
        uint32_t shape;   /* 0: none yet */
    } kept[SHAPES_KEPT];
} TypeInfo;

/* The type's; NULL without memory. */
TypeInfo *type_info(PyTypeObject *type);

/* A row of `types` for what is no object of Python's. */
uint32_t types_pseudo(const char *name, uint16_t category);

/* The number of a str's text, cut after so many characters (or as at an earlier call); that of "" for what is
 * no str. */
uint32_t text_number(PyObject *str, Py_ssize_t most);

/* The same, but a number of its own: for texts that are hardly ever alike. */
uint32_t text_number_of_its_own(PyObject *str, Py_ssize_t most);

#endif
