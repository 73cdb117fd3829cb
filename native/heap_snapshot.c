#define _GNU_SOURCE 1
#include "pycompat_heap.h" /* before any other header */

#include "heap_snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clocks.h"
#include "heap_columns.h"
#include "heap_file.h"
#include "samples.h"

enum { NICE = 10 };

static HeapInfo info;
static int file;

static void tell(uint64_t objects, uint64_t edges)
{
    info.objects = objects;
    info.edges = edges;
    heap_file_tell(file, &info);
}

/* The first to go when memory is short, and the last to run when the processor is. */
static void stand_back(uint32_t seconds)
{
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        ssize_t ignored = write(score, "1000", 4);
        (void)ignored;
        close(score);
    }
    setpriority(PRIO_PROCESS, 0, NICE);
    setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

/* The child: no call of libc's that takes a lock, as another thread may have held it when we forked. */
static _Noreturn void be_the_child(const HeapOrder *order, PyInterpreterState *interpreter, uint64_t forked)
{
    file = order->fd;
    stand_back(order->seconds);
    uint64_t began = clock_ns_nopy(CLOCK_MONOTONIC);
    info = (HeapInfo){.pid = (uint32_t)getppid(),
                      .python = (uint32_t)Py_Version,
                      .state = HEAP_WALKING,
                      .forked_unix_ns = clock_ns_nopy(CLOCK_REALTIME),
                      .paused_ns = clock_ns_nopy(CLOCK_MONOTONIC) - forked,
                      .rss_bytes = order->rss_bytes};
    columns_start(order->limit_bytes);
    errno = ENOMEM;
    bool done = heap_walk(interpreter, order->names, order->name_count, order->contents, order->key, tell);
    info.walk_ns = clock_ns_nopy(CLOCK_MONOTONIC) - began;
    info.state = HEAP_COMPLETE;
    if (!done || !heap_file_write(file, &info)) {
        info.error = (uint32_t)(done ? errno : ENOMEM);
        info.state = HEAP_FAILED;
        heap_file_tell(file, &info);
    }
    syscall(SYS_exit_group, info.state == HEAP_COMPLETE ? 0 : 1);
    __builtin_unreachable();
}

int heap_snapshot(const HeapOrder *order, uint64_t *paused_ns)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* for the child: no handler of the host's runs there */
    uint64_t began = clock_ns_nopy(CLOCK_MONOTONIC);
    samples_fork_prepare(); /* the child's copy of the recording stays as it is now */
    /* Not fork(): that calls the host's handlers, and ends in a SIGCHLD. */
    long pid = syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        samples_clone_child();
        be_the_child(order, interpreter, began);
    }
    int error = errno;
    samples_fork_parent();
    *paused_ns = clock_ns_nopy(CLOCK_MONOTONIC) - began;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return (int)pid;
}

bool heap_is_collected(void)
{
    return gc_is_collecting(PyInterpreterState_Get());
}
