/* Import slots of real libraries, redirected and given back. */
#define _GNU_SOURCE
#include "relocate.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "exporter.h"

enum { IMPORTERS = 3 };

typedef struct {
    const char *path;
    int (*call)(void);
    int (*call_too)(void);
    int (*(*address)(void))(void);
    int (**variable)(void); /* holds exported at first */
    void (*write_beside)(void);
} Importer;

static int ours(void)
{
    return 100;
}

static int ours_by_address(void)
{
    return 300;
}

static const Relocation to_ours[] = {
    {"exported", (void *)ours, NULL},
    {"exported_by_address", (void *)ours_by_address, NULL},
    {"exported_nowhere", (void *)ours, NULL},
    {NULL, NULL, NULL},
};
static const Relocation to_theirs[] = {
    {"exported", (void *)exported, NULL},
    {"exported_by_address", (void *)exported_by_address, NULL},
    {NULL, NULL, NULL},
};

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    CHECK(found != NULL, "%s", dlerror());
    return found;
}

static Importer load(const char *path)
{
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    CHECK(library != NULL, "%s", dlerror());
    Importer importer = {.path = path};
    *(void **)&importer.call = symbol(library, "call");
    *(void **)&importer.call_too = symbol(library, "call_too");
    *(void **)&importer.address = symbol(library, "address");
    importer.variable = symbol(library, "variable");
    *(void **)&importer.write_beside = symbol(library, "write_beside");
    return importer;
}

/* The lines of the process's memory map that are of one file. */
static void read_protections(const char *path, char *text, size_t capacity)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL, "/proc/self/maps");
    char line[1024];
    size_t used = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        const char *found = strstr(line, path);
        if (found != NULL && found[strlen(path)] == '\n') {
            CHECK(used + strlen(line) < capacity, "room for %s", path);
            used += (size_t)snprintf(text + used, capacity - used, "%s", line);
        }
    }
    fclose(maps);
    CHECK(used > 0, "%s is mapped", path);
}

/* A copy whose read-only part ends within a page, as where the kernel's pages are larger than the linker's:
 * the loader leaves that page writable, for there may be variables on it too. */
static void copy_with_ragged_end(const char *from, const char *to)
{
    static _Alignas(ElfW(Ehdr)) char bytes[16 << 20];
    FILE *file = fopen(from, "rb");
    CHECK(file != NULL, "%s", from);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    CHECK(size < sizeof bytes, "%s is too large", from);
    fclose(file);

    const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)bytes;
    ElfW(Phdr) *headers = (ElfW(Phdr) *)(bytes + elf->e_phoff);
    int found = 0;
    for (int i = 0; i < elf->e_phnum; i++) {
        if (headers[i].p_type == PT_GNU_RELRO) {
            headers[i].p_memsz -= sizeof(void *);
            found++;
        }
    }
    CHECK(found == 1, "%s is linked with relro", from);
    file = fopen(to, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, "%s", to);
}

static void check_theirs(const Importer *importer)
{
    CHECK(importer->call() == 1, "%s", importer->path);
    CHECK(importer->address() == exported_by_address, "%s", importer->path);
    CHECK(*importer->variable == exported, "%s", importer->path);
}

static void redirects_and_restores(const Importer *importers)
{
    char before[IMPORTERS][4096], after[4096];
    for (int i = 0; i < IMPORTERS; i++) {
        read_protections(importers[i].path, before[i], sizeof before[i]);
    }
    /* Lazily bound slots were never used yet: they still lead into the loader. */
    CHECK(relocate(to_ours) == 2 * IMPORTERS, "a slot of each kind in each library");
    CHECK(relocate(to_ours) == 0, "nothing left to do");
    for (int i = 0; i < IMPORTERS; i++) {
        const Importer *importer = &importers[i];
        CHECK(importer->call() == 100, "%s", importer->path);
        CHECK(importer->address() == ours_by_address && importer->address()() == 300, "%s", importer->path);
        CHECK(importer->call_too() == 2, "%s: not on the list; its slot is bound only now", importer->path);
        importer->write_beside();
        read_protections(importer->path, after, sizeof after);
        CHECK(strcmp(before[i], after) == 0, "protections were\n%sand are\n%s", before[i], after);
    }
    CHECK(exported() == 1 && exported_by_address() == 3, "our own imports are not ours to change");

    CHECK(relocate(to_theirs) == 2 * IMPORTERS, "the same slots");
    for (int i = 0; i < IMPORTERS; i++) {
        check_theirs(&importers[i]);
        importers[i].write_beside();
    }
    CHECK(relocate(to_theirs) == 0, "nothing left to do");
}

