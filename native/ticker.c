#define _GNU_SOURCE
#include "ticker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clocks.h"
#include "counters.h"

enum { NAP_NS = 20000 };
#define SECOND INT64_C(1000000000)
#define FORK_PATIENCE (SECOND / 10)
#define STOP_PATIENCE SECOND
#define RETURN_PATIENCE (SECOND / 10)
/* A child that ends or calls exec() at once, as most do that a service forks, leaves no file. */
#define CHILD_DELAY (SECOND / 20)

/* Under the GIL. */
static PyObject *tick; /* what is to be called; NULL: nothing */
static unsigned forks; /* under way */

static pthread_mutex_t lock =
    PTHREAD_MUTEX_INITIALIZER; /* guards what follows; nobody waits for the GIL in it */
static pthread_cond_t wake;
static bool alive, ending;
static bool outwaited; /* a fork went ahead beside the tick under way; no other waits for it */
static pid_t number;   /* of the thread, the kernel's; 0 until it runs */
static int64_t due, period;

static _Thread_local bool is_ticker;

static int64_t now(void)
{
    return (int64_t)clock_ns_nopy(CLOCK_MONOTONIC);
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ns / SECOND, ns % SECOND};
}

/* ---- the thread ---- */

/* Calls; says whether there is to be a next time. Where there is no memory for a thread's state,
 * PyGILState_Ensure() would end the process. */
static bool call(void)
{
    PyInterpreterState *main = PyInterpreterState_Main();
    PyThreadState *state = main == NULL || is_finalizing_nopy() ? NULL : PyThreadState_New(main);
    if (state == NULL) {
        return true;
    }
    PyEval_RestoreThread(state);
    PyObject *called = Py_XNewRef(tick), *said = NULL;
    bool goes_on = false;
    if (called != NULL) {
        said = PyObject_CallNoArgs(called);
        goes_on = said != NULL ? PyObject_IsTrue(said) > 0 : PyErr_ExceptionMatches(PyExc_Exception);
        PyErr_Clear();
    }
    if (!goes_on && tick == called) {
        Py_CLEAR(tick);
    }
    goes_on = tick != NULL; /* it may be another by now */
    Py_XDECREF(said);
    Py_XDECREF(called);
    PyThreadState_Clear(state);
    PyThreadState_DeleteCurrent();
    return goes_on;
}

static void *run(void *unused)
{
    (void)unused;
    is_ticker = thread_counters.muted = true;
    pthread_mutex_lock(&lock);
    number = (pid_t)syscall(SYS_gettid);
    for (bool goes_on = true; goes_on;) {
        /* Even if it is to end: else who forks faster than this gets the GIL would never be looked at. */
        if (now() >= due) {
            pthread_mutex_unlock(&lock);
            goes_on = call();
            pthread_mutex_lock(&lock);
            outwaited = false;
            due = due + period > now() ? due + period : now() + period;
        } else if (ending) {
            break;
        } else {
            struct timespec until = timespec_of(due);
            pthread_cond_timedwait(&wake, &lock, &until);
        }
    }
    alive = false;
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* Has the thread go on, or begins it. Needs the GIL. */
static void begin(void)
{
    if (tick == NULL || forks > 0) {
        return;
    }
    pthread_mutex_lock(&lock);
    ending = false;
    if (!alive) {
        sigset_t blocked, before;
        sigfillset(&blocked);
        /* What a thread raises by its own fault: blocked, it would kill without any handler's last word. */
        static const int own_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
        for (size_t i = 0; i < sizeof own_faults / sizeof *own_faults; i++) {
            sigdelset(&blocked, own_faults[i]);
        }
        pthread_attr_t detached;
        pthread_t thread;
        if (pthread_attr_init(&detached) == 0) {
            pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
            pthread_sigmask(SIG_SETMASK, &blocked, &before); /* what a thread inherits */
            number = 0;
            alive = pthread_create(&thread, &detached, run, NULL) == 0;
            pthread_sigmask(SIG_SETMASK, &before, NULL);
            pthread_attr_destroy(&detached);
        }
    }
    pthread_mutex_unlock(&lock);
}

/* Whether there is none, not even one that the kernel still counts. */
static bool is_gone(void)
{
    pthread_mutex_lock(&lock);
    bool gone = !alive && (number == 0 || syscall(SYS_tgkill, getpid(), number, 0) != 0);
    pthread_mutex_unlock(&lock);
    return gone;
}

/* Ends the thread, and waits for that so long; says whether it is gone. Needs the GIL, and gives it up. */
static bool end(int64_t patience)
{
    pthread_mutex_lock(&lock);
    ending = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    if (is_ticker) {
        return false;
    }
    bool gone = is_gone();
    if (!gone) {
        Py_BEGIN_ALLOW_THREADS
        for (int64_t last = now() + patience; !(gone = is_gone()) && now() < last;) {
            nanosleep(&(struct timespec){0, NAP_NS}, NULL);
        }
        Py_END_ALLOW_THREADS
    }
    return gone;
}

static bool init_wake(void)
{
    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic) != 0) {
        return false;
    }
    bool done = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&wake, &monotonic) == 0;
    pthread_condattr_destroy(&monotonic);
    return done;
}

