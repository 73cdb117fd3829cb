#include "pycompat_heap.h" /* before any other header */

#include "heap_types.h"

#include <string.h>
#include <structmember.h>

#include "heap_found.h"
#include "utf8.h"

enum { MEMBERS_MAX = 256, NAME_CHARACTERS_MAX = 200, TEXT_BYTES_MAX = 4 * 256 };

/* ---- texts ---- */

static size_t encode(unsigned char *out, uint32_t c)
{
    bool is_half = c >= 0xD800 && c < 0xE000; /* of a pair: no text for UTF-8 */
    return utf8_encode_nopy(out, is_half ? 0xFFFD : c);
}

static size_t text_of(PyObject *str, Py_ssize_t most, unsigned char *out)
{
    if (str == NULL || !PyUnicode_Check(str) || !PyUnicode_IS_READY(str)) {
        return 0;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(str), shown = length < most ? length : most;
    size_t bytes = 0;
    for (Py_ssize_t i = 0; i < shown; i++) {
        bytes += encode(out + bytes, PyUnicode_READ_CHAR(str, i));
    }
    return length > shown ? bytes + encode(out + bytes, 0x2026) : bytes;
}

uint32_t text_number(PyObject *str, Py_ssize_t most)
{
    /* Names come again and again, and in this process each stays where it is. */
    static struct {
        PyObject *str;
        uint32_t number;
    } known[1 << 12];
    unsigned char text[TEXT_BYTES_MAX];
    size_t at = ((uintptr_t)str >> 4) % (sizeof known / sizeof *known);
    if (known[at].str != str || str == NULL) {
        known[at].number = interner_number(&found.strings, text, text_of(str, most, text));
        known[at].str = str;
    }
    return known[at].number;
}

uint32_t text_number_of_its_own(PyObject *str, Py_ssize_t most)
{
    unsigned char text[TEXT_BYTES_MAX];
    return interner_add(&found.strings, text, text_of(str, most, text));
}

/* ---- a type's name ---- */

static PyObject *entry_of(PyObject *dict, const char *name)
{
    if (dict == NULL || !PyDict_Check(dict)) {
        return NULL;
    }
    PyDictKeysObject *keys = ((PyDictObject *)dict)->ma_keys;
    for (Py_ssize_t i = 0; i < keys->dk_nentries; i++) {
        PyObject *value, *key = dict_entry((PyDictObject *)dict, keys, i, &value);
        if (key != NULL && value != NULL && PyUnicode_CheckExact(key) && PyUnicode_IS_COMPACT_ASCII(key) &&
            strcmp((const char *)PyUnicode_DATA(key), name) == 0) {
            return value;
        }
    }
    return NULL;
}

static uint32_t name_of(PyTypeObject *type)
{
    unsigned char name[2 * TEXT_BYTES_MAX + 1];
    size_t bytes = 0;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        bytes = text_of(entry_of(type_dict(type), "__module__"), NAME_CHARACTERS_MAX, name);
        bytes = bytes == 8 && memcmp(name, "builtins", 8) == 0 ? 0 : bytes;
        if (bytes > 0) {
            name[bytes++] = '.';
        }
        bytes += text_of(((PyHeapTypeObject *)type)->ht_qualname, NAME_CHARACTERS_MAX, name + bytes);
    } else {
        bytes = strnlen(type->tp_name, TEXT_BYTES_MAX);
        memcpy(name, type->tp_name, bytes);
    }
    return interner_number(&found.strings, name, bytes);
}

static uint32_t add_row(uint32_t object, uint32_t name, uint16_t category, uint16_t flags, Py_ssize_t basic)
{
    const uint32_t row[] = {object, name, (uint32_t)category | (uint32_t)flags << 16, (uint32_t)basic};
    column_push(&found.types, row, sizeof row);
    return (uint32_t)(found.types.used / sizeof row) - 1;
}

uint32_t types_pseudo(const char *name, uint16_t category)
{
    return add_row(NO_ROW, found_string(name), category, 0, 0);
}

/* ---- kinds ---- */