static int others(void)
{
    return 400;
}

/* Only what holds `instead_of`, variables too; and what another tool has put there since stays. */
static void changes_only_what_it_knows(const Importer *importers)
{
    const Relocation ours_for_theirs[] = {{"exported", (void *)ours, (void *)exported}, {NULL, NULL, NULL}};
    const Relocation theirs_for_ours[] = {{"exported", (void *)exported, (void *)ours}, {NULL, NULL, NULL}};
    const Relocation others_for_ours[] = {{"exported", (void *)others, (void *)ours}, {NULL, NULL, NULL}};
    int (*own)(void) = others;
    *importers[1].variable = own;
    CHECK(relocate(ours_for_theirs) == 2 * IMPORTERS - 1, "slots and variables");
    CHECK(*importers[0].variable == ours && *importers[1].variable == own, "one has its own");
    CHECK(relocate_core(others_for_ours, importers[2].write_beside) == 2,
          "another tool takes the last importer's");
    CHECK(relocate(theirs_for_ours) == 2 * IMPORTERS - 3, "the others'");
    CHECK(*importers[2].variable == others && importers[2].call() == 400, "stays the other tool's");
    const Relocation theirs_for_others[] = {{"exported", (void *)exported, (void *)others},
                                            {NULL, NULL, NULL}};
    CHECK(relocate(theirs_for_others) == 3, "all as it was");
    for (int i = 0; i < IMPORTERS; i++) {
        check_theirs(&importers[i]);
    }
}

static void tells_core_and_extensions_apart(const Importer *importers)
{
    const void *core = (const void *)importers[1].write_beside;
    CHECK(relocate_core(to_ours, core) == 2, "one library");
    CHECK(importers[1].call() == 100, "this one");
    CHECK(relocate_extensions(to_theirs, core) == 0, "the others are theirs still");
    CHECK(relocate_core(to_theirs, core) == 2, "given back");
    CHECK(relocate_extensions(to_ours, core) == 2 * (IMPORTERS - 1), "all others");
    check_theirs(&importers[1]);
    CHECK(relocate(to_theirs) == 2 * (IMPORTERS - 1), "given back");
}

static int mallocs;

static void *counting_malloc(size_t bytes)
{
    mallocs++;
    return malloc(bytes);
}

static void leaves_libc_alone(void)
{
    const Relocation ours_for_theirs[] = {{"malloc", (void *)counting_malloc, NULL}, {NULL, NULL, NULL}};
    const Relocation theirs_for_ours[] = {{"malloc", (void *)malloc, (void *)counting_malloc},
                                          {NULL, NULL, NULL}};
    relocate_extensions(ours_for_theirs, NULL);
    FILE *file = fopen("/dev/null", "r");
    CHECK(file != NULL && mallocs == 0, "libc's own calls: %d", mallocs);
    fclose(file);
    relocate_extensions(theirs_for_ours, NULL);
}

static void tells_when_objects_come_and_go(const char *path)
{
    uint64_t generations[3] = {relocate_generation()};
    void *library = dlopen(path, RTLD_LAZY);
    CHECK(library != NULL, "%s", dlerror());
    generations[1] = relocate_generation();
    dlclose(library);
    generations[2] = relocate_generation();
    CHECK(generations[0] != generations[1] && generations[1] != generations[2], "%llu, %llu, %llu",
          (unsigned long long)generations[0], (unsigned long long)generations[1],
          (unsigned long long)generations[2]);
    CHECK(relocate_generation() == generations[2], "nothing happened");
}

int main(int count, char **paths)
{
    CHECK(count == 3, "usage: %s LAZY BOUND", paths[0]);
    CHECK(getenv("LD_BIND_NOW") == NULL, "nothing would be lazy");
    char ragged[1024];
    snprintf(ragged, sizeof ragged, "%s.ragged", paths[2]);
    copy_with_ragged_end(paths[2], ragged);
    tells_when_objects_come_and_go(ragged);
    Importer importers[IMPORTERS] = {load(paths[1]), load(paths[2]), load(ragged)};
    const Relocation nothing[] = {{NULL, NULL, NULL}};
    const Relocation nowhere[] = {{"exported_nowhere", (void *)ours, NULL}, {NULL, NULL, NULL}};
    CHECK(relocate(nothing) == 0 && relocate(nowhere) == 0, "nobody imports that");
    redirects_and_restores(importers);
    redirects_and_restores(importers); /* now every slot is bound */
    changes_only_what_it_knows(importers);
    tells_core_and_extensions_apart(importers);
    leaves_libc_alone();
    return 0;
}
