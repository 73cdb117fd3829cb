/* How many counted bytes are in use: by thread, exactly; by process, within COUNTERS_FLUSH a thread.
 *
 * A thread counts what it allocates minus what it frees (its own blocks or others'), in plain
 * thread-local integers. The change is passed on to the process in portions, so that the hot path
 * needs no atomic instruction.
 */
#ifndef OUTLIVE_COUNTERS_H
#define OUTLIVE_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COUNTERS_FLUSH = 4096 };

/* A thread's first count is far from what it has flushed, which leads it into counters_flush_nopy, where
 * it is registered for its exit. */
#define COUNTERS_NEVER_FLUSHED (INT64_MIN / 2)

typedef struct {
    int64_t in_use;      /* net bytes counted in this thread since it began */
    int64_t high;        /* the most in_use was since whoever watches it last reset it */
    int64_t flushed;     /* how much of in_use the process knows */
    int64_t until;       /* bytes until the next sample (samples.h) */
    uint64_t random;     /* state of the sampler's generator */
    unsigned epoch;      /* the start of sampling (samples.h) that `until` and `random` belong to */
    uint32_t level;      /* the level (samples.h) that the gap was drawn at */
    uint32_t hit_level;  /* ... and the gap before it, which the last hit ended */
    uint32_t thread;     /* the kernel's number, once something was sampled */
    bool muted;          /* samples nothing here: one of our own threads */
    int inside;          /* > 0 while a hook runs the wrapped allocator, or the process forks */
    uintptr_t moved;     /* block that a hook is reallocating, and the ... */
    size_t moved_usable; /* ... size malloc gave it, once the raw allocator saw it; 0 before */
    void *lines;         /* this thread's stack of profiled frames (lines.c), owned by it */
} ThreadCounters;

/* initial-exec: one instruction away from the thread register, where the default model for a shared
 * library costs a call. The few bytes fit the surplus that the loader keeps for this. */
extern _Thread_local ThreadCounters thread_counters __attribute__((tls_model("initial-exec")));

/* Process-wide, for reading; written by counters_flush_nopy only. */
extern _Atomic int64_t process_in_use, process_peak;

/* Makes thread exits pass their rest on. Returns false without a free pthread key. Call once. */
int counters_init(void (*thread_exit)(ThreadCounters *));

/* Passes this thread's unflushed bytes on to the process. Allocates nothing of Python's. */
void counters_flush_nopy(ThreadCounters *counters);

/* Starts the process's counters at zero. */
void counters_reset(void);

/* Lets the process's high-water mark begin again, at what is in use now. */
void counters_restart_peak(void);

/* Adds `bytes` (negative: freed) to this thread. */
static inline void counters_add_nopy(ThreadCounters *counters, int64_t bytes)
{
    int64_t in_use = counters->in_use += bytes;
    if (in_use > counters->high) {
        counters->high = in_use;
    }
    if (__builtin_expect((uint64_t)(in_use - counters->flushed + COUNTERS_FLUSH) > 2 * COUNTERS_FLUSH, 0)) {
        counters_flush_nopy(counters);
    }
}

/* The process's bytes in use, this thread's unflushed rest included. */
static inline int64_t counters_process_in_use(const ThreadCounters *counters)
{
    int64_t in_use = atomic_load_explicit(&process_in_use, memory_order_relaxed);
    return counters->flushed == COUNTERS_NEVER_FLUSHED ? in_use
                                                       : in_use + counters->in_use - counters->flushed;
}

#endif
