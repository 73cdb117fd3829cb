/* Memory that runs out when told to.
 *
 * CMake renames the memory functions in the core's sources to the ones below, so that these tests, with any
 * linker, decide which request fails and see what was not given back.
 */
#ifndef OUTLIVE_TESTS_SCARCITY_H
#define OUTLIVE_TESTS_SCARCITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Which requests are refused, counted from the next one on as 1. */
typedef enum { REFUSE_ONE, REFUSE_ALL_FROM } Refusal;

/* Refuses the `nth` request of the core for memory, alone or with all after it; 0 ends that. */
void scarcity_begin(long nth, Refusal refusal);

/* Whether any was refused since scarcity_begin. */
bool scarcity_met(void);

/* What the core holds of the heap, and of mapped memory. */
long scarcity_blocks(void);
long scarcity_mappings(void);

/* What the core calls in place of the functions so named. */
void *scarce_malloc(size_t bytes);
void *scarce_calloc(size_t count, size_t each);
void *scarce_realloc(void *from, size_t bytes);
void scarce_free(void *address);
void *scarce_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset);
int scarce_munmap(void *address, size_t bytes);
void *scarce_mremap(void *address, size_t bytes, size_t wanted, int flags, ...);

#endif
