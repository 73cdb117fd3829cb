#define _GNU_SOURCE 1
#include "heap_figures.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "pycompat.h"

/* Looked up, not linked: not all builds of CPython, and not every libc, have them. */
typedef int (*PymallocStats)(FILE *);
typedef const char *(*AllocatorName)(void);
/* glibc's struct mallinfo2 (2.33), which older headers lack. */
typedef struct {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
} Mallinfo;
typedef Mallinfo (*MallinfoOf)(void);
typedef int (*MallocTrim)(size_t);

static PyMemAllocatorEx found; /* OBJ's, as heap_figures_init() saw it */
static const char *name = "";

void heap_figures_init(void)
{
    AllocatorName current = (AllocatorName)dlsym(RTLD_DEFAULT, "_PyMem_GetCurrentAllocatorName");
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &found);
    if (current != NULL && current() != NULL) {
        name = current();
    }
}

const char *allocators_name(void)
{
    return name;
}

/* Writes pymalloc's report to `stream`; whether it had one. */
static bool report_to(FILE *stream)
{
    PymallocStats stats = (PymallocStats)dlsym(RTLD_DEFAULT, "_PyObject_DebugMallocStats");
    return stats != NULL && stats(stream) >= 0 && fflush(stream) == 0 && ftell(stream) > 0;
}

char *pymalloc_report(void)
{
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    if (stream == NULL) {
        return NULL;
    }
    if (!report_to(stream)) {
        /* pymalloc reports only while it is the allocator in force, not under hooks. For the length of the
         * report it is again: who holds the GIL is alone with the OBJ domain, and the report allocates
         * nothing there. */
        PyMemAllocatorEx hooks;
        PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &hooks);
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &found);
        report_to(stream);
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &hooks);
    }
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* The function `wanted` if the malloc that this process uses comes from the same library, else NULL: beside
 * jemalloc, tcmalloc or a sanitizer, glibc's figures are those of a malloc that nobody calls. */
static void *of_this_malloc(const char *wanted)
{
    Dl_info of_malloc, of_wanted;
    void *used = dlsym(RTLD_DEFAULT, "malloc"), *function = dlsym(RTLD_DEFAULT, wanted);
    if (used == NULL || function == NULL || dladdr(used, &of_malloc) == 0 ||
        dladdr(function, &of_wanted) == 0 || of_malloc.dli_fbase != of_wanted.dli_fbase) {
        return NULL;
    }
    return function;
}

bool malloc_figures(MallocFigures *figures)
{
    MallinfoOf mallinfo_of = (MallinfoOf)of_this_malloc("mallinfo2");
    if (mallinfo_of == NULL) {
        return false;
    }
    Mallinfo info = mallinfo_of();
    *figures = (MallocFigures){info.arena, info.uordblks, info.fordblks, info.hblkhd};
    return true;
}

bool malloc_give_back(void)
{
    MallocTrim trim = (MallocTrim)of_this_malloc("malloc_trim");
    if (trim == NULL) {
        return false;
    }
    trim(0);
    return true;
}
