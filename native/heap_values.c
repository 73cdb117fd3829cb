#include "pycompat_heap.h" /* before any other header */

#include "heap_values.h"

#include <string.h>

enum { NESTED_MAX = 4 };

/* Two rounds of multiplication and folding a word (as in wyhash and its like); not for adversaries. */
static uint64_t mixed(uint64_t hash, uint64_t word)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t of_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *next = bytes;
    for (size_t left = count; left > 0;) {
        uint64_t word = 0;
        size_t taken = left < sizeof word ? left : sizeof word;
        memcpy(&word, next, taken);
        hash = mixed(hash, word);
        next += taken;
        left -= taken;
    }
    return mixed(hash, count);
}

static uint64_t hash_within(PyObject *object, uint64_t key, int depth)
{
    uint64_t hash = mixed(key, (uintptr_t)Py_TYPE(object));
    if (PyUnicode_CheckExact(object) && PyUnicode_IS_READY(object)) {
        size_t bytes = (size_t)PyUnicode_GET_LENGTH(object) * PyUnicode_KIND(object);
        return of_bytes(hash, PyUnicode_DATA(object), bytes) | 1;
    }
    if (PyBytes_CheckExact(object)) {
        return of_bytes(hash, PyBytes_AS_STRING(object), (size_t)PyBytes_GET_SIZE(object)) | 1;
    }
    if (PyFloat_CheckExact(object)) {
        double value = PyFloat_AS_DOUBLE(object);
        return of_bytes(hash, &value, sizeof value) | 1;
    }
    if (PyLong_CheckExact(object)) {
        int overflow;
        long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
        return overflow != 0 ? 0 : of_bytes(hash, &value, sizeof value) | 1;
    }
    if (PyTuple_CheckExact(object) && depth < NESTED_MAX) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(object); i++) {
            PyObject *item = PyTuple_GET_ITEM(object, i);
            uint64_t of_item = item == NULL ? 0 : hash_within(item, key, depth + 1);
            if (of_item == 0) {
                return 0;
            }
            hash = mixed(hash, of_item);
        }
        return hash | 1;
    }
    return 0;
}

uint64_t value_hash(PyObject *object, uint64_t key)
{
    return hash_within(object, key, 0);
}
