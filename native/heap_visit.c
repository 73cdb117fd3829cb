#include "pycompat_heap.h" /* before any other header */

#include "heap_visit.h"

#include <string.h>

#include "heap_frames.h"
#include "heap_found.h"
#include "heap_refer.h"
#include "heap_size.h"

static uint32_t *edges_from(size_t first)
{
    return column_rows(&found.edges) + first;
}

static int refer_visited(PyObject *to, void *unused)
{
    (void)unused;
    refer(to);
    return 0;
}

static void walked(PyObject *object, const TypeInfo *info, uint32_t shape)
{
    found_walked(shape, object_bytes(object, info), object_refcount(object));
}

/* ---- dicts ---- */

static void refer_key(PyObject *key)
{
    uint32_t row = found_row(key);
    column_push32(&found.edges, row);
    if (PyUnicode_Check(key) || PyLong_Check(key) || PyBytes_Check(key)) {
        found_wants_text(row);
    }
}

static void refer_entries(PyDictObject *dict)
{
    PyDictKeysObject *keys = dict->ma_keys;
    for (Py_ssize_t i = 0; i < keys->dk_nentries; i++) {
        PyObject *value, *key = dict_entry(dict, keys, i, &value);
        if (key != NULL && value != NULL) {
            refer_key(key);
            refer(value);
        }
    }
}

/* What tp_traverse of dict visits. */
static void visited_of_dict(PyDictObject *dict, Column *rows)
{
    PyDictKeysObject *keys = dict->ma_keys;
    for (Py_ssize_t i = 0; i < keys->dk_nentries; i++) {
        PyObject *value, *key = dict_entry(dict, keys, i, &value);
        if (value != NULL) {
            column_push32(rows, found_row(value));
            if (!DK_IS_UNICODE(keys)) {
                column_push32(rows, found_row(key));
            }
        }
    }
}

/* ---- what subclasses of containers refer to besides ---- */

static Column content; /* what tp_traverse of the container itself visits */

static void list_content(PyObject *object, const TypeInfo *info)
{
    content.used = 0;
    if (info->category == CATEGORY_DICT) {
        visited_of_dict((PyDictObject *)object, &content);
    } else if (info->category == CATEGORY_LIST || info->category == CATEGORY_TUPLE) {
        PyObject **items = info->category == CATEGORY_LIST ? ((PyListObject *)object)->ob_item
                                                           : ((PyTupleObject *)object)->ob_item;
        for (Py_ssize_t i = 0; i < Py_SIZE(object); i++) {
            if (items[i] != NULL) {
                column_push32(&content, found_row(items[i]));
            }
        }
    }
}

/* Takes the container's content out of the edges from `first` on, if it is there in one piece. */
static bool cut_content(size_t first)
{
    size_t wanted = column_count(&content), there = column_count(&found.edges) - first;
    uint32_t *edges = edges_from(first);
    /* A traverse of C code has it before or after its own; those are few. */
    for (size_t at = 0; at + wanted <= there && at <= 64; at++) {
        if (memcmp(edges + at, content.bytes, content.used) == 0) {
            memmove(edges + at, edges + at + wanted, (there - at - wanted) * sizeof *edges);
            found.edges.used -= content.used;
            return true;
        }
    }
    return false;
}

static void put_content(PyObject *object, const TypeInfo *info)
{
    if (info->category == CATEGORY_DICT) {
        refer_entries((PyDictObject *)object);
    } else {
        column_push(&found.edges, content.bytes, content.used);
    }
}

/* ---- names ---- */

/* Moves the edge to a row to where the named ones end; adds it if it is not there. */
static void put_named(size_t first, size_t named, uint32_t row)
{
    size_t count = column_count(&found.edges) - first;
    uint32_t *edges = edges_from(first);
    for (size_t i = named; i < count; i++) {
        if (edges[i] == row) {
            memmove(edges + named + 1, edges + named, (i - named) * sizeof *edges);
            edges[named] = row;
            return;
        }
    }
    column_push32(&found.edges, row);
    if (!columns_failed) {
        edges = edges_from(first);
        memmove(edges + named + 1, edges + named, (count - named) * sizeof *edges);
        edges[named] = row;
    }
}

static PyObject *member_of(PyObject *object, Member member)
{
    switch (member.offset) {
    case MEMBER_DICT: return existing_dict(object);
    case MEMBER_TYPE: return (PyObject *)Py_TYPE(object);
    default: return *(PyObject **)((char *)object + member.offset);
    }
}

