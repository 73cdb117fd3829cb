/* Points the imported symbols of loaded shared objects elsewhere. */
#ifndef OUTLIVE_RELOCATE_H
#define OUTLIVE_RELOCATE_H

#include <stdint.h>

typedef struct {
    const char *symbol; /* NULL ends a list */
    void *target;
    /* Change only slots that hold this, and import slots that no call has bound yet; of variables initialised
     * with the symbol's address (`void *(*allocate)(size_t) = malloc;`) those that hold it. NULL: import
     * slots, whatever they hold; no variables. */
    void *instead_of;
} Relocation;

/* In every loaded object but the one this is compiled into, makes each import slot of the listed symbols hold
 * the listed target. Returns how many slots changed. Objects that can't be read are left alone. */
int relocate(const Relocation *relocations);

/* The same, but only in the executable and in the object that the address `core` lies in. */
int relocate_core(const Relocation *relocations, const void *core);

/* The same, but in none of these two, nor in the loader, libc, and what provides malloc in libc's place. */
int relocate_extensions(const Relocation *relocations, const void *core);

/* What the executable's import slot of the symbol leads to; NULL if it has none, or did not call it yet. An
 * executable that is not position-independent may give a function an address of its own (a stub), which then
 * is what `&function` is for all of the process, while the slots of others hold what the stub leads to. */
void *relocate_bound(const char *symbol);

/* A number that is another one after each time objects were loaded or unloaded. */
uint64_t relocate_generation(void);

#endif
