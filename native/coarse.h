/* The total of what Python takes from below: pymalloc's arenas, and blocks of the RAW domain at the size
 * malloc gave them. A few instructions for each of these, none for small objects. */
#ifndef OUTLIVE_COARSE_H
#define OUTLIVE_COARSE_H

/* Begins to count into the thread's counters; RAW must be libc's malloc, MEM and OBJ pymalloc. Wraps neither
 * where another tool has wrapped it since the first start. Needs the GIL. */
void coarse_start(void);

/* Ends it. If another tool has wrapped ours since, ours stays below and only passes on. Needs the GIL. */
void coarse_stop(void);

#endif