/* Whether C code made the type, and called it so. Class statements can give any name; theirs is ht_name
 * itself. */
static bool is_called(PyTypeObject *type, const char *name)
{
    if (strcmp(type->tp_name, name) != 0) {
        return false;
    }
    PyObject *own = type->tp_flags & Py_TPFLAGS_HEAPTYPE ? ((PyHeapTypeObject *)type)->ht_name : NULL;
    return own == NULL || !PyUnicode_IS_COMPACT_ASCII(own) ||
           (const char *)PyUnicode_DATA(own) != type->tp_name;
}

/* Whether the type or one that it inherits from is of C code and has this name. */
static bool descends_from(PyTypeObject *type, const char *name)
{
    for (; type != NULL; type = type->tp_base) {
        if (is_called(type, name)) {
            return true;
        }
    }
    return false;
}

static uint16_t category_of(PyTypeObject *type)
{
    const struct {
        unsigned long flag;
        uint16_t category;
    } by_flag[] = {
        {Py_TPFLAGS_LONG_SUBCLASS, CATEGORY_INT},           {Py_TPFLAGS_LIST_SUBCLASS, CATEGORY_LIST},
        {Py_TPFLAGS_TUPLE_SUBCLASS, CATEGORY_TUPLE},        {Py_TPFLAGS_BYTES_SUBCLASS, CATEGORY_BYTES},
        {Py_TPFLAGS_UNICODE_SUBCLASS, CATEGORY_STR},        {Py_TPFLAGS_DICT_SUBCLASS, CATEGORY_DICT},
        {Py_TPFLAGS_BASE_EXC_SUBCLASS, CATEGORY_EXCEPTION}, {Py_TPFLAGS_TYPE_SUBCLASS, CATEGORY_TYPE},
    };
    for (size_t i = 0; i < sizeof by_flag / sizeof *by_flag; i++) {
        if (type->tp_flags & by_flag[i].flag) {
            return by_flag[i].category;
        }
    }
    const struct {
        PyTypeObject *type;
        uint16_t category;
    } by_base[] = {
        {&PyModule_Type, CATEGORY_MODULE},
        {&PySet_Type, CATEGORY_SET},
        {&PyFrozenSet_Type, CATEGORY_SET},
        {&PyFunction_Type, CATEGORY_FUNCTION},
        {&PyMethod_Type, CATEGORY_METHOD},
        {&PyCFunction_Type, CATEGORY_BUILTIN},
        {&PyCell_Type, CATEGORY_CELL},
        {&PyCode_Type, CATEGORY_CODE},
        {&PyFrame_Type, CATEGORY_FRAME},
        {&PyGen_Type, CATEGORY_GENERATOR},
        {&PyCoro_Type, CATEGORY_COROUTINE},
        {&PyAsyncGen_Type, CATEGORY_ASYNC_GENERATOR},
        {&PyTraceBack_Type, CATEGORY_TRACEBACK},
        {&PyContext_Type, CATEGORY_CONTEXT},
        {&PyContextVar_Type, CATEGORY_CONTEXT_VARIABLE},
        {&_PyWeakref_RefType, CATEGORY_WEAK_REFERENCE},
    };
    for (PyTypeObject *base = type; base != NULL; base = base->tp_base) {
        for (size_t i = 0; i < sizeof by_base / sizeof *by_base; i++) {
            if (base == by_base[i].type) {
                return by_base[i].category;
            }
        }
    }
    if (descends_from(type, "_asyncio.Task")) {
        return CATEGORY_TASK;
    }
    return descends_from(type, "_asyncio.Future") ? CATEGORY_FUTURE : CATEGORY_OTHER;
}

static uint16_t rest_of(PyTypeObject *type, uint16_t category)
{
    switch (category) {
    case CATEGORY_LIST:
    case CATEGORY_TUPLE: return REST_SEQUENCE;
    case CATEGORY_DICT: return REST_MAPPING;
    case CATEGORY_SET: return REST_SET;
    default: return descends_from(type, "collections.deque") ? REST_SEQUENCE : REST_OTHER;
    }
}

