/* A library that takes memory from malloc, as extension modules do: by each name, and by a variable. */
#ifndef OUTLIVE_TESTS_TAKER_H
#define OUTLIVE_TESTS_TAKER_H

#include <stddef.h>

typedef struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*reallocarray)(void *, size_t, size_t);
    void (*free)(void *);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(**variable)(size_t); /* libxml2 keeps one: xmlMalloc */
    void *(**constant)(size_t); /* the same, made read-only by the loader */
} Taker;

/* What the library exports as `taker`. The functions call what is in their names through import slots. */
typedef Taker TakerOf(void);

#endif