/* The child of a fork has none of our threads, whoever forked it, and perhaps a lock that one held. */
static void forked(void)
{
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    init_wake();
    alive = ending = outwaited = false;
    number = 0;
}

static bool init(void)
{
    static bool done;
    done = done || (init_wake() && pthread_atfork(NULL, NULL, forked) == 0);
    return done;
}

/* ---- what Python calls ---- */

static void set_due(int64_t when)
{
    pthread_mutex_lock(&lock);
    due = when;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

PyDoc_STRVAR(
    start_doc,
    "ticker_start(tick, delay, period, /)\n--\n\n"
    "Call `tick` in the thread, after so many seconds and then again and again, until it returns what is "
    "false or raises what is no Exception; another error is dropped. It takes the last one's place.");

static PyObject *start(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    double delay = count == 3 ? PyFloat_AsDouble(args[1]) : -1;
    double every = count == 3 ? PyFloat_AsDouble(args[2]) : -1;
    if (!(delay >= 0 && delay <= 1e6 && every > 0 && every <= 1e6)) {
        return PyErr_Format(PyExc_ValueError, "ticker_start() takes what to call and two times in seconds");
    }
    if (PyInterpreterState_Get() != PyInterpreterState_Main() || !init()) {
        return PyErr_Format(PyExc_RuntimeError, "there can be no thread here");
    }
    Py_XSETREF(tick, Py_NewRef(args[0]));
    pthread_mutex_lock(&lock);
    period = (int64_t)(every * (double)SECOND);
    pthread_mutex_unlock(&lock);
    set_due(now() + (int64_t)(delay * (double)SECOND));
    begin();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(stop_doc, "ticker_stop()\n--\n\nEnd the thread; False if it is at a tick that takes long.");

static PyObject *stop(PyObject *module, PyObject *unused)
{
    Py_CLEAR(tick);
    return PyBool_FromLong(end(STOP_PATIENCE));
}

static PyObject *before_fork(PyObject *module, PyObject *unused)
{
    forks++;
    bool gone = end(outwaited ? 0 : FORK_PATIENCE);
    pthread_mutex_lock(&lock);
    outwaited = !gone && alive;
    pthread_mutex_unlock(&lock);
    Py_RETURN_NONE;
}

#if FORK_COUNTS_THREADS_LATE
/* os.fork() counts threads after the hooks. It has returned once its caller's frame is the innermost again,
 * and not that of another library's hook. */
static const void *caller;
static int64_t give_up;

static int fork_returned(void *unused)
{
    if (caller != NULL && current_frame_nopy(PyThreadState_Get()) != caller && now() < give_up &&
        Py_AddPendingCall(fork_returned, NULL) == 0) {
        return 0;
    }
    caller = NULL;
    begin();
    return 0;
}

static bool begins_later(void)
{
    struct stat threads; /* a folder each; "." and ".." */
    caller = current_frame_nopy(PyThreadState_Get());
    give_up = now() + RETURN_PATIENCE;
    /* With others it warns anyway, and not this thread but the first is the one that makes pending calls. */
    return caller != NULL && stat("/proc/self/task", &threads) == 0 && threads.st_nlink <= 3 &&
           Py_AddPendingCall(fork_returned, NULL) == 0;
}
#else
static bool begins_later(void)
{
    return false;
}
#endif

static PyObject *after_fork_in_parent(PyObject *module, PyObject *unused)
{
    forks -= forks > 0;
    if (forks == 0 && tick != NULL && (is_ticker || !begins_later())) {
        begin();
    }
    Py_RETURN_NONE;
}

static PyObject *after_fork_in_child(PyObject *module, PyObject *unused)
{
    forks = 0;
    if (is_ticker) {
        Py_CLEAR(tick); /* what a tick forks is outlive's own */
    }
    set_due(now() + CHILD_DELAY);
    begin();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(before_fork_doc, "ticker_before_fork()\n--\n\nEnd the thread for now.");
PyDoc_STRVAR(in_parent_doc, "ticker_after_fork_in_parent()\n--\n\nBring the thread back.");
PyDoc_STRVAR(in_child_doc, "ticker_after_fork_in_child()\n--\n\nBegin one, unless a tick forked.");

PyMethodDef ticker_functions[] = {
    {"ticker_start", (PyCFunction)(void (*)(void))start, METH_FASTCALL, start_doc},
    {"ticker_stop", stop, METH_NOARGS, stop_doc},
    {"ticker_before_fork", before_fork, METH_NOARGS, before_fork_doc},
    {"ticker_after_fork_in_parent", after_fork_in_parent, METH_NOARGS, in_parent_doc},
    {"ticker_after_fork_in_child", after_fork_in_child, METH_NOARGS, in_child_doc},
    {NULL, NULL, 0, NULL},
};
