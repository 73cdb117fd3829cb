/* A spin lock for the few instructions a table update takes.
 *
 * Why not a mutex: the hooks run inside the allocator, in threads that may hold the GIL or not, and
 * must never sleep on a lock whose owner waits for the GIL. No holder of this lock calls Python,
 * the allocator hooks, or anything that waits for another thread. Mostly a holder makes a handful of
 * stores; growing a table or reading all samples takes milliseconds at the largest sizes.
 *
 * As a holder may take memory, and another tool's hook on malloc or mmap may take some in turn, our hooks
 * look away in a thread that holds one.
 */
#ifndef OUTLIVE_LOCK_H
#define OUTLIVE_LOCK_H

#include <sched.h>
#include <stdatomic.h>

#include "counters.h"

typedef struct {
    atomic_flag taken;
} Lock;

/* Waits until the lock is the caller's. Not recursive. */
static inline void lock_nopy(Lock *lock)
{
    thread_counters.inside++;
    int spins = 0;
    while (atomic_flag_test_and_set_explicit(&lock->taken, memory_order_acquire)) {
        if (++spins > 64) {
            sched_yield();
        }
    }
}

/* Gives the lock back; only its holder may call this. */
static inline void unlock_nopy(Lock *lock)
{
    atomic_flag_clear_explicit(&lock->taken, memory_order_release);
    thread_counters.inside--;
}

#endif
