#define _GNU_SOURCE
#include "relocate.h"

#include <inttypes.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { SLOT_FUNCTION = R_X86_64_JUMP_SLOT, SLOT_DATA = R_X86_64_GLOB_DAT, VARIABLE = R_X86_64_64 };
#elif defined(__aarch64__)
enum { SLOT_FUNCTION = R_AARCH64_JUMP_SLOT, SLOT_DATA = R_AARCH64_GLOB_DAT, VARIABLE = R_AARCH64_ABS64 };
#else
#error "outlive's native core knows the relocations of x86-64 and aarch64 only"
#endif

typedef struct {
    uintptr_t start, end;
} Range;

typedef struct {
    const Relocation *relocations;
    enum { ALL, CORE, EXTENSIONS } objects;
    const void *core;
    int visited, changed;
    Range *read_only; /* filled when first needed */
    size_t read_only_count;
} Work;

/* The dynamic section's tables that matter here. */
typedef struct {
    const ElfW(Sym) * symbols;
    const char *names;
    const ElfW(Rela) * tables[2]; /* DT_JMPREL, DT_RELA */
    size_t bytes[2];
} Dynamic;

/* The loader has made these addresses absolute on glibc; musl leaves them relative to the object. */
static const void *address_in(const struct dl_phdr_info *object, uintptr_t value)
{
    return (const void *)(value < object->dlpi_addr ? value + object->dlpi_addr : value);
}

static bool read_dynamic(const struct dl_phdr_info *object, Dynamic *dynamic)
{
    memset(dynamic, 0, sizeof *dynamic);
    const ElfW(Dyn) *entry = NULL;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type == PT_DYNAMIC) {
            entry = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
        }
    }
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        const void *table = address_in(object, entry->d_un.d_ptr);
        switch (entry->d_tag) {
        case DT_SYMTAB: dynamic->symbols = table; break;
        case DT_STRTAB: dynamic->names = table; break;
        case DT_JMPREL: dynamic->tables[0] = table; break;
        case DT_RELA: dynamic->tables[1] = table; break;
        case DT_PLTRELSZ: dynamic->bytes[0] = entry->d_un.d_val; break;
        case DT_RELASZ: dynamic->bytes[1] = entry->d_un.d_val; break;
        default: break;
        }
    }
    return dynamic->symbols != NULL && dynamic->names != NULL;
}

/* Whether the loader makes `page` read-only once it has bound the object (PT_GNU_RELRO). It rounds both ends
 * down: where pages are larger than the linker thought, variables share the last one, and it stays writable.
 * */
static bool becomes_read_only(const struct dl_phdr_info *object, uintptr_t page, uintptr_t page_bytes)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + header->p_vaddr, end = start + header->p_memsz;
        if (header->p_type == PT_GNU_RELRO && page >= (start & ~(page_bytes - 1)) &&
            page < (end & ~(page_bytes - 1))) {
            return true;
        }
    }
    return false;
}

/* Lists the process's read-only memory. What can't be had is not listed. */
static void list_read_only(Work *work)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool at_start = true; /* of a line: the path in it may be longer than ours */
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        Range range;
        char access[5];
        if (at_start &&
            sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &range.start, &range.end, access) == 3 &&
            access[0] == 'r' && access[1] == '-') {
            Range *more = realloc(work->read_only, (work->read_only_count + 1) * sizeof *more);
            if (more == NULL) {
                break;
            }
            work->read_only = more;
            more[work->read_only_count++] = range;
        }
        at_start = strchr(line, '\n') != NULL;
    }
    if (maps != NULL) {
        fclose(maps);
    }
}

/* Whether `page` is read-only already, so that the loader is done with it. As long as dl_iterate_phdr runs
 * nothing is unmapped: what was listed stays true. */
static bool is_read_only(Work *work, uintptr_t page)
{
    if (work->read_only == NULL) {
        list_read_only(work);
    }
    for (size_t i = 0; i < work->read_only_count; i++) {
        if (page >= work->read_only[i].start && page < work->read_only[i].end) {
            return true;
        }
    }
    return false;
}

/* Another thread may be loading the object just now: dl_iterate_phdr shows it before it is bound. To protect
 * a page that the loader still writes to would end the process. */
static bool write_slot(Work *work, const struct dl_phdr_info *object, _Atomic(void *) *slot, void *target)
{
    uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t page = (uintptr_t)slot & ~(page_bytes - 1);
    bool protected = becomes_read_only(object, page, page_bytes);
    if (protected &&
        (!is_read_only(work, page) || mprotect((void *)page, page_bytes, PROT_READ | PROT_WRITE) != 0)) {
        return false;
    }
    atomic_store(slot, target);
    if (protected) {
        mprotect((void *)page, page_bytes, PROT_READ);
    }
    return true;
}

/* Whether an address lies in what is mapped of the object's file. */
static bool holds(const struct dl_phdr_info *object, const void *address)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && (uintptr_t)address - start < header->p_memsz) {
            return true;
        }
    }
    return false;
}

