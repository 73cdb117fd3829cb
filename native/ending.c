#define _GNU_SOURCE
#include "ending.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recording.h"
#include "relocate.h"

/* What kills by default, but SIGKILL, which nobody can handle, and the real-time signals, which nobody sends.
 */
static const int deadly[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGTRAP,   SIGABRT,  SIGBUS,  SIGFPE,
                             SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM,   SIGTERM,  SIGXCPU, SIGXFSZ,
                             SIGPROF, SIGIO,   SIGPWR,  SIGSYS,  SIGVTALRM, SIGSTKFLT};
enum { DEADLY = sizeof deadly / sizeof *deadly };

static void (*_Atomic callback)(int, int); /* NULL: nobody is told */
static const void *core;
static _Atomic pid_t watched; /* whose end is told */

/* The callback, or NULL. A child of vfork() or of a bare system call has its parent's memory and is not to be
 * told of. */
static void (*told_nopy(void))(int, int)
{
    return getpid() == atomic_load(&watched) ? atomic_load(&callback) : NULL;
}

/* Leaves errno as it was: it is called in the midst of others' calls. */
static void tell_nopy(int state, int status)
{
    void (*ended_nopy)(int, int) = told_nopy();
    if (ended_nopy != NULL) {
        int before = errno;
        ended_nopy(state, status);
        errno = before;
    }
}

/* ---- signals ---- */

static bool is_deadly_nopy(int number)
{
    for (int i = 0; i < DEADLY; i++) {
        if (deadly[i] == number) {
            return true;
        }
    }
    return false;
}

static bool is_fault_nopy(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE;
}

/* Whether the instruction that the handler returns to raises the signal anew. Not so if a process sent it,
 * nor for the two kinds of memory error that are told some time after they happened. */
static bool comes_again_nopy(int number, const siginfo_t *info)
{
    enum { MEMORY_TAGS_LATE = 8 }; /* SEGV_MTEAERR, aarch64's */
    return is_fault_nopy(number) && info->si_code > 0 &&
           !(number == SIGBUS && info->si_code == BUS_MCEERR_AO) &&
           !(number == SIGSEGV && info->si_code == MEMORY_TAGS_LATE);
}

/* The host's handler of SIGBUS, or the default: ours stands in front of it, for others may cut the
 * recording's file. */
static struct sigaction bus_theirs;

static bool is_default_nopy(const struct sigaction *action)
{
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

/* Whether a SIGBUS is done with: it was about our file, or the host's handler took it. */
static bool bus_is_done_nopy(siginfo_t *info, void *context)
{
    if (info->si_code > 0 && recording_mend_nopy(info->si_addr)) {
        return true;
    }
    struct sigaction theirs = bus_theirs;
    if (is_default_nopy(&theirs)) {
        return false;
    }
    if (theirs.sa_flags & SA_SIGINFO) {
        theirs.sa_sigaction(SIGBUS, info, context);
    } else if (theirs.sa_handler != SIG_IGN) {
        theirs.sa_handler(SIGBUS);
    }
    return true;
}

/* Once it returns, the process dies of the signal at the very instruction that it interrupted. */
static void dies_nopy(int number, siginfo_t *info, void *context)
{
    int before = errno;
    if (number == SIGBUS && bus_is_done_nopy(info, context)) {
        errno = before;
        return;
    }
    if (getpid() == 1 && info->si_code <= 0) {
        return; /* the kernel keeps from the first process of a container what it does not handle */
    }
    tell_nopy(STATE_SIGNALLED, number);
    sigaction(number, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    if (!comes_again_nopy(number, info)) {
        /* The signal is blocked until the handler returns. Sent with all that came with it (its sender, for
         * one), a core dump is the same. */
        if (syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), number, info) != 0) {
            raise(number);
        }
    }
    errno = before;
}

static bool is_ours_nopy(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == dies_nopy;
}

/* Ours in place of the default. On the alternate stack, if the thread has one: the other may have overflown.
 */
