/* fork() while another thread is in the tables: the child finds them whole and no lock taken. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blocks.h"
#include "check.h"
#include "codes.h"
#include "recording.h"
#include "samples.h"

enum { FORKS = 60, BLOCKS = 400, CHILD_SECONDS = 30 };

static const Code code = {"a.py", "f", 1};
static atomic_bool ready, done;

static uintptr_t kept(uintptr_t i)
{
    return 0x7f0000000000 + i * 16;
}

static uintptr_t passing(uintptr_t i)
{
    return 0x7f0000100000 + i * 16;
}

static void put(uintptr_t address)
{
    uint64_t replaced;
    CHECK(blocks_put_nopy(address, (Block){.bytes = address & 0xffff}, &replaced), "at %#zx",
          (size_t)address);
    ThreadCounters counters = counters_now();
    RawStack stack = stack_at(&code, 0);
    samples_put_nopy(&counters, address, 4096, FROM_PYTHON, &stack, 0);
}

static void take(uintptr_t address)
{
    Block block;
    CHECK(blocks_take_nopy(address, &block) && block.bytes == (address & 0xffff), "at %#zx", (size_t)address);
    CHECK(samples_take_nopy(address), "at %#zx", (size_t)address);
}

/* Puts and takes without end, in tables that have grown: a child of a sanitized process can't allocate when
 * another thread was allocating. */
static void *update(void *unused)
{
    (void)unused;
    while (!done) {
        for (uintptr_t i = 0; i < BLOCKS; i++) {
            put(passing(i));
        }
        for (uintptr_t i = 0; i < BLOCKS; i++) {
            take(passing(i));
        }
        ready = true;
    }
    return NULL;
}

/* Uses every shard and both kinds of record; a lock that somebody holds ends it by its alarm. */
static void child(void)
{
    alarm(CHILD_SECONDS);
    SiteTotal total;
    CHECK(samples_by_stack(&total, 1) == 1 && total.samples >= BLOCKS && total.samples <= 2 * BLOCKS,
          "%llu samples", (unsigned long long)total.samples);
    for (uintptr_t i = 0; i < BLOCKS; i++) {
        take(kept(i));
    }
    for (uintptr_t i = 0; i < BLOCKS; i++) {
        put(kept(i));
        take(kept(i));
    }
    _exit(0);
}

int main(void)
{
    blocks_init(1 << 20);
    CHECK(samples_start(64, 1, RECORDING_BYTES_DEFAULT, &code_reader), "memory for the test");
    for (uintptr_t i = 0; i < BLOCKS; i++) {
        put(kept(i));
    }
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, update, NULL) == 0, "a thread for the test");
    while (!ready) {
        sched_yield();
    }
    for (int i = 0; i < FORKS; i++) {
        blocks_lock_all();
        samples_fork_prepare();
        pid_t pid = fork();
        if (pid == 0) {
            samples_fork_child();
        } else {
            samples_fork_parent();
        }
        blocks_unlock_all();
        CHECK(pid >= 0, "a process for the test");
        if (pid == 0) {
            child();
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid, "child %d", i);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child %d: status %#x", i, (unsigned)status);
    }
    done = true;
    pthread_join(thread, NULL);
    for (uintptr_t i = 0; i < BLOCKS; i++) {
        take(kept(i));
    }
    blocks_clear();
    samples_stop();
    return 0;
}
