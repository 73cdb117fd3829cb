/* Blocks that real libraries take from malloc: seen from start to stop, with the sizes that were asked for.
 */
#define _GNU_SOURCE
#include "extensions.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "counted.h"
#include "counters.h"
#include "hooks.h"
#include "lock.h"
#include "sampler.h"
#include "taker.h"

/* Else the sanitizers end a program that asks for too much. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* ---- in the sampler's place: it knows every block ---- */

enum { KNOWN_MAX = 1 << 12 };

typedef struct {
    const void *address;
    size_t bytes;
} Known;

static Lock lock;
static Known known[KNOWN_MAX];
static size_t born, died;
static _Thread_local size_t left_bytes;

static Known *find_nopy(const void *address)
{
    for (size_t i = 0; i < KNOWN_MAX; i++) {
        if (known[i].address == address) {
            return &known[i];
        }
    }
    return NULL;
}

void sampler_born_nopy(void *address, size_t bytes)
{
    lock_nopy(&lock);
    Known *place = find_nopy(address);
    place = place != NULL ? place : find_nopy(NULL);
    if (place != NULL) {
        *place = (Known){address, bytes};
    }
    born++;
    unlock_nopy(&lock);
}

void sampler_dies_nopy(void *address)
{
    lock_nopy(&lock);
    Known *place = find_nopy(address);
    if (place != NULL) {
        *place = (Known){0};
        died++;
    }
    unlock_nopy(&lock);
}

Moved sampler_leaves_nopy(void *from)
{
    lock_nopy(&lock);
    Known *place = find_nopy(from);
    left_bytes = place != NULL ? place->bytes : 0;
    if (place != NULL) {
        *place = (Known){0};
    }
    unlock_nopy(&lock);
    return (Moved){0};
}

void sampler_arrives_nopy(Moved moved, void *to, size_t bytes)
{
    (void)moved;
    sampler_born_nopy(to, bytes);
}

void sampler_stays_nopy(Moved moved, void *from)
{
    (void)moved;
    sampler_born_nopy(from, left_bytes);
}

static long bytes_at(const void *address);

/* ---- in exact mode's place: a sum ---- */

_Atomic int hooks_modes = MODE_SAMPLE;
static _Atomic size_t counted;

void counted_comes_nopy(const void *address, size_t bytes)
{
    (void)address;
    counted += bytes;
}

void counted_goes_nopy(const void *address)
{
    long bytes = bytes_at(address); /* the sampler hears of it later */
    counted -= bytes < 0 ? 0 : (size_t)bytes;
}

Leaving counted_leaves_nopy(void *from)
{
    return (Leaving){.usable = (size_t)bytes_at(from)};
}

void counted_arrives_nopy(Leaving leaving, const void *from, void *to, size_t bytes)
{
    (void)from, (void)to;
    counted += bytes - leaving.usable;
}

void counted_ends_nopy(Leaving leaving)
{
    counted -= leaving.usable;
}

void counted_stays_nopy(Leaving leaving, const void *from)
{
    (void)leaving, (void)from;
}

/* What is known of the block; -1 if nothing. */
static long bytes_at(const void *address)
{
    lock_nopy(&lock);
    const Known *place = find_nopy(address);
    long bytes = place != NULL ? (long)place->bytes : -1;
    unlock_nopy(&lock);
    return bytes;
}

static size_t alive(void)
{
    size_t count = 0;
    for (size_t i = 0; i < KNOWN_MAX; i++) {
        count += known[i].address != NULL;
    }
    return count;
}

/* ---- the libraries ---- */

static Taker load(const char *path)
{
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    CHECK(library != NULL, "%s", dlerror());
    TakerOf *taker;
    *(void **)&taker = dlsym(library, "taker");
    CHECK(taker != NULL, "%s", dlerror());
    return taker();
}

/* `counted` has the block already. */
static void check_block(const Taker *taker, void *address, long bytes, const char *by)
{
    size_t with = counted;
    CHECK(address != NULL && bytes_at(address) == bytes, "%s: %ld bytes", by, bytes_at(address));
    memset(address, 1, (size_t)bytes);
    taker->free(address);
    CHECK(bytes_at(address) == -1, "%s: freed", by);
    CHECK(with - counted == (size_t)bytes, "%s: counted until it is freed", by);
}

