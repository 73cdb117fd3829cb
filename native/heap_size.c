#include "pycompat_heap.h" /* before any other header */

#include "heap_size.h"

#include "heap_found.h"

static uint64_t str_bytes(PyObject *str)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(str);
    uint64_t bytes = 0;
    if (PyUnicode_IS_COMPACT_ASCII(str)) {
        return sizeof(PyASCIIObject) + (uint64_t)length + 1;
    }
    if (PyUnicode_IS_COMPACT(str)) {
        bytes = sizeof(PyCompactUnicodeObject) + ((uint64_t)length + 1) * PyUnicode_KIND(str);
    } else {
        bytes = sizeof(PyUnicodeObject) + ((uint64_t)length + 1) * PyUnicode_KIND(str);
    }
    PyCompactUnicodeObject *compact = (PyCompactUnicodeObject *)str;
    bool own_utf8 = compact->utf8 != NULL && (const void *)compact->utf8 != PyUnicode_DATA(str);
    return bytes + (own_utf8 ? (uint64_t)compact->utf8_length + 1 : 0);
}

static uint64_t set_bytes(PyObject *set)
{
    PySetObject *its = (PySetObject *)set;
    return its->table == its->smalltable ? 0 : ((uint64_t)its->mask + 1) * sizeof(setentry);
}

/* numpy's arrays since 1.0, as far as it is public. */
typedef struct {
    PyObject_HEAD char *data;
    int dimensions;
    Py_ssize_t *shape, *strides;
    PyObject *base, *dtype;
    int flags;
} Array;
enum { ARRAY_OWNS_DATA = 4 };

/* The bytes of the last element are those of the smallest stride; right for all that numpy makes itself. */
static uint64_t array_bytes(PyObject *object)
{
    const Array *array = (const Array *)(void *)object;
    if (!(array->flags & ARRAY_OWNS_DATA) || array->dimensions <= 0 || array->dimensions > 64) {
        return 0;
    }
    uint64_t most = 0;
    for (int i = 0; i < array->dimensions; i++) {
        if (array->shape[i] <= 0) {
            return 0;
        }
        uint64_t stride = (uint64_t)(array->strides[i] < 0 ? -array->strides[i] : array->strides[i]);
        most = stride * (uint64_t)array->shape[i] > most ? stride * (uint64_t)array->shape[i] : most;
    }
    return most;
}

static uint64_t deque_bytes(PyObject *deque)
{
    enum { BLOCK_ITEMS = 64 };
    uint64_t blocks = (uint64_t)Py_SIZE(deque) / BLOCK_ITEMS + 1;
    return blocks * (BLOCK_ITEMS + 2) * sizeof(PyObject *);
}

static uint64_t owned_bytes(PyObject *object, Owning owning)
{
    switch (owning) {
    case OWNS_BYTEARRAY: return (uint64_t)((PyByteArrayObject *)object)->ob_alloc;
    case OWNS_ARRAY: return array_bytes(object);
    case OWNS_DEQUE: return deque_bytes(object);
    default: return 0;
    }
}

static uint64_t by_items(PyObject *object, PyTypeObject *type)
{
    uint64_t bytes = (uint64_t)type->tp_basicsize;
    if (type->tp_itemsize > 0) {
        Py_ssize_t items = ((PyVarObject *)object)->ob_size;
        bytes += (uint64_t)(items < 0 ? -items : items) * (uint64_t)type->tp_itemsize;
    }
    return bytes;
}

uint64_t object_bytes(PyObject *object, const TypeInfo *info)
{
    PyTypeObject *type = info->type;
    uint64_t bytes;
    switch (info->category) {
    case CATEGORY_STR:
        bytes = (uint64_t)type->tp_basicsize - sizeof(PyUnicodeObject) + str_bytes(object);
        break;
    case CATEGORY_INT:
        bytes = (uint64_t)type->tp_basicsize + (uint64_t)int_digits(object) * sizeof(digit);
        break;
    case CATEGORY_DICT: bytes = by_items(object, type) + dict_table_bytes((PyDictObject *)object); break;
    case CATEGORY_LIST:
        bytes = by_items(object, type) + (uint64_t)((PyListObject *)object)->allocated * sizeof(PyObject *);
        break;
    case CATEGORY_SET: bytes = by_items(object, type) + set_bytes(object); break;
    case CATEGORY_TYPE: {
        PyTypeObject *itself = (PyTypeObject *)object;
        bytes = itself->tp_flags & Py_TPFLAGS_HEAPTYPE ? by_items(object, type) : sizeof(PyTypeObject);
        PyDictKeysObject *keys = shared_keys(itself);
        if (keys != NULL) {
            bytes += sizeof *keys + ((size_t)1 << keys->dk_log2_index_bytes) +
                     (size_t)(keys->dk_nentries + keys->dk_usable) * sizeof(PyDictUnicodeEntry);
        }
        break;
    }
    default: bytes = by_items(object, type) + owned_bytes(object, info->owning);
    }
    PyObject **values = inline_values(object);
    return bytes + bytes_before(type) + (values != NULL ? inline_values_bytes(object, values) : 0);
}
