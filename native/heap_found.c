#include "heap_found.h"

#include <string.h>

Found found;

uint32_t found_string(const char *string)
{
    return interner_number(&found.strings, string, strlen(string));
}

uint32_t found_shape(uint32_t type, uint32_t rest, const uint32_t *names, uint32_t count)
{
    static uint32_t words[2 + NAMES_MAX];
    words[0] = type;
    words[1] = rest;
    memcpy(words + 2, names, count * sizeof *names);
    return interner_number(&found.shapes, words, (2 + (size_t)count) * sizeof *words);
}

void found_walked(uint32_t shape, uint64_t size, uint32_t refcount)
{
    if (size >= NO_ROW) {
        const uint32_t row[] = {(uint32_t)found.walked, 0, (uint32_t)size, (uint32_t)(size >> 32)};
        column_push(&found.large, row, sizeof row);
        size = NO_ROW;
    }
    column_push32(&found.shape, shape);
    column_push32(&found.size, (uint32_t)size);
    column_push32(&found.refcount, refcount);
    column_push32(&found.first, (uint32_t)column_count(&found.edges));
    found.walked++;
    if (column_count(&found.edges) >= NO_ROW || found.objects >= ADDRESS_ROWS_MAX) {
        columns_failed = true; /* more than this format can number */
    }
}

void found_text(uint32_t object, uint32_t string)
{
    const uint32_t row[] = {object, string};
    column_push(&found.texts, row, sizeof row);
}

void found_code(uint32_t object, uint32_t name, uint32_t file, uint32_t line)
{
    const uint32_t row[] = {object, name, file, line};
    column_push(&found.codes, row, sizeof row);
}

void found_frame(uint32_t object, uint32_t code, uint32_t line, uint32_t state)
{
    const uint32_t row[] = {object, code, line, state};
    column_push(&found.frames, row, sizeof row);
}

void found_root(uint32_t object, uint32_t kind, uint32_t name)
{
    const uint32_t row[] = {object, kind, name};
    column_push(&found.roots, row, sizeof row);
}

bool found_wants_text(uint32_t object)
{
    while (found.told.used <= object / 8) {
        static const unsigned char none[4096];
        column_push(&found.told, none, sizeof none);
        if (columns_failed) {
            return false;
        }
    }
    unsigned char *byte = &found.told.bytes[object / 8], bit = (unsigned char)(1 << object % 8);
    bool had = *byte & bit;
    *byte |= bit;
    return !had;
}
