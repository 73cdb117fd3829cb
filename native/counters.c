#include "counters.h"

#include <pthread.h>
#include <stddef.h>

_Thread_local ThreadCounters thread_counters = {.flushed = COUNTERS_NEVER_FLUSHED};
_Atomic int64_t process_in_use, process_peak;

static pthread_key_t exit_key;
static void (*on_thread_exit)(ThreadCounters *);

static void thread_exits(void *exiting)
{
    ThreadCounters *counters = exiting;
    counters_flush_nopy(counters);
    on_thread_exit(counters);
    /* Destructors of other keys may run after this one and free: as in a new thread, the next count leads
     * back here. */
    counters->in_use = counters->high = 0;
    counters->flushed = COUNTERS_NEVER_FLUSHED;
}

int counters_init(void (*thread_exit)(ThreadCounters *))
{
    on_thread_exit = thread_exit;
    return pthread_key_create(&exit_key, thread_exits) == 0;
}

void counters_flush_nopy(ThreadCounters *counters)
{
    if (counters->flushed == COUNTERS_NEVER_FLUSHED) {
        counters->flushed = 0;
        pthread_setspecific(exit_key, counters);
    }
    int64_t rest = counters->in_use - counters->flushed;
    counters->flushed = counters->in_use;
    int64_t now = atomic_fetch_add_explicit(&process_in_use, rest, memory_order_relaxed) + rest;
    int64_t peak = atomic_load_explicit(&process_peak, memory_order_relaxed);
    while (now > peak && !atomic_compare_exchange_weak_explicit(&process_peak, &peak, now,
                                                                memory_order_relaxed, memory_order_relaxed)) {
    }
}

void counters_reset(void)
{
    counters_flush_nopy(&thread_counters);
    atomic_store(&process_in_use, 0);
    atomic_store(&process_peak, 0);
}

void counters_restart_peak(void)
{
    counters_flush_nopy(&thread_counters);
    atomic_store(&process_peak, atomic_load(&process_in_use));
}