/* ---- references that have names ---- */

typedef struct {
    PyTypeObject *type; /* instances of subclasses too */
    const char *name;
    size_t offset;
} Known;

/* Of types that don't list them as members, or not all. */
static const Known known[] = {
    {&PyFunction_Type, "__globals__", offsetof(PyFunctionObject, func_globals)},
    {&PyFunction_Type, "__builtins__", offsetof(PyFunctionObject, func_builtins)},
    {&PyFunction_Type, "__name__", offsetof(PyFunctionObject, func_name)},
    {&PyFunction_Type, "__qualname__", offsetof(PyFunctionObject, func_qualname)},
    {&PyFunction_Type, "__code__", offsetof(PyFunctionObject, func_code)},
    {&PyFunction_Type, "__defaults__", offsetof(PyFunctionObject, func_defaults)},
    {&PyFunction_Type, "__kwdefaults__", offsetof(PyFunctionObject, func_kwdefaults)},
    {&PyFunction_Type, "__dict__", offsetof(PyFunctionObject, func_dict)},
    {&PyFunction_Type, "__closure__", offsetof(PyFunctionObject, func_closure)},
    {&PyFunction_Type, "__annotations__", offsetof(PyFunctionObject, func_annotations)},
    {&PyMethod_Type, "__func__", offsetof(PyMethodObject, im_func)},
    {&PyMethod_Type, "__self__", offsetof(PyMethodObject, im_self)},
    {&PyCFunction_Type, "__self__", offsetof(PyCFunctionObject, m_self)},
    {&PyCFunction_Type, "__module__", offsetof(PyCFunctionObject, m_module)},
    {&PyCell_Type, "cell_contents", offsetof(PyCellObject, ob_ref)},
    {&PyModule_Type, "__dict__", offsetof(PyModuleObject, md_dict)},
    {&PyModule_Type, "__name__", offsetof(PyModuleObject, md_name)},
    {&PyTraceBack_Type, "tb_next", offsetof(PyTracebackObject, tb_next)},
    {&PyTraceBack_Type, "tb_frame", offsetof(PyTracebackObject, tb_frame)},
    {&_PyWeakref_RefType, "__callback__", offsetof(PyWeakReference, wr_callback)},
    {&PyContext_Type, "values", offsetof(PyContext, ctx_vars)},
    {&PyContext_Type, "previous", offsetof(PyContext, ctx_prev)},
    {&PyContextVar_Type, "name", offsetof(PyContextVar, var_name)},
    {&PyContextVar_Type, "default", offsetof(PyContextVar, var_default)},
    {&PyCode_Type, "co_consts", offsetof(PyCodeObject, co_consts)},
    {&PyCode_Type, "co_names", offsetof(PyCodeObject, co_names)},
    {&PyCode_Type, "co_exceptiontable", offsetof(PyCodeObject, co_exceptiontable)},
    {&PyCode_Type, "co_localsplusnames", offsetof(PyCodeObject, co_localsplusnames)},
    {&PyCode_Type, "co_localspluskinds", offsetof(PyCodeObject, co_localspluskinds)},
    {&PyCode_Type, "co_filename", offsetof(PyCodeObject, co_filename)},
    {&PyCode_Type, "co_name", offsetof(PyCodeObject, co_name)},
    {&PyCode_Type, "co_qualname", offsetof(PyCodeObject, co_qualname)},
    {&PyCode_Type, "co_linetable", offsetof(PyCodeObject, co_linetable)},
};

/* Of the futures of C, and its tasks: 3.11 to 3.13 have them in this order. */
static const char *const of_futures[] = {"loop",      "callback",  "callback_context",
                                         "callbacks", "exception", "exception_tb",
                                         "result",    "source_tb", "cancel_msg"};

static const Known of_exceptions[] = {
    {NULL, "__dict__", offsetof(PyBaseExceptionObject, dict)},
    {NULL, "args", offsetof(PyBaseExceptionObject, args)},
    {NULL, "__notes__", offsetof(PyBaseExceptionObject, notes)},
    {NULL, "__traceback__", offsetof(PyBaseExceptionObject, traceback)},
    {NULL, "__context__", offsetof(PyBaseExceptionObject, context)},
    {NULL, "__cause__", offsetof(PyBaseExceptionObject, cause)},
};

