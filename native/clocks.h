/* The system's clocks, as one number. */
#ifndef OUTLIVE_CLOCKS_H
#define OUTLIVE_CLOCKS_H

#include <stdint.h>
#include <time.h>

/* What the clock says, in nanoseconds. */
static inline uint64_t clock_ns_nopy(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
