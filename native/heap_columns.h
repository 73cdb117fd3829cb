/* Memory for what a walk of the heap finds: columns that grow, byte strings that are kept once, and an index
 * from addresses to rows. All of it is mapped by itself, never malloc's: the walk runs in a forked child,
 * where another thread's lock on malloc is held for ever.
 *
 * There is one limit for all. Past it, or when the system has no more, `columns_failed` is true, and what is
 * pushed from then on is lost.
 */
#ifndef OUTLIVE_HEAP_COLUMNS_H
#define OUTLIVE_HEAP_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_ROW UINT32_MAX

extern bool columns_failed;

/* Begins with nothing, and a limit in bytes. Once a process. */
void columns_start(size_t limit);

/* Memory until the process ends, zeroed, aligned to 16; NULL and `columns_failed` without it. */
void *columns_keep(size_t bytes);

typedef struct {
    unsigned char *bytes;
    size_t used, room; /* in bytes */
} Column;

/* Makes room for so many bytes more; false and `columns_failed` if there is none. */
bool column_grow(Column *column, size_t more);

/* Appends bytes. */
static inline void column_push(Column *column, const void *bytes, size_t count)
{
    if (column->room - column->used >= count || column_grow(column, count)) {
        __builtin_memcpy(column->bytes + column->used, bytes, count);
        column->used += count;
    }
}

static inline void column_push32(Column *column, uint32_t value)
{
    column_push(column, &value, sizeof value);
}

/* The column's rows of 32 bits, and how many there are; valid until the next push. */
static inline uint32_t *column_rows(const Column *column)
{
    return (uint32_t *)(void *)column->bytes;
}

static inline size_t column_count(const Column *column)
{
    return column->used / sizeof(uint32_t);
}

/* Byte strings, each with a number. */
typedef struct {
    Column offsets, bytes; /* offsets: one more than there are strings, 32 bits each */
    uint32_t *slots;       /* numbers + 1, by hash */
    size_t slot_count, filled;
} Interner;

/* The number of these bytes, the same each time; 0 without memory. */
uint32_t interner_number(Interner *interner, const void *bytes, size_t count);

/* A new number for these bytes, whether or not they have one; interner_number won't return it. */
uint32_t interner_add(Interner *interner, const void *bytes, size_t count);

/* The bytes of a number; valid until the next string. */
const unsigned char *interner_bytes(const Interner *interner, uint32_t number, size_t *count);

/* How many there are. */
size_t interner_count(const Interner *interner);

/* The row of an address; NO_ROW for one without. Objects begin at multiples of 8, 16 bytes apart at least. */
uint32_t address_row(uintptr_t address);

/* Gives an address, which has none, a row below ADDRESS_ROWS_MAX. Without memory, and for addresses that no
 * process has, `columns_failed`. */
void address_set(uintptr_t address, uint32_t row);

#define ADDRESS_ROWS_MAX ((UINT32_C(1) << 31) - 1)

#endif