/* Names edges from `first` on; returns their shape. */
static uint32_t name_edges(PyObject *object, TypeInfo *info, size_t first)
{
    static uint32_t names[NAMES_MAX];
    uint32_t named = 0;
    uint64_t present = 0;
    for (uint32_t i = 0; i < info->member_count; i++) {
        PyObject *to = member_of(object, info->members[i]);
        if (to != NULL) {
            put_named(first, named, found_row(to));
            names[named++] = info->members[i].name;
            present |= UINT64_C(1) << (i & 63);
        }
    }
    PyObject **values = info->key_count == 0 ? NULL : inline_values(object);
    for (uint32_t i = 0; values != NULL && i < info->key_count; i++) {
        if (values[i] != NULL) {
            put_named(first, named, found_row(values[i]));
            names[named++] = info->keys[i];
            present |= UINT64_C(1) << ((info->member_count + i) & 63);
        }
    }
    if (named == 0) {
        return info->plain_shape;
    }
    bool fits = info->member_count + info->key_count <= 64;
    for (int i = 0; fits && i < SHAPES_KEPT && info->kept[i].shape != 0; i++) {
        if (info->kept[i].present == present) {
            return info->kept[i].shape;
        }
    }
    uint32_t shape = found_shape(info->row, info->rest, names, named);
    if (fits) {
        memmove(info->kept + 1, info->kept, (SHAPES_KEPT - 1) * sizeof *info->kept);
        info->kept[0].present = present;
        info->kept[0].shape = shape;
    }
    return shape;
}

/* What has no name in a container that pairs or counts its references would be taken for content. */
static uint32_t name_the_others(const TypeInfo *info, uint32_t shape, size_t first)
{
    size_t count = 0;
    const unsigned char *words = interner_bytes(&found.shapes, shape, &count);
    uint32_t named = (uint32_t)(count / sizeof(uint32_t)) - 2;
    uint32_t there = (uint32_t)(column_count(&found.edges) - first);
    if (there <= named || there > NAMES_MAX) {
        return shape;
    }
    static uint32_t names[NAMES_MAX];
    memcpy(names, words + 2 * sizeof *names, named * sizeof *names);
    for (uint32_t i = named; i < there; i++) {
        names[i] = found_string("");
    }
    return found_shape(info->row, info->rest, names, there);
}

static void visit_by_traverse(PyObject *object, TypeInfo *info)
{
    size_t first = column_count(&found.edges);
    bool contains = info->category == CATEGORY_DICT || info->category == CATEGORY_LIST ||
                    info->category == CATEGORY_TUPLE;
    if (info->type->tp_traverse != NULL) {
        info->type->tp_traverse(object, refer_visited, NULL);
    }
    bool apart = false;
    if (contains) {
        list_content(object, info);
        apart = cut_content(first);
    }
    uint32_t shape = name_edges(object, info, first);
    if (apart) {
        shape = name_the_others(info, shape, first);
        put_content(object, info);
    }
    walked(object, info, shape);
}

/* ---- types that are part of an executable: their traverse would end the process ---- */

static void visit_static_type(PyObject *object, const TypeInfo *info)
{
    PyTypeObject *type = (PyTypeObject *)object;
    const struct {
        const char *name;
        PyObject *to;
    } all[] = {
        {"__dict__", type_dict(type)},
        {"__bases__", type->tp_bases},
        {"__mro__", type->tp_mro},
        {"__base__", (PyObject *)type->tp_base},
        {"__subclasses__", static_subclasses(type)},
    };
    uint32_t names[sizeof all / sizeof *all], named = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].to != NULL) {
            refer(all[i].to);
            names[named++] = found_string(all[i].name);
        }
    }
    uint32_t row = (uint32_t)found.walked;
    found_root(row, ROOT_STATIC, 0);
    walked(object, info, found_shape(info->row, REST_OTHER, names, named));
}

/* ---- others that tell nobody what they refer to ---- */

/* A node of the mapping in a context: pairs of key and value; without a key, the value is another node. */
static void visit_hamt(PyObject *object, TypeInfo *info)
{
    static Named named;
    named.count = 0;
    PyObject **array = (PyObject **)(void *)((char *)object + sizeof(PyVarObject) + sizeof(PyObject *));
    for (Py_ssize_t i = 0; i + 1 < Py_SIZE(object); i += 2) {
        if (array[i] == NULL) {
            refer_named(&named, array[i + 1], found_string(""));
        }
    }
    for (Py_ssize_t i = 0; i + 1 < Py_SIZE(object); i += 2) {
        if (array[i] != NULL) {
            refer(array[i]);
            refer(array[i + 1]);
        }
    }
    walked(object, info, found_shape(info->row, REST_MAPPING, named.names, named.count));
}