/* Of types: those that every type has, then those of class statements alone. */
static const Known of_types[] = {
    {NULL, "__dict__", offsetof(PyTypeObject, tp_dict)},
    {NULL, "__bases__", offsetof(PyTypeObject, tp_bases)},
    {NULL, "__mro__", offsetof(PyTypeObject, tp_mro)},
    {NULL, "__base__", offsetof(PyTypeObject, tp_base)},
    {NULL, "__cache__", offsetof(PyTypeObject, tp_cache)},
    {NULL, "__subclasses__", offsetof(PyTypeObject, tp_subclasses)},
    {NULL, "__name__", offsetof(PyHeapTypeObject, ht_name)},
    {NULL, "__qualname__", offsetof(PyHeapTypeObject, ht_qualname)},
    {NULL, "__slots__", offsetof(PyHeapTypeObject, ht_slots)},
    {NULL, "__module__", offsetof(PyHeapTypeObject, ht_module)},
};

typedef struct {
    Member members[MEMBERS_MAX];
    uint32_t count;
} Members;

static void add_member(Members *all, int32_t offset, const char *name)
{
    for (uint32_t i = 0; i < all->count; i++) {
        if (all->members[i].offset == offset) {
            return;
        }
    }
    if (all->count < MEMBERS_MAX) {
        all->members[all->count++] = (Member){offset, found_string(name)};
    }
}

static void add_known(Members *all, const Known *list, size_t count, PyTypeObject *type)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].type == NULL || (type != NULL && PyType_IsSubtype(type, list[i].type))) {
            add_member(all, (int32_t)list[i].offset, list[i].name);
        }
    }
}

/* Those that the type and its bases list themselves: slots, and what C code exports as a member. */
static void add_listed(Members *all, PyTypeObject *type)
{
    for (; type != NULL; type = type->tp_base) {
        /* A class statement's lie behind the type. */
        PyMemberDef *list = type->tp_members;
        for (; list != NULL && list->name != NULL; list++) {
            bool refers = list->type == T_OBJECT || list->type == T_OBJECT_EX;
            if (refers && list->offset >= (Py_ssize_t)sizeof(PyObject) && list->offset < 1 << 16 &&
                !(list->flags & 8)) { /* Py_RELATIVE_OFFSET */
                add_member(all, (int32_t)list->offset, list->name);
            }
        }
    }
}

static void find_members(TypeInfo *info)
{
    PyTypeObject *type = info->type;
    Members all = {.count = 0};
    if (info->category == CATEGORY_EXCEPTION) {
        add_known(&all, of_exceptions, sizeof of_exceptions / sizeof *of_exceptions, NULL);
    }
    bool is_future = info->category == CATEGORY_TASK || info->category == CATEGORY_FUTURE;
    for (size_t i = 0; is_future && i < sizeof of_futures / sizeof *of_futures; i++) {
        add_member(&all, (int32_t)(sizeof(PyObject) + i * sizeof(PyObject *)), of_futures[i]);
    }
    if (info->category == CATEGORY_TYPE) {
        add_known(&all, of_types, sizeof of_types / sizeof *of_types, NULL);
    }
    add_known(&all, known, sizeof known / sizeof *known, type);
    add_listed(&all, type);
    bool managed = type->tp_flags & Py_TPFLAGS_MANAGED_DICT, listed = info->category == CATEGORY_TYPE;
    for (uint32_t i = 0; i < all.count; i++) {
        listed |= !managed && all.members[i].offset == type->tp_dictoffset;
    }
    if ((managed || type->tp_dictoffset != 0) && !listed) {
        add_member(&all, MEMBER_DICT, "__dict__");
    }
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        add_member(&all, MEMBER_TYPE, "__class__");
    }
    Member *members = columns_keep(all.count * sizeof *members);
    if (members != NULL) {
        memcpy(members, all.members, all.count * sizeof *members);
        info->members = members;
        info->member_count = all.count;
    }
    PyDictKeysObject *keys = shared_keys(type);
    uint32_t *names = keys == NULL ? NULL : columns_keep((size_t)keys->dk_nentries * sizeof *names);
    for (Py_ssize_t i = 0; names != NULL && i < keys->dk_nentries; i++) {
        PyObject *value;
        names[i] = text_number(dict_entry(NULL, keys, i, &value), NAME_CHARACTERS_MAX);
        info->key_count++;
    }
    info->keys = names;
}

