#define _GNU_SOURCE
#include "taker.h"

#include <malloc.h>
#include <stdlib.h>

Taker taker(void);

static void *(*variable)(size_t) = malloc;
static void *(*const constant)(size_t) = malloc;

static void *take(size_t bytes)
{
    return malloc(bytes);
}

static void *take_cleared(size_t count, size_t each)
{
    return calloc(count, each);
}

static void *retake(void *address, size_t bytes)
{
    return realloc(address, bytes);
}

static void *retake_array(void *address, size_t count, size_t each)
{
    return reallocarray(address, count, each);
}

static void give(void *address)
{
    free(address);
}

static int take_posix(void **address, size_t alignment, size_t bytes)
{
    return posix_memalign(address, alignment, bytes);
}

static void *take_aligned(size_t alignment, size_t bytes)
{
    return aligned_alloc(alignment, bytes);
}

static void *take_memalign(size_t alignment, size_t bytes)
{
    return memalign(alignment, bytes);
}

static void *take_pages(size_t bytes)
{
    return valloc(bytes);
}

Taker taker(void)
{
    return (Taker){take,
                   take_cleared,
                   retake,
                   retake_array,
                   give,
                   take_posix,
                   take_aligned,
                   take_memalign,
                   take_pages,
                   &variable,
                   (void *(**)(size_t)) & constant};
}
