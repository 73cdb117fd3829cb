#include "heap_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "heap_found.h"

enum { HEADER_BYTES = 4096, VERSION = 1, SECTIONS = 19, WRITE_MAX = 1 << 30 };

typedef struct {
    char magic[8];
    uint32_t version, header_bytes;
    uint64_t file_bytes;
    HeapInfo info;
    struct {
        uint64_t offset, bytes;
    } sections[SECTIONS];
} Header;
_Static_assert(sizeof(HeapInfo) == 4 * 4 + 6 * 8 && sizeof(Header) == 24 + sizeof(HeapInfo) + SECTIONS * 16,
               "as heap_layout.py has it");

static bool write_at(int fd, const void *bytes, size_t count, uint64_t offset)
{
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = pwrite(fd, next, count < WRITE_MAX ? count : WRITE_MAX, (off_t)offset);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            next += written;
            offset += (uint64_t)written;
            count -= (size_t)written;
        }
    }
    return true;
}

static bool write_header(int fd, Header *header, const HeapInfo *info)
{
    memcpy(header->magic, "outheap", 8);
    header->version = VERSION;
    header->header_bytes = HEADER_BYTES;
    header->info = *info;
    return write_at(fd, header, sizeof *header, 0);
}

bool heap_file_tell(int fd, const HeapInfo *info)
{
    Header header = {.file_bytes = 0};
    return write_header(fd, &header, info);
}

/* The rows of `shapes`, and their names, from the interned words. */
static void list_shapes(Column *shapes, Column *names)
{
    size_t count = interner_count(&found.shapes);
    for (uint32_t i = 0; i < count && !columns_failed; i++) {
        size_t bytes;
        uint32_t words[2];
        const unsigned char *shape = interner_bytes(&found.shapes, i, &bytes);
        memcpy(words, shape, sizeof words);
        uint32_t named = (uint32_t)(bytes / sizeof *words) - 2;
        const uint32_t row[] = {words[0], words[1] | named << 16, (uint32_t)column_count(names)};
        column_push(shapes, row, sizeof row);
        column_push(names, shape + sizeof words, named * sizeof *words);
    }
}

bool heap_file_write(int fd, const HeapInfo *info)
{
    static Column shapes, shape_names;
    list_shapes(&shapes, &shape_names);
    if (columns_failed) {
        errno = ENOMEM;
        return false;
    }
    const Column *const columns[SECTIONS] = {
        &found.address,       &found.size,    &found.shape,
        &found.refcount,      &found.first,   &found.edges,
        &found.large,         &shapes,        &shape_names,
        &found.types,         &found.codes,   &found.frames,
        &found.texts,         &found.roots,   &found.contents,
        &found.sites,         &found.samples, &found.strings.offsets,
        &found.strings.bytes,
    };
    Header header = {.file_bytes = HEADER_BYTES};
    for (size_t i = 0; i < SECTIONS; i++) {
        header.sections[i].offset = header.file_bytes;
        header.sections[i].bytes = columns[i]->used;
        if (!write_at(fd, columns[i]->bytes, columns[i]->used, header.file_bytes)) {
            return false;
        }
        header.file_bytes += (columns[i]->used + 7) & ~(uint64_t)7;
    }
    return ftruncate(fd, (off_t)header.file_bytes) == 0 && write_header(fd, &header, info);
}
