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
    {"exported", (void *)ours},
    {"exported_by_address", (void *)ours_by_address},
    {"exported_nowhere", (void *)ours},
    {NULL, NULL},
};
static const Relocation to_theirs[] = {
    {"exported", (void *)exported},
    {"exported_by_address", (void *)exported_by_address},
    {NULL, NULL},
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

int main(int count, char **paths)
{
    CHECK(count == 3, "usage: %s LAZY BOUND", paths[0]);
    CHECK(getenv("LD_BIND_NOW") == NULL, "nothing would be lazy");
    char ragged[1024];
    snprintf(ragged, sizeof ragged, "%s.ragged", paths[2]);
    copy_with_ragged_end(paths[2], ragged);
    Importer importers[IMPORTERS] = {load(paths[1]), load(paths[2]), load(ragged)};
    const Relocation nothing[] = {{NULL, NULL}};
    const Relocation nowhere[] = {{"exported_nowhere", (void *)ours}, {NULL, NULL}};
    CHECK(relocate(nothing) == 0 && relocate(nowhere) == 0, "nobody imports that");
    redirects_and_restores(importers);
    redirects_and_restores(importers); /* now every slot is bound */
    return 0;
}
