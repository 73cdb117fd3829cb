#define _GNU_SOURCE
#include "scarcity.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

static atomic_long requests, refused, refused_from, blocks, mappings;
static _Atomic Refusal how;

void scarcity_begin(long nth, Refusal refusal)
{
    requests = 0;
    refused = 0;
    refused_from = nth;
    how = refusal;
}

bool scarcity_met(void)
{
    return refused > 0;
}

long scarcity_blocks(void)
{
    return blocks;
}

long scarcity_mappings(void)
{
    return mappings;
}

static bool refuses(void)
{
    long from = refused_from, request = ++requests;
    if (from == 0 || request < from || (request > from && how == REFUSE_ONE)) {
        return false;
    }
    refused++;
    errno = ENOMEM;
    return true;
}

void *scarce_malloc(size_t bytes)
{
    void *address = refuses() ? NULL : malloc(bytes);
    blocks += address != NULL;
    return address;
}

void *scarce_calloc(size_t count, size_t each)
{
    void *address = refuses() ? NULL : calloc(count, each);
    blocks += address != NULL;
    return address;
}

void *scarce_realloc(void *from, size_t bytes)
{
    bool fresh = from == NULL;
    void *address = refuses() ? NULL : realloc(from, bytes);
    blocks += fresh && address != NULL;
    return address;
}

void scarce_free(void *address)
{
    blocks -= address != NULL;
    free(address);
}

void *scarce_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
{
    void *memory = refuses() ? MAP_FAILED : mmap(address, bytes, protection, flags, file, offset);
    mappings += memory != MAP_FAILED;
    return memory;
}

int scarce_munmap(void *address, size_t bytes)
{
    mappings--;
    return munmap(address, bytes);
}

/* As the core calls it: onto another mapping, which is no more then. */
void *scarce_mremap(void *address, size_t bytes, size_t wanted, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    void *onto = va_arg(rest, void *);
    va_end(rest);
    void *memory = refuses() ? MAP_FAILED : mremap(address, bytes, wanted, flags, onto);
    mappings -= memory != MAP_FAILED;
    return memory;
}
