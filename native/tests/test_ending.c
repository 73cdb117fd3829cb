/* Real processes die in each way, watched and not: the parent sees the same, and the watch said so before. */
#define _GNU_SOURCE
#include "ending.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "mortal.h"
#include "recording.h"

typedef struct {
    int state, status;
} Ending;

typedef struct {
    int waited; /* as waitpid() gives it */
    int told;   /* how often; 0: `last` is empty */
    Ending last;
} Death;

static int speaking; /* the end of a pipe */
static char *self;

/* The sanitizers would handle these signals themselves. */
static const char sanitizer_options[] =
    "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:handle_abort=0";
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return sanitizer_options;
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return sanitizer_options;
}

static void tell_nopy(int state, int status)
{
    Ending ending = {state, status};
    ssize_t written = write(speaking, &ending, sizeof ending);
    (void)written;
    errno = EDOM; /* nobody is to see that */
}

static bool watch(void)
{
    return ending_watch(tell_nopy, (void *)mortal_sigaction);
}

/* Lets a child process die. */
static Death death_of(void (*die)(void), bool watched)
{
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0, "a pipe for the test");
    pid_t pid = fork();
    CHECK(pid >= 0, "a process for the test");
    if (pid == 0) {
        alarm(30);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        speaking = ends[1];
        CHECK(!watched || watch(), "watched");
        die();
        _exit(99);
    }
    close(ends[1]);
    Death death = {0};
    while (read(ends[0], &death.last, sizeof death.last) == sizeof death.last) {
        death.told++;
    }
    close(ends[0]);
    CHECK(waitpid(pid, &death.waited, 0) == pid, "child");
    return death;
}

/* ---- ways to die ---- */

static int number; /* of the signal to die of */

static void by_exit(void)
{
    exit(7);
}

static void by_exit_of_more_than_a_byte(void)
{
    exit(0x103);
}

static void by_exit_at_once(void)
{
    mortal_exit_at_once(0x104);
}

static void by_exit_at_once_too(void)
{
    mortal_exit_at_once_too(5);
}

static void by_raise(void)
{
    raise(number);
}

static void by_kill(void)
{
    kill(getpid(), number);
}

static void by_another_process(void)
{
    pid_t victim = getpid(), pid = fork();
    if (pid == 0) {
        kill(victim, number);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void by_abort(void)
{
    abort();
}

static volatile char *volatile nowhere = (volatile char *)16; /* where nothing is mapped */

static void by_null(void)
{
    *nowhere = 1;
}

static void *null_in_thread(void *unused)
{
    by_null();
    return unused;
}

static void by_null_in_a_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, null_in_thread, NULL);
    pthread_join(thread, NULL);
}

static void by_illegal_instruction(void)
{
#if defined(__x86_64__)
    __asm__ volatile("ud2");
#else
    __asm__ volatile("udf #0");
#endif
}

static void by_end_of_file(void)
{
    int file = memfd_create("empty", 0);
    *(volatile char *)mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) = 1;
}

static void by_processor_time(void)
{
    setrlimit(RLIMIT_CPU, &(struct rlimit){1, 10});
    for (volatile unsigned i = 0;; i++) {
    }
}

/* As Python does for KeyboardInterrupt. */
static void by_default_restored(void)
{
    struct sigaction previous = {0};
    CHECK(mortal_sigaction(SIGINT, &(struct sigaction){.sa_handler = SIG_IGN}, &previous) == 0, "set");
    CHECK(previous.sa_handler == SIG_DFL && previous.sa_flags == 0, "it was the default");
    CHECK(kill(getpid(), SIGINT) == 0, "ignored");
    CHECK(mortal_sigaction(SIGINT, &(struct sigaction){.sa_handler = SIG_DFL}, &previous) == 0, "restored");
    CHECK(previous.sa_handler == SIG_IGN, "it was ignored");
    CHECK(mortal_sigaction(SIGINT, NULL, &previous) == 0 && previous.sa_handler == SIG_DFL, "looks so");
    kill(getpid(), SIGINT);
}

static struct sigaction chained;

static void chain(int signal_number)
{
    mortal_sigaction(signal_number, &chained, NULL);
    raise(signal_number);
}

