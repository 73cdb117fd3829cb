/* Points the imported symbols of loaded shared objects elsewhere. */
#ifndef OUTLIVE_RELOCATE_H
#define OUTLIVE_RELOCATE_H

typedef struct {
    const char *symbol; /* NULL ends a list */
    void *target;
} Relocation;

/* In every loaded object but the one this is compiled into, makes each import slot of the listed symbols hold
 * the listed target. Returns how many slots changed. Objects that can't be read are left alone. */
int relocate(const Relocation *relocations);

#endif