static void sees_every_name(const Taker *taker)
{
    check_block(taker, taker->malloc(1001), 1001, "malloc");
    check_block(taker, taker->calloc(7, 143), 1001, "calloc");
    check_block(taker, taker->realloc(NULL, 1002), 1002, "realloc of nothing");
    check_block(taker, taker->reallocarray(NULL, 3, 335), 1005, "reallocarray of nothing");
    check_block(taker, taker->aligned_alloc(64, 1024), 1024, "aligned_alloc");
    check_block(taker, taker->memalign(64, 1003), 1003, "memalign");
    check_block(taker, taker->valloc(1004), 1004, "valloc");
    check_block(taker, (*taker->variable)(1006), 1006, "a variable");
    check_block(taker, (*taker->constant)(1007), 1007, "a constant");
    void *address = NULL;
    CHECK(taker->posix_memalign(&address, 64, 1008) == 0, "posix_memalign");
    check_block(taker, address, 1008, "posix_memalign");
    taker->free(NULL);
}

static void follows_realloc(const Taker *taker)
{
    size_t without = counted;
    void *address = taker->malloc(100);
    void *moved = taker->realloc(address, 200000);
    CHECK(counted - without == 200000, "grown, and counted as that");
    CHECK(bytes_at(moved) == 200000 && (moved == address || bytes_at(address) == -1), "grown");
    address = taker->reallocarray(moved, 10, 15);
    CHECK(bytes_at(address) == 150, "shrunk");
    /* More than there can be, read at run time so that the compiler does not warn. */
    volatile size_t too_much = PTRDIFF_MAX, half = SIZE_MAX / 2;
    CHECK(taker->realloc(address, too_much) == NULL && bytes_at(address) == 150, "no memory: it stays");
    CHECK(taker->reallocarray(address, half, 4) == NULL && bytes_at(address) == 150, "an overflow: it stays");
    CHECK(taker->malloc(too_much) == NULL && taker->calloc(half, 4) == NULL, "no memory");
    size_t before = alive();
    void *nothing = taker->realloc(address, 0); /* NULL to glibc; another malloc may give a block */
    CHECK(alive() == before - (nothing == NULL), "freed");
    taker->free(nothing);
    CHECK(alive() == before - 1, "freed");
    CHECK(counted == without, "nothing is left");
}

static void leaves_the_strange_alone(const Taker *taker)
{
    void *theirs = malloc(10), *ours = taker->malloc(10);
    taker->free(theirs); /* made where nobody looked */
    free(ours);          /* and the reverse: the sampler learns of it when the address is used again */
    CHECK(alive() == 1, "%zu blocks", alive());
    sampler_dies_nopy(ours);
    void *text = strdup("made by libc");
    taker->free(text);
    size_t before = born;
    thread_counters.inside = 1;
    void *nested = taker->malloc(10);
    CHECK(born == before, "the block of the hook that called");
    nested = taker->realloc(nested, 20000);
    taker->free(nested);
    thread_counters.inside = 0;
    CHECK(born == before && alive() == 0, "the hook's affair");
}

static void tells_what_it_knew(const Taker *taker)
{
    void *first = taker->malloc(10), *second = taker->malloc(10);
    CHECK(!extensions_knew_nopy(first) && extensions_knew_nopy(second), "the newest only");
    CHECK(!extensions_knew_nopy(second) && !extensions_knew_nopy(NULL), "and once");
    second = taker->realloc(second, 10000);
    CHECK(extensions_knew_nopy(second), "the newest");
    taker->free(first);
    taker->free(second);
}

static void keeps_quiet(const Taker *taker, const char *when)
{
    size_t before = born;
    void *address = taker->realloc(taker->malloc(10), 10000);
    taker->free(address);
    taker->free((*taker->variable)(10));
    CHECK(born == before && alive() == 0, "%s", when);
    CHECK(*taker->variable == malloc && *taker->constant == malloc, "%s: theirs", when);
}

static void *another(size_t bytes)
{
    return malloc(bytes);
}

static void leaves_another_tools_alone(const Taker *taker, const void *core)
{
    *taker->variable = another; /* before ... */
    extensions_start(core);
    CHECK(*taker->variable == another, "not malloc: not ours to change");
    extensions_stop();
    *taker->variable = malloc;
    extensions_start(core);
    CHECK(*taker->variable != malloc, "ours");
    *taker->variable = another; /* ... and after */
    extensions_stop();
    CHECK(*taker->variable == another, "not ours: not ours to give back");
    *taker->variable = malloc;
}

