/* A snapshot of the heap by a forked child: the process stands still while it forks, and goes on. */
#ifndef OUTLIVE_HEAP_SNAPSHOT_H
#define OUTLIVE_HEAP_SNAPSHOT_H

#include "heap_walk.h"

typedef struct {
    int fd;               /* of the file, from its beginning; nothing else writes to it meanwhile */
    uint64_t limit_bytes; /* of memory for the child's tables */
    uint64_t rss_bytes;   /* as it is now, to be told */
    uint32_t seconds;     /* of processor time for the child */
    bool contents;
    uint64_t key; /* a random one */
    const ThreadName *names;
    size_t name_count;
} HeapOrder;

/* Begins one, and returns the child's pid, or -1 with errno. The child has no exit signal: only waitpid with
 * __WALL sees it, so no handler or loop of the host's does. It writes its state into the file's header, and
 * its status is 0 if the file is complete. `paused_ns`: how long the process stood still. Needs the GIL,
 * which is held all the time. */
int heap_snapshot(const HeapOrder *order, uint64_t *paused_ns);

/* Whether a garbage collection is under way: then the collector's lists are incomplete. Needs the GIL. */
bool heap_is_collected(void);

#endif