static const struct sigaction ours = {.sa_sigaction = dies_nopy,
                                      .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

/* The first process of a container can die of faults only. */
static bool is_watched_nopy(int number)
{
    return told_nopy() != NULL && is_deadly_nopy(number) && (getpid() != 1 || is_fault_nopy(number));
}

static void watch_signals(void)
{
    for (int i = 0; i < DEADLY; i++) {
        struct sigaction there;
        if (is_watched_nopy(deadly[i]) && sigaction(deadly[i], NULL, &there) == 0 && !is_ours_nopy(&there) &&
            (deadly[i] == SIGBUS || is_default_nopy(&there))) {
            if (deadly[i] == SIGBUS) {
                bus_theirs = there;
            }
            sigaction(deadly[i], &ours, NULL);
        }
    }
}

static void unwatch_signals(void)
{
    for (int i = 0; i < DEADLY; i++) {
        struct sigaction there;
        if (sigaction(deadly[i], NULL, &there) == 0 && is_ours_nopy(&there)) {
            sigaction(deadly[i],
                      deadly[i] == SIGBUS ? &bus_theirs : &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        }
    }
}

/* ---- what the core calls ---- */

/* Python restores the default before it dies of a signal it had handled (KeyboardInterrupt), and so do
 * faulthandler and servers that shut down (SIGTERM); async-signal-safe as sigaction() is. */
static int sigaction_nopy(int number, const struct sigaction *wanted, struct sigaction *previous)
{
    const struct sigaction *theirs = wanted;
    if (wanted != NULL && (is_default_nopy(wanted) || number == SIGBUS) && is_watched_nopy(number)) {
        wanted = &ours;
    }
    struct sigaction there;
    int result = sigaction(number, wanted, &there);
    if (result == 0 && is_ours_nopy(&there)) {
        there = number == SIGBUS ? bus_theirs : (struct sigaction){.sa_handler = SIG_DFL};
    }
    if (result == 0 && previous != NULL) {
        *previous = there;
    }
    if (result == 0 && number == SIGBUS && wanted == &ours) {
        bus_theirs = *theirs;
    }
    return result;
}

_Noreturn static void exit_at_once_nopy(int status)
{
    tell_nopy(STATE_EXITED, status & 0xff); /* all that a parent gets to see */
    _exit(status);
}

static int execv_nopy(const char *path, char *const arguments[])
{
    tell_nopy(STATE_STOPPED, 0);
    int result = execv(path, arguments);
    tell_nopy(STATE_RUNNING, 0);
    return result;
}

static int execve_nopy(const char *path, char *const arguments[], char *const environment[])
{
    tell_nopy(STATE_STOPPED, 0);
    int result = execve(path, arguments, environment);
    tell_nopy(STATE_RUNNING, 0);
    return result;
}

static int fexecve_nopy(int file, char *const arguments[], char *const environment[])
{
    tell_nopy(STATE_STOPPED, 0);
    int result = fexecve(file, arguments, environment);
    tell_nopy(STATE_RUNNING, 0);
    return result;
}

static const Relocation to_ours[] = {
    {"sigaction", (void *)sigaction_nopy, (void *)sigaction},
    {"_exit", (void *)exit_at_once_nopy, (void *)_exit},
    {"_Exit", (void *)exit_at_once_nopy, (void *)_Exit},
    {"execv", (void *)execv_nopy, (void *)execv},
    {"execve", (void *)execve_nopy, (void *)execve},
    {"fexecve", (void *)fexecve_nopy, (void *)fexecve},
    {NULL, NULL, NULL},
};
static const Relocation to_theirs[] = {
    {"sigaction", (void *)sigaction, (void *)sigaction_nopy},
    {"_exit", (void *)_exit, (void *)exit_at_once_nopy},
    {"_Exit", (void *)_Exit, (void *)exit_at_once_nopy},
    {"execv", (void *)execv, (void *)execv_nopy},
    {"execve", (void *)execve, (void *)execve_nopy},
    {"fexecve", (void *)fexecve, (void *)fexecve_nopy},
    {NULL, NULL, NULL},
};

/* ---- the rest ---- */

static void exits_nopy(int status, void *unused)
{
    (void)unused;
    tell_nopy(STATE_EXITED, status & 0xff);
}

static void forked(void)
{
    bool was_first = atomic_exchange(&watched, getpid()) == 1;
    if (was_first) {
        watch_signals(); /* unlike its parent, the child dies of them */
    }
}

bool ending_watch(void (*ended_nopy)(int, int), const void *in_core)
{
    static bool registered;
    if (!registered) { /* never undone: libc has no way */
        if (pthread_atfork(NULL, NULL, forked) != 0 || on_exit(exits_nopy, NULL) != 0) {
            return false;
        }
        registered = true;
    }
    core = in_core;
    atomic_store(&watched, getpid());
    atomic_store(&callback, ended_nopy);
    relocate_core(to_ours, core);
    watch_signals();
    return true;
}

void ending_unwatch(void)
{
    atomic_store(&callback, NULL);
    relocate_core(to_theirs, core);
    unwatch_signals();
}
