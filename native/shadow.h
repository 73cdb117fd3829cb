/* A byte of shadow for every 16 bytes of heap: the size of the small block that starts there.
 *
 * Python's heap is mostly small blocks, packed by pymalloc into 1 MiB arenas. A hash table would
 * spend a cache miss on each; here 64 bytes of shadow describe 1 KiB of heap, and neighbours share
 * a cache line. Leaves of 64 KiB cover 1 MiB each and are mapped when first needed; the kernel backs
 * only the pages that are written. A block of SHADOW_SIZE_MAX bytes spans 16 bytes of shadow.
 *
 * Entries need no lock: until its free() a block belongs to one owner, and the allocator itself
 * orders that owner's last access before the next owner's first.
 */
#ifndef OUTLIVE_SHADOW_H
#define OUTLIVE_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHADOW_SIZE_MAX = 254, SHADOW_ALIGNMENT = 16 };

/* Notes that a block of `size` (<= SHADOW_SIZE_MAX) bytes starts at `address` (a multiple of 16, below
 * 2^48). `*old` gets the size noted there before, or -1. False, with nothing noted, without memory. */
bool shadow_put_nopy(uintptr_t address, size_t size, int *old);

/* Forgets the block at `address` and returns its size, or -1 if none was noted. */
int shadow_take_nopy(uintptr_t address);

/* Forgets every block and gives the memory behind the leaves back to the kernel. */
void shadow_clear(void);

/* Bytes of address space mapped for leaves (not all of them backed by memory). */
size_t shadow_mapped_bytes(void);

#endif