/* As faulthandler does. */
static void by_chained_handler(void)
{
    mortal_sigaction(SIGSEGV, &(struct sigaction){.sa_handler = chain}, &chained);
    by_null();
}

/* As another library may, without the core. */
static void by_chained_handler_elsewhere(void)
{
    sigaction(SIGSEGV, &(struct sigaction){.sa_handler = chain}, &chained);
    by_null();
}

static void by_another_watch(void)
{
    watch();
    ending_unwatch();
    watch();
    watch();
    raise(SIGTERM);
}

typedef struct {
    const char *name;
    void (*die)(void);
    int number, state, status;
} Way;

static const Way ways[] = {
    {"exit", by_exit, 0, STATE_EXITED, 7},
    {"exit of more than a byte", by_exit_of_more_than_a_byte, 0, STATE_EXITED, 3},
    {"_exit", by_exit_at_once, 0, STATE_EXITED, 4},
    {"_Exit", by_exit_at_once_too, 0, STATE_EXITED, 5},
    {"abort", by_abort, 0, STATE_SIGNALLED, SIGABRT},
    {"null", by_null, 0, STATE_SIGNALLED, SIGSEGV},
    {"null in a thread", by_null_in_a_thread, 0, STATE_SIGNALLED, SIGSEGV},
    {"illegal instruction", by_illegal_instruction, 0, STATE_SIGNALLED, SIGILL},
    {"end of file", by_end_of_file, 0, STATE_SIGNALLED, SIGBUS},
    {"processor time", by_processor_time, 0, STATE_SIGNALLED, SIGXCPU},
    {"chained handler", by_chained_handler, 0, STATE_SIGNALLED, SIGSEGV},
    {"chained handler elsewhere", by_chained_handler_elsewhere, 0, STATE_SIGNALLED, SIGSEGV},
    {"default restored", by_default_restored, 0, STATE_SIGNALLED, SIGINT},
};

static void check_way(const Way *way)
{
    number = way->number;
    Death plain = death_of(way->die, false), watched = death_of(way->die, true);
    CHECK(plain.told == 0, "%s: nobody watched", way->name);
    CHECK(watched.waited == plain.waited, "%s: wait status %#x, without us %#x", way->name,
          (unsigned)watched.waited, (unsigned)plain.waited);
    CHECK(watched.told == 1, "%s: told %d times", way->name, watched.told);
    CHECK(watched.last.state == way->state && watched.last.status == way->status, "%s: told %d, %d",
          way->name, watched.last.state, watched.last.status);
}

static void check_signals(void)
{
    int kinds = 0;
    for (int i = 1; i < 32; i++) {
        number = i;
        bool stops = i == SIGSTOP || i == SIGTSTP || i == SIGTTIN || i == SIGTTOU;
        if (stops || i == SIGKILL || !WIFSIGNALED(death_of(by_raise, false).waited)) {
            continue;
        }
        check_way(&(Way){"raise", by_raise, i, STATE_SIGNALLED, i});
        check_way(&(Way){"kill", by_kill, i, STATE_SIGNALLED, i});
        check_way(&(Way){"another process", by_another_process, i, STATE_SIGNALLED, i});
        kinds++;
    }
    CHECK(kinds >= 21, "%d signals kill by default", kinds);
}

/* ---- what stays as it is ---- */

static volatile sig_atomic_t handled;

static void handle(int signal_number)
{
    handled = signal_number;
}

static void with_handlers_before(void)
{
    ending_unwatch();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGTERM, handle);
    signal(SIGQUIT, SIG_IGN);
    watch();
    for (const int *sent = (const int[]){SIGTERM, SIGQUIT, SIGHUP, 0}; *sent != 0; sent++) {
        kill(getpid(), *sent);
    }
    mortal_exit_at_once(handled == SIGTERM ? 0 : 1);
}

static void with_handlers_after(void)
{
    signal(SIGTERM, handle);
    ending_unwatch();
    struct sigaction there;
    sigaction(SIGTERM, NULL, &there);
    CHECK(there.sa_handler == handle, "not ours any more");
    sigaction(SIGHUP, NULL, &there);
    CHECK(there.sa_handler == SIG_DFL, "ours, given back");
    raise(SIGTERM);
    raise(SIGHUP);
}

static void in_another_program(void)
{
    mortal_execv(self, (char *[]){self, "dispositions", NULL});
}

