/* What the allocators below Python say of themselves, and giving back what malloc keeps. */
#ifndef OUTLIVE_HEAP_FIGURES_H
#define OUTLIVE_HEAP_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

/* glibc's malloc over all its arenas, in bytes. Blocks with a mapping of their own are in `mapped` only. */
typedef struct {
    size_t heaps;  /* taken from the system for heaps: in_use + free */
    size_t in_use; /* with each block's header, and what threads keep for themselves (tcache) */
    size_t free;
    size_t mapped;
} MallocFigures;

/* Remembers the allocators as they are, to ask them behind the back of hooks that come later. Needs the GIL;
 * call it once, before our own hooks. */
void heap_figures_init(void);

/* The name that CPython gave the allocators when heap_figures_init() ran ("pymalloc", "malloc_debug", ...);
 * "" if it knew none: they were wrapped already. Static. */
const char *allocators_name(void);

/* pymalloc's report on itself: a text from malloc for the caller to free, empty where pymalloc does not run
 * or is hidden under another tool; NULL when out of memory. Needs the GIL, for a time in proportion to the
 * pools. */
char *pymalloc_report(void);

/* False if malloc is not glibc's, or too old to be asked. Takes the lock of each arena in turn; needs no GIL
 * and should not hold it: the time is in proportion to the free chunks. */
bool malloc_figures(MallocFigures *figures);

/* Gives the system every whole page that malloc has free (malloc_trim). False where it can't. As for locks
 * and time: like malloc_figures(). */
bool malloc_give_back(void);

#endif