/* A link: head, two neighbours that are borrowed, a hash, then the key and the result. */
static void visit_lru_link(PyObject *object, TypeInfo *info)
{
    static Named named;
    named.count = 0;
    PyObject **fields = (PyObject **)(void *)((char *)object + sizeof(PyObject));
    refer_named(&named, fields[3], found_string("key"));
    refer_named(&named, fields[4], found_string("result"));
    walked(object, info, found_shape(info->row, REST_OTHER, named.names, named.count));
}

typedef struct {
    PyObject_HEAD void *link[5], *wrapper;
    int typed;
    PyObject *cache;
    Py_ssize_t hits;
    PyObject *function;
    Py_ssize_t most, misses;
    PyObject *mark, *link_type, *info_type;
} LruCache;

static void visit_lru_cache(PyObject *object, TypeInfo *info)
{
    static Named named;
    named.count = 0;
    const LruCache *cache = (const LruCache *)(void *)object;
    refer_named(&named, cache->cache, found_string("cache"));
    refer_named(&named, cache->function, found_string("func"));
    refer_named(&named, existing_dict(object), found_string("__dict__"));
    refer_named(&named, (PyObject *)info->type, found_string("__class__"));
    refer(cache->mark);
    refer(cache->link_type);
    refer(cache->info_type);
    walked(object, info, found_shape(info->row, REST_OTHER, named.names, named.count));
}

static void visit_local_dummy(PyObject *object, TypeInfo *info)
{
    static Named named;
    named.count = 0;
    refer_named(&named, *(PyObject **)(void *)((char *)object + sizeof(PyObject)), found_string("__dict__"));
    walked(object, info, found_shape(info->row, REST_OTHER, named.names, named.count));
}

/* ---- details of some kinds ---- */

static void note_details(PyObject *object, const TypeInfo *info)
{
    uint32_t row = (uint32_t)found.walked;
    switch (info->category) {
    case CATEGORY_CODE: {
        PyCodeObject *code = (PyCodeObject *)object;
        found_code(row, text_number(code->co_qualname, 200), text_number(code->co_filename, 200),
                   (uint32_t)code->co_firstlineno);
        for (int i = code->co_nlocalsplus - code->co_nfreevars; i < code->co_nlocalsplus; i++) {
            found_wants_text(
                found_row(PyTuple_GET_ITEM(code->co_localsplusnames, i))); /* closures' variables */
        }
        break;
    }
    case CATEGORY_TRACEBACK: {
        PyTracebackObject *traceback = (PyTracebackObject *)object;
        PyCodeObject *code = traceback->tb_frame == NULL ? NULL : iframe_code(traceback->tb_frame->f_frame);
        int line = code == NULL ? 0 : PyCode_Addr2Line(code, traceback->tb_lasti);
        found_frame(row, code == NULL ? NO_ROW : found_row(code), line < 0 ? 0 : (uint32_t)line,
                    FRAME_IS_UNKNOWN);
        break;
    }
    case CATEGORY_MODULE:
    case CATEGORY_TASK:
    case CATEGORY_BUILTIN:
    case CATEGORY_CONTEXT_VARIABLE: found_wants_text(row); break;
    default: break;
    }
}

void visit_object(PyObject *object)
{
    TypeInfo *info = type_info(Py_TYPE(object));
    if (info == NULL) {
        return; /* out of memory: the walk ends */
    }
    note_details(object, info);
    switch (info->walking) {
    case WALK_ATOM: walked(object, info, info->plain_shape); break;
    case WALK_LIST:
        for (Py_ssize_t i = 0; i < Py_SIZE(object); i++) {
            refer(((PyListObject *)object)->ob_item[i]);
        }
        walked(object, info, info->plain_shape);
        break;
    case WALK_TUPLE:
        for (Py_ssize_t i = 0; i < Py_SIZE(object); i++) {
            refer(((PyTupleObject *)object)->ob_item[i]);
        }
        walked(object, info, info->plain_shape);
        break;
    case WALK_DICT:
        refer_entries((PyDictObject *)object);
        walked(object, info, info->plain_shape);
        break;
    case WALK_GENERATOR: visit_generator(object, info); break;
    case WALK_FRAME: visit_frame(object, info); break;
    case WALK_HAMT: visit_hamt(object, info); break;
    case WALK_LRU: visit_lru_link(object, info); break;
    case WALK_LRU_CACHE: visit_lru_cache(object, info); break;
    case WALK_DUMMY: visit_local_dummy(object, info); break;
    default:
        if (info->category == CATEGORY_TYPE && !(((PyTypeObject *)object)->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
            visit_static_type(object, info);
        } else {
            visit_by_traverse(object, info);
        }
    }
}