static void in_another_program_by_file(void)
{
    extern char **environ;
    mortal_fexecve(open(self, O_RDONLY | O_CLOEXEC), (char *[]){self, "dispositions", NULL}, environ);
}

static void in_no_program(void)
{
    extern char **environ;
    CHECK(mortal_execve("/nonexistent", (char *[]){self, NULL}, environ) == -1 && errno == ENOENT,
          "its errno");
    by_null();
}

/* Ends well if it began with every signal at its default. */
static void check_dispositions(void)
{
    for (int i = 1; i < 32; i++) {
        struct sigaction there;
        CHECK(sigaction(i, NULL, &there) != 0 || there.sa_handler == SIG_DFL, "signal %d", i);
    }
    _exit(6);
}

static void with_a_child_of_vfork(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        mortal_sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_DFL}, NULL); /* as subprocess does */
        mortal_exit_at_once(1);
    }
    waitpid(pid, NULL, 0);
    raise(SIGTERM);
}

static void with_a_child_of_fork(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        by_null();
    }
    int status;
    waitpid(pid, &status, 0);
    mortal_exit_at_once(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static int first_process(void *unused)
{
    CHECK(getpid() == 1 && watch(), "the first of its namespace");
    kill(1, SIGTERM);
    kill(1, SIGSEGV);
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGTERM); /* an ordinary process again */
    }
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "child: status %#x", (unsigned)status);
    by_null();
    return unused != NULL;
}

static void in_a_container(void)
{
    static _Alignas(16) char stack[1 << 18];
    ending_unwatch();
    pid_t pid = clone(first_process, stack + sizeof stack, CLONE_NEWPID | SIGCHLD, NULL);
    if (pid < 0) {
        _exit(77); /* not allowed here */
    }
    int status;
    waitpid(pid, &status, 0);
    _exit(WIFSIGNALED(status) ? WTERMSIG(status) : 1);
}

static void check_exited(const char *name, Death death, int status, int told, int state, int told_status)
{
    CHECK(WIFEXITED(death.waited) && WEXITSTATUS(death.waited) == status, "%s: status %#x", name,
          (unsigned)death.waited);
    CHECK(death.told == told, "%s: told %d times", name, death.told);
    CHECK(told == 0 || (death.last.state == state && death.last.status == told_status), "%s: told %d, %d",
          name, death.last.state, death.last.status);
}

int main(int count, char **arguments)
{
    self = arguments[0];
    if (count == 2 && strcmp(arguments[1], "dispositions") == 0) {
        check_dispositions();
    }
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        check_way(&ways[i]);
    }
    check_signals();
    Death death = death_of(by_another_watch, true);
    CHECK(WIFSIGNALED(death.waited) && death.told == 1, "watched again: told %d times", death.told);

    check_exited("handlers before", death_of(with_handlers_before, true), 0, 1, STATE_EXITED, 0);
    death = death_of(with_handlers_after, true);
    CHECK(WIFSIGNALED(death.waited) && WTERMSIG(death.waited) == SIGHUP && death.told == 0,
          "handlers after: %#x", (unsigned)death.waited);
    check_exited("exec", death_of(in_another_program, true), 6, 1, STATE_STOPPED, 0);
    check_exited("fexecve", death_of(in_another_program_by_file, true), 6, 1, STATE_STOPPED, 0);
    death = death_of(in_no_program, true);
    CHECK(WIFSIGNALED(death.waited) && death.told == 3 && death.last.status == SIGSEGV,
          "failed exec: told %d times", death.told);
    death = death_of(with_a_child_of_vfork, true);
    CHECK(WIFSIGNALED(death.waited) && death.told == 1 && death.last.status == SIGTERM,
          "vfork: told %d times", death.told);
    check_exited("fork", death_of(with_a_child_of_fork, true), SIGSEGV, 2, STATE_EXITED, SIGSEGV);
    death = death_of(in_a_container, true);
    if (WIFEXITED(death.waited) && WEXITSTATUS(death.waited) == 77) {
        printf("a PID namespace is not allowed here: not tested\n");
    } else {
        check_exited("container", death, SIGSEGV, 2, STATE_SIGNALLED, SIGSEGV);
    }
    return 0;
}