/* Whether the listed change is for a place of this relocation type that holds `value`. A slot that is not
 * bound yet leads into its own object. One that is neither may be of an object which another thread is just
 * loading: the loader will add to it or write over it. */
static bool applies(const Relocation *listed, const struct dl_phdr_info *object, unsigned type, void *value)
{
    if (value == listed->target) {
        return false;
    }
    if (listed->instead_of == NULL) {
        return type != VARIABLE;
    }
    return value == listed->instead_of || (type == SLOT_FUNCTION && holds(object, value));
}

static void relocate_object(const struct dl_phdr_info *object, const Dynamic *dynamic, Work *work)
{
    for (int t = 0; t < 2; t++) {
        size_t count = dynamic->tables[t] != NULL ? dynamic->bytes[t] / sizeof(ElfW(Rela)) : 0;
        for (size_t i = 0; i < count; i++) {
            const ElfW(Rela) *rela = &dynamic->tables[t][i];
            unsigned type = (unsigned)ELF64_R_TYPE(rela->r_info);
            uintptr_t place = object->dlpi_addr + rela->r_offset;
            bool is_variable = type == VARIABLE && rela->r_addend == 0 && place % sizeof(void *) == 0;
            if (type != SLOT_FUNCTION && type != SLOT_DATA && !is_variable) {
                continue;
            }
            const char *name = dynamic->names + dynamic->symbols[ELF64_R_SYM(rela->r_info)].st_name;
            for (const Relocation *r = work->relocations; r->symbol != NULL; r++) {
                _Atomic(void *) *slot = (_Atomic(void *) *)place;
                if (strcmp(name, r->symbol) == 0 && applies(r, object, type, atomic_load(slot))) {
                    work->changed += write_slot(work, object, slot, r->target);
                }
            }
        }
    }
}

/* `first`: it is the executable, which the loader lists first. */
static bool is_wanted(const Work *work, const struct dl_phdr_info *object, bool first)
{
    if (holds(object, (const void *)&is_wanted)) {
        return false;
    }
    bool core = first || (work->core != NULL && holds(object, work->core));
    switch (work->objects) {
    case CORE: return core;
    case EXTENSIONS:
        return !core && object->dlpi_addr != getauxval(AT_BASE) && !holds(object, (const void *)sysconf) &&
               !holds(object, (const void *)malloc);
    default: return true;
    }
}

static int visit(struct dl_phdr_info *object, size_t size, void *argument)
{
    (void)size;
    Work *work = argument;
    Dynamic dynamic;
    if (is_wanted(work, object, work->visited++ == 0) && read_dynamic(object, &dynamic)) {
        relocate_object(object, &dynamic, work);
    }
    return 0;
}

static int run(Work work)
{
    dl_iterate_phdr(visit, &work);
    free(work.read_only);
    return work.changed;
}

int relocate(const Relocation *relocations)
{
    return run((Work){.relocations = relocations, .objects = ALL});
}

int relocate_core(const Relocation *relocations, const void *core)
{
    return run((Work){.relocations = relocations, .objects = CORE, .core = core});
}

int relocate_extensions(const Relocation *relocations, const void *core)
{
    return run((Work){.relocations = relocations, .objects = EXTENSIONS, .core = core});
}

typedef struct {
    const char *symbol;
    void *target;
} Bound;

static int read_bound(struct dl_phdr_info *executable, size_t size, void *argument)
{
    (void)size;
    Bound *bound = argument;
    Dynamic dynamic;
    size_t count = read_dynamic(executable, &dynamic) ? dynamic.bytes[0] / sizeof(ElfW(Rela)) : 0;
    for (size_t i = 0; i < count; i++) {
        const ElfW(Rela) *rela = &dynamic.tables[0][i];
        const char *name = dynamic.names + dynamic.symbols[ELF64_R_SYM(rela->r_info)].st_name;
        if (ELF64_R_TYPE(rela->r_info) == SLOT_FUNCTION && strcmp(name, bound->symbol) == 0) {
            void *target = atomic_load((_Atomic(void *) *)(executable->dlpi_addr + rela->r_offset));
            bound->target = holds(executable, target) ? NULL : target;
        }
    }
    return 1; /* the executable comes first */
}

void *relocate_bound(const char *symbol)
{
    Bound bound = {.symbol = symbol};
    dl_iterate_phdr(read_bound, &bound);
    return bound.target;
}

static int read_generation(struct dl_phdr_info *object, size_t size, void *generation)
{
    (void)size;
    *(uint64_t *)generation = (uint64_t)object->dlpi_adds + (uint64_t)object->dlpi_subs;
    return 1; /* each object tells the same */
}

uint64_t relocate_generation(void)
{
    uint64_t generation = 0;
    dl_iterate_phdr(read_generation, &generation);
    return generation;
}
