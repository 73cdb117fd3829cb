#include "counters.h"

#include <pthread.h>
#include <stddef.h>

/* A thread's first count is far from what it has flushed, which leads it into counters_flush_nopy, where
 * it is registered for its exit. */
#define NEVER_FLUSHED INT64_MIN / 2

_Thread_local ThreadCounters thread_counters = {.flushed = NEVER_FLUSHED};
_Atomic int64_t process_in_use, process_peak;

static pthread_key_t exit_key;
static void (*on_thread_exit)(ThreadCounters *);

static void thread_exits(void *counters)
{
    counters_flush_nopy(counters);
    on_thread_exit(counters);
}

int counters_init(void (*thread_exit)(ThreadCounters *))
{
    on_thread_exit = thread_exit;
    return pthread_key_create(&exit_key, thread_exits) == 0;
}

void counters_flush_nopy(ThreadCounters *counters)
{
    if (counters->flushed == NEVER_FLUSHED) {
        counters->flushed = 0;
        pthread_setspecific(exit_key, counters);
    }
    int64_t rest = counters->in_use - counters->flushed;
    counters->flushed = counters->in_use;
    int64_t now = atomic_fetch_add_explicit(&process_in_use, rest, memory_order_relaxed) + rest;
    int64_t peak = atomic_load_explicit(&process_peak, memory_order_relaxed);
    while (now > peak && !atomic_compare_exchange_weak_explicit(&process_peak, &peak, now, memory_order_relaxed,
                                                                 memory_order_relaxed)) {
    }
}

void counters_reset(void)
{
    counters_flush_nopy(&thread_counters);
    atomic_store(&process_in_use, 0);
    atomic_store(&process_peak, 0);
}
