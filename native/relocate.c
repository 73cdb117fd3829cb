#define _GNU_SOURCE
#include "relocate.h"

#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { SLOT_FUNCTION = R_X86_64_JUMP_SLOT, SLOT_DATA = R_X86_64_GLOB_DAT };
#elif defined(__aarch64__)
enum { SLOT_FUNCTION = R_AARCH64_JUMP_SLOT, SLOT_DATA = R_AARCH64_GLOB_DAT };
#else
#error "outlive's native core knows the relocations of x86-64 and aarch64 only"
#endif

typedef struct {
    const Relocation *relocations;
    int changed;
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

static bool read_dynamic(const struct dl_phdr_info *object, const ElfW(Dyn) * entry, Dynamic *dynamic)
{
    memset(dynamic, 0, sizeof *dynamic);
    for (; entry->d_tag != DT_NULL; entry++) {
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

/* Whether the loader made `page` read-only after it bound the object (PT_GNU_RELRO). It rounds both ends
 * down: where pages are larger than the linker thought, variables share the last one, and it stays writable.
 * */
static bool is_read_only(const struct dl_phdr_info *object, uintptr_t page, uintptr_t page_bytes)
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

static bool write_slot(const struct dl_phdr_info *object, _Atomic(void *) *slot, void *target)
{
    uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t page = (uintptr_t)slot & ~(page_bytes - 1);
    bool read_only = is_read_only(object, page, page_bytes);
    if (read_only && mprotect((void *)page, page_bytes, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    atomic_store(slot, target);
    if (read_only) {
        mprotect((void *)page, page_bytes, PROT_READ);
    }
    return true;
}

static void relocate_object(const struct dl_phdr_info *object, const Dynamic *dynamic, Work *work)
{
    for (int t = 0; t < 2; t++) {
        size_t count = dynamic->tables[t] != NULL ? dynamic->bytes[t] / sizeof(ElfW(Rela)) : 0;
        for (size_t i = 0; i < count; i++) {
            const ElfW(Rela) *rela = &dynamic->tables[t][i];
            unsigned type = (unsigned)ELF64_R_TYPE(rela->r_info);
            if (type != SLOT_FUNCTION && type != SLOT_DATA) {
                continue;
            }
            const char *name = dynamic->names + dynamic->symbols[ELF64_R_SYM(rela->r_info)].st_name;
            for (const Relocation *r = work->relocations; r->symbol != NULL; r++) {
                _Atomic(void *) *slot = (_Atomic(void *) *)(object->dlpi_addr + rela->r_offset);
                if (strcmp(name, r->symbol) == 0 && atomic_load(slot) != r->target) {
                    work->changed += write_slot(object, slot, r->target);
                }
            }
        }
    }
}

static int visit(struct dl_phdr_info *object, size_t size, void *work)
{
    (void)size;
    const ElfW(Dyn) *entries = NULL;
    bool own = false;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_DYNAMIC) {
            entries = (const ElfW(Dyn) *)start;
        }
        own |= header->p_type == PT_LOAD && (uintptr_t)&visit - start < header->p_memsz;
    }
    Dynamic dynamic;
    if (!own && entries != NULL && read_dynamic(object, entries, &dynamic)) {
        relocate_object(object, &dynamic, work);
    }
    return 0;
}

int relocate(const Relocation *relocations)
{
    Work work = {.relocations = relocations};
    dl_iterate_phdr(visit, &work);
    return work.changed;
}