static void adopts(const char *path, const void *core)
{
    extensions_start(core);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL, "%s", dlerror());
    TakerOf *taker;
    *(void **)&taker = dlsym(library, "taker");
    size_t before = born;
    void *early = taker().malloc(10);
    CHECK(born == before, "nobody looked yet");
    CHECK(extensions_adopt() == 11, "nine slots, two variables");
    CHECK(extensions_adopt() == 0 && extensions_adopt() == 0, "no more");
    Taker adopted = taker();
    adopted.free(early);
    sees_every_name(&adopted);
    dlclose(library);
    CHECK(extensions_adopt() == 0, "gone");
    extensions_stop();
    CHECK(extensions_adopt() == 0, "stopped");
}

/* ---- under load ---- */

enum { THREADS = 4, ROUNDS = 200 };

static atomic_bool done;

static void *churn(void *argument)
{
    const Taker *taker = argument;
    while (!done) {
        for (size_t i = 1; i < 300; i += 7) {
            char *address = taker->malloc(i);
            address[i - 1] = (char)i;
            address = taker->realloc(address, i * 3);
            CHECK(address[i - 1] == (char)i, "its bytes");
            taker->free(address);
        }
    }
    return NULL;
}

static void *load_and_unload(void *path)
{
    while (!done) {
        void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
        CHECK(library != NULL, "%s", dlerror());
        TakerOf *taker;
        *(void **)&taker = dlsym(library, "taker");
        Taker loaded = taker();
        loaded.free(loaded.malloc(10));
        dlclose(library);
    }
    return NULL;
}

static void child(const Taker *taker)
{
    alarm(30);
    size_t before = born;
    taker->free(taker->malloc(10));
    CHECK(born == before + 1, "seen in a child too");
    _exit(0);
}

static void stands_load(Taker *takers, char *path, const void *core)
{
    pthread_t threads[THREADS + 1];
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, churn, &takers[i % 2]) == 0, "a thread for the test");
    }
    CHECK(pthread_create(&threads[THREADS], NULL, load_and_unload, path) == 0, "a thread for the test");
    for (int i = 0; i < ROUNDS; i++) {
        extensions_start(core);
        extensions_adopt();
        if (i % 20 == 0) {
            lock_nopy(&lock);
            pid_t pid = fork();
            unlock_nopy(&lock);
            if (pid == 0) {
                child(&takers[0]);
            }
            int status;
            CHECK(waitpid(pid, &status, 0) == pid && status == 0, "child: status %#x", (unsigned)status);
        }
        extensions_stop();
    }
    done = true;
    for (int i = 0; i <= THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(died > 0, "some were seen");
}

int main(int count, char **paths)
{
    CHECK(count == 4, "usage: %s LAZY BOUND CORE", paths[0]);
    Taker takers[2] = {load(paths[1]), load(paths[2])}, cores = load(paths[3]);
    const void *core = (const void *)cores.variable;
    CHECK(extensions_adopt() == 0, "not before it began");
    for (int round = 0; round < 2; round++) { /* at first nothing has been called yet */
        CHECK(extensions_start(core) >= 22, "the libraries' slots and variables");
        for (int i = 0; i < 2; i++) {
            sees_every_name(&takers[i]);
            follows_realloc(&takers[i]);
            leaves_the_strange_alone(&takers[i]);
            tells_what_it_knew(&takers[i]);
        }
        keeps_quiet(&cores, "the core");
        void *late = takers[0].malloc(10);
        extensions_stop();
        takers[0].free(late); /* nobody looks */
        CHECK(bytes_at(late) == 10, "as it was");
        sampler_dies_nopy(late);
        keeps_quiet(&takers[0], "stopped");
        keeps_quiet(&takers[1], "stopped");
        leaves_another_tools_alone(&takers[round], core);
    }
    char copy[1024];
    snprintf(copy, sizeof copy, "cp %s %s.copy", paths[2], paths[2]);
    CHECK(system(copy) == 0, "a copy for the test");
    snprintf(copy, sizeof copy, "%s.copy", paths[2]);
    adopts(copy, core);
    stands_load(takers, copy, core);
    return 0;
}
