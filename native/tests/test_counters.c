/* Bytes in use by thread and by process, through many threads' lives. */
#include "counters.h"

#include <pthread.h>
#include <string.h>

#include "check.h"

enum { THREADS = 8, STEPS = 20000 };

static _Atomic int64_t truth;
static atomic_int exits;
static pthread_barrier_t barrier;

static void thread_exits(ThreadCounters *counters)
{
    (void)counters;
    exits++;
}

static pthread_t start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0, "a thread for the test");
    return thread;
}

static void run_all(void *(*body)(void *))
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) {
        threads[i] = start(body, (void *)(i + 1));
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void by_thread(void)
{
    ThreadCounters counters;
    memset(&counters, 0, sizeof counters);
    int64_t before = process_in_use;
    counters_add_nopy(&counters, COUNTERS_FLUSH);
    CHECK(process_in_use == before, "a thread keeps up to %d bytes to itself", COUNTERS_FLUSH);
    CHECK(counters_process_in_use(&counters) == before + COUNTERS_FLUSH, "but knows of them");
    counters_add_nopy(&counters, 1);
    CHECK(process_in_use == before + COUNTERS_FLUSH + 1, "and then passes them on");
    counters_add_nopy(&counters, -2 * COUNTERS_FLUSH);
    CHECK(process_in_use == before + 1 - COUNTERS_FLUSH, "the same for what it frees");
    CHECK(counters.in_use == 1 - COUNTERS_FLUSH && counters.high == COUNTERS_FLUSH + 1, "in use, high");
    CHECK(process_peak >= before + COUNTERS_FLUSH + 1, "%lld", (long long)process_peak);
    counters_add_nopy(&counters, COUNTERS_FLUSH - 1);
    counters_flush_nopy(&counters);
    CHECK(process_in_use == before, "nothing is left");
}

/* Allocates and frees at random, blocks of its own and of others; waits half-way to be looked at. */
static void *traffic(void *seed)
{
    uint64_t random = (uintptr_t)seed;
    int64_t sum = 0;
    for (int step = 0; step < STEPS; step++) {
        int64_t bytes = (int64_t)random_below(&random, step % 100 ? 600 : 100000) - 250;
        counters_add_nopy(&thread_counters, bytes);
        sum += bytes;
        if (step == STEPS / 2) {
            truth += sum;
            sum = 0;
            pthread_barrier_wait(&barrier); /* all stand still: look ... */
            pthread_barrier_wait(&barrier); /* ... and go on */
        }
    }
    truth += sum;
    return NULL;
}

static void by_process(void)
{
    counters_reset();
    truth = 0;
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) {
        threads[i] = start(traffic, (void *)(i + 1));
    }
    pthread_barrier_wait(&barrier);
    int64_t off = process_in_use - truth;
    CHECK(off >= -THREADS * COUNTERS_FLUSH && off <= THREADS * COUNTERS_FLUSH, "off by %lld", (long long)off);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(process_in_use == truth, "%lld for %lld", (long long)process_in_use, (long long)truth);
    CHECK(process_peak >= truth, "%lld", (long long)process_peak);
    pthread_barrier_destroy(&barrier);
}

/* Below the flush: only its exit can pass it on. */
static void *little(void *bytes)
{
    counters_add_nopy(&thread_counters, (int64_t)(uintptr_t)bytes);
    counters_add_nopy(&thread_counters, 10);
    return NULL;
}

static void at_exit_the_rest(void)
{
    counters_reset();
    exits = 0;
    run_all(little);
    CHECK(process_in_use == THREADS * (THREADS + 1) / 2 + 10 * THREADS, "%lld", (long long)process_in_use);
    CHECK(exits == THREADS, "%d", exits);
}

static pthread_key_t late_key;

static void frees_late(void *bytes)
{
    counters_add_nopy(&thread_counters, -(int64_t)(uintptr_t)bytes);
}

/* A thread-local object that another library frees after our own key's turn. */
static void *with_late_object(void *bytes)
{
    counters_add_nopy(&thread_counters, (int64_t)(uintptr_t)bytes);
    pthread_setspecific(late_key, bytes);
    return NULL;
}

static void what_exits_free_counts(void)
{
    CHECK(pthread_key_create(&late_key, frees_late) == 0, "a key for the test");
    counters_reset();
    run_all(with_late_object);
    CHECK(process_in_use == 0, "%lld bytes stayed", (long long)process_in_use);
}

static void *only_looks(void *in_use)
{
    *(int64_t *)in_use = counters_process_in_use(&thread_counters);
    return NULL;
}

static void a_thread_that_never_counted_may_look(void)
{
    counters_reset();
    counters_add_nopy(&thread_counters, 2 * COUNTERS_FLUSH);
    int64_t seen = 0;
    pthread_join(start(only_looks, &seen), NULL);
    CHECK(seen == 2 * COUNTERS_FLUSH, "%lld", (long long)seen);
}

int main(void)
{
    CHECK(counters_init(thread_exits), "a key for the counters");
    by_thread();
    by_process();
    at_exit_the_rest();
    what_exits_free_counts();
    a_thread_that_never_counted_may_look();
    return 0;
}