static Walking walking_of(const TypeInfo *info)
{
    PyTypeObject *type = info->type;
    switch (info->category) {
    case CATEGORY_GENERATOR:
    case CATEGORY_COROUTINE:
    case CATEGORY_ASYNC_GENERATOR: return WALK_GENERATOR;
    case CATEGORY_FRAME: return WALK_FRAME;
    default: break;
    }
    return type == &PyList_Type                                   ? WALK_LIST
           : type == &PyTuple_Type                                ? WALK_TUPLE
           : type == &PyDict_Type                                 ? WALK_DICT
           : is_called(type, "hamt_bitmap_node")                  ? WALK_HAMT
           : is_called(type, "functools._lru_list_elem")          ? WALK_LRU
           : is_called(type, "functools._lru_cache_wrapper")      ? WALK_LRU_CACHE
           : is_called(type, "_thread._localdummy")               ? WALK_DUMMY
           : type->tp_traverse == NULL && info->member_count == 0 ? WALK_ATOM
                                                                  : WALK_BY_TRAVERSE;
}

static Owning owning_of(PyTypeObject *type)
{
    return PyType_IsSubtype(type, &PyByteArray_Type)  ? OWNS_BYTEARRAY
           : descends_from(type, "numpy.ndarray")     ? OWNS_ARRAY
           : descends_from(type, "collections.deque") ? OWNS_DEQUE
                                                      : OWNS_NOTHING;
}

/* ---- all types ---- */

static TypeInfo **slots; /* by the type's address, open addressing */
static size_t slot_count, filled;

static TypeInfo **slot_of(PyTypeObject *type)
{
    size_t at = (((uintptr_t)type >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (slot_count - 1);
    while (slots[at] != NULL && slots[at]->type != type) {
        at = (at + 1) & (slot_count - 1);
    }
    return &slots[at];
}

static bool make_room(void)
{
    if (filled * 2 < slot_count) {
        return true;
    }
    TypeInfo **before = slots;
    size_t count = slot_count;
    slot_count = count == 0 ? 1 << 12 : count * 4;
    slots = columns_keep(slot_count * sizeof(TypeInfo *));
    for (size_t i = 0; slots != NULL && i < count; i++) {
        if (before[i] != NULL) {
            *slot_of(before[i]->type) = before[i];
        }
    }
    return slots != NULL;
}

TypeInfo *type_info(PyTypeObject *type)
{
    static TypeInfo *last;
    if (last != NULL && last->type == type) {
        return last;
    }
    if (!make_room()) {
        return NULL;
    }
    TypeInfo **slot = slot_of(type);
    if (*slot == NULL) {
        TypeInfo *info = columns_keep(sizeof *info);
        if (info == NULL) {
            return NULL;
        }
        *slot = info;
        filled++;
        info->type = type;
        info->category = category_of(type);
        info->rest = rest_of(type, info->category);
        find_members(info);
        info->walking = walking_of(info);
        info->owning = owning_of(type);
        uint16_t flags = (uint16_t)((type->tp_flags & Py_TPFLAGS_HAVE_GC ? TYPE_COLLECTED : 0) |
                                    (type->tp_flags & Py_TPFLAGS_HEAPTYPE ? TYPE_HEAP : 0));
        info->row = add_row(found_row(type), name_of(type), info->category, flags, type->tp_basicsize);
        info->plain_shape = found_shape(info->row, info->rest, NULL, 0);
    }
    last = *slot;
    return last;
}
