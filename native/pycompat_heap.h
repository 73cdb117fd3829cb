/* What the walk of the heap must know of CPython's insides, by version: where the collector's lists begin,
 * how instances keep their attributes, dicts their entries, frames their locals. Everything here only reads.
 */
#ifndef OUTLIVE_PYCOMPAT_HEAP_H
#define OUTLIVE_PYCOMPAT_HEAP_H

#define Py_BUILD_CORE_MODULE 1
#include "pycompat.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* what CPython's own headers use */
#include <internal/pycore_context.h>
#include <internal/pycore_dict.h>
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_moduleobject.h>
#include <internal/pycore_object.h>
#if PY_VERSION_HEX >= 0x030C0000
#include <internal/pycore_typeobject.h>
#endif
#pragma GCC diagnostic pop

/* ---- the collector ---- */

enum { GC_LISTS = NUM_GENERATIONS + 1 };

/* The head of one of the lists that objects the collector knows are in; the last is of frozen ones. */
static inline PyGC_Head *gc_list(PyInterpreterState *interpreter, int number)
{
    struct _gc_runtime_state *state = &interpreter->gc;
    return number < NUM_GENERATIONS ? &state->generations[number].head : &state->permanent_generation.head;
}

/* The link after this one. Its lowest bits are the collector's. */
static inline PyGC_Head *gc_next(const PyGC_Head *link)
{
    return (PyGC_Head *)(link->_gc_next & ~(uintptr_t)3);
}

/* Whether a collection is under way: then the lists are incomplete. */
static inline bool gc_is_collecting(PyInterpreterState *interpreter)
{
    return interpreter->gc.collecting;
}

static inline bool is_immortal(PyObject *object)
{
#if PY_VERSION_HEX >= 0x030C0000
    return _Py_IsImmortal(object);
#else
    return Py_REFCNT(object) >= 1 << 28; /* static ones begin with 999999999 */
#endif
}

/* How many digits an int has room for. */
static inline Py_ssize_t int_digits(PyObject *integer)
{
#if PY_VERSION_HEX >= 0x030C0000
    Py_ssize_t digits = (Py_ssize_t)(((PyLongObject *)integer)->long_value.lv_tag >> 3);
    return digits > 0 ? digits : 1;
#else
    Py_ssize_t size = Py_SIZE(integer);
    return size < 0 ? -size : size;
#endif
}

/* ---- attributes ---- */

/* Bytes in front of an object. */
static inline size_t bytes_before(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030C0000
    bool more = type->tp_flags & Py_TPFLAGS_PREHEADER;
#else
    bool more = type->tp_flags & Py_TPFLAGS_MANAGED_DICT;
#endif
    return (type->tp_flags & Py_TPFLAGS_HAVE_GC ? sizeof(PyGC_Head) : 0) +
           (more ? 2 * sizeof(PyObject *) : 0);
}

/* An instance's attributes that are not in a dict, in the order of its type's shared keys; NULL if there are
 * none. */
static inline PyObject **inline_values(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
#if PY_VERSION_HEX >= 0x030D0000
    if (type->tp_flags & Py_TPFLAGS_INLINE_VALUES && _PyObject_InlineValues(object)->valid) {
        return _PyObject_InlineValues(object)->values;
    }
#elif PY_VERSION_HEX >= 0x030C0000
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        PyDictOrValues either = *_PyObject_DictOrValuesPointer(object);
        if (_PyDictOrValues_IsValues(either)) {
            return _PyDictOrValues_GetValues(either)->values;
        }
    }
#else
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT && *_PyObject_ValuesPointer(object) != NULL) {
        return (*_PyObject_ValuesPointer(object))->values;
    }
#endif
    return NULL;
}

/* Bytes of those attributes beyond the object's own and what is before it. */
static inline size_t inline_values_bytes(PyObject *object, PyObject **values)
{
#if PY_VERSION_HEX >= 0x030D0000
    (void)values;
    PyDictKeysObject *keys = ((PyHeapTypeObject *)Py_TYPE(object))->ht_cached_keys;
    size_t room = keys == NULL ? 0 : (size_t)(keys->dk_nentries + keys->dk_usable);
    return (1 + room) * sizeof(PyObject *) + ((room + 7) & ~(size_t)7);
#else
    size_t prefix = ((unsigned char *)values)[-1];
    PyDictKeysObject *keys = ((PyHeapTypeObject *)Py_TYPE(object))->ht_cached_keys;
    size_t room = keys == NULL ? 0 : (size_t)(keys->dk_nentries + keys->dk_usable);
    return prefix + room * sizeof(PyObject *);
#endif
}

/* The instance's dict, if there is one already. */
static inline PyObject *existing_dict(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
#if PY_VERSION_HEX >= 0x030D0000
        return (PyObject *)_PyObject_GetManagedDict(object);
#elif PY_VERSION_HEX >= 0x030C0000
        PyDictOrValues either = *_PyObject_DictOrValuesPointer(object);
        return _PyDictOrValues_IsValues(either) ? NULL : _PyDictOrValues_GetDict(either);
#else
        return *_PyObject_ManagedDictPointer(object);
#endif
    }
    Py_ssize_t offset = type->tp_dictoffset;
    if (offset == 0) {
        return NULL;
    }
    if (offset < 0) { /* from the end of an object of variable size */
        Py_ssize_t items = ((PyVarObject *)object)->ob_size;
        offset += (Py_ssize_t)_PyObject_VAR_SIZE(type, items < 0 ? -items : items);
    }
    return *(PyObject **)((char *)object + offset);
}

/* A type's own dict; borrowed. */
static inline PyObject *type_dict(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030C0000
    return _PyType_GetDict(type);
#else
    return type->tp_dict;
#endif
}

/* The dict of subclasses of a type that is part of an executable; NULL if it is kept elsewhere. */
static inline PyObject *static_subclasses(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030C0000
    return type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN ? NULL : (PyObject *)type->tp_subclasses;
#else
    return type->tp_subclasses;
#endif
}

/* The shared keys of a type's instances; NULL if they have none. */
static inline PyDictKeysObject *shared_keys(PyTypeObject *type)
{
    bool may = type->tp_flags & Py_TPFLAGS_HEAPTYPE && type->tp_flags & Py_TPFLAGS_MANAGED_DICT;
    return may ? ((PyHeapTypeObject *)type)->ht_cached_keys : NULL;
}

/* ---- dicts ---- */

/* Entry `i` of keys that have dk_nentries of them; the value is the dict's own if it shares its keys. */
static inline PyObject *dict_entry(PyDictObject *dict, PyDictKeysObject *keys, Py_ssize_t i, PyObject **value)
{
    PyObject *key;
    if (DK_IS_UNICODE(keys)) {
        PyDictUnicodeEntry *entry = &DK_UNICODE_ENTRIES(keys)[i];
        key = entry->me_key;
        *value = dict != NULL && dict->ma_values != NULL ? dict->ma_values->values[i] : entry->me_value;
    } else {
        PyDictKeyEntry *entry = &DK_ENTRIES(keys)[i];
        key = entry->me_key;
        *value = entry->me_value;
    }
    return key;
}

/* Bytes of a dict's tables. */
static inline size_t dict_table_bytes(PyDictObject *dict)
{
    PyDictKeysObject *keys = dict->ma_keys;
    size_t bytes = 0;
    if (dict->ma_values != NULL) {
        bytes += (size_t)(keys->dk_nentries + keys->dk_usable) * sizeof(PyObject *);
    }
    if (keys->dk_refcnt == 1) {
        size_t entry = DK_IS_UNICODE(keys) ? sizeof(PyDictUnicodeEntry) : sizeof(PyDictKeyEntry);
        size_t room = ((size_t)DK_SIZE(keys) << 1) / 3;
        bytes += sizeof *keys + ((size_t)1 << keys->dk_log2_index_bytes) + room * entry;
    }
    return bytes;
}

/* ---- frames ---- */

/* The code that a frame runs; NULL if it runs none of Python's. */
static inline PyCodeObject *iframe_code(const struct _PyInterpreterFrame *frame)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *code = frame->f_executable;
    return code != NULL && PyCode_Check(code) ? (PyCodeObject *)code : NULL;
#else
    return frame->f_code;
#endif
}

static inline PyObject *iframe_function(const struct _PyInterpreterFrame *frame)
{
#if PY_VERSION_HEX >= 0x030C0000
    return frame->f_funcobj;
#else
    return (PyObject *)frame->f_func;
#endif
}

/* Whether it is one that C code made to enter the interpreter: there is nothing in it. */
static inline bool iframe_is_entry(const struct _PyInterpreterFrame *frame)
{
#if PY_VERSION_HEX >= 0x030C0000
    return frame->owner == FRAME_OWNED_BY_CSTACK;
#else
    (void)frame;
    return false;
#endif
}

/* The line that it is at. */
static inline int iframe_line(const struct _PyInterpreterFrame *frame, PyCodeObject *code)
{
    return PyCode_Addr2Line(code, _PyInterpreterFrame_LASTI((struct _PyInterpreterFrame *)frame) *
                                      (int)sizeof(_Py_CODEUNIT));
}

/* What a generator, coroutine or asynchronous generator holds of its code besides its frame. */
static inline PyObject *generator_code(PyGenObject *generator)
{
#if PY_VERSION_HEX >= 0x030C0000
    (void)generator;
    return NULL;
#else
    return (PyObject *)generator->gi_code;
#endif
}

/* The generator, coroutine or asynchronous generator that this is the frame of. */
static inline PyObject *iframe_generator(const struct _PyInterpreterFrame *frame)
{
    return (PyObject *)((char *)frame - offsetof(PyGenObject, gi_iframe));
}

/* ---- the interpreter ---- */

/* What it holds by itself. Calls `holds` with each, named. */
static inline void interpreter_roots(PyInterpreterState *interpreter,
                                     void (*holds)(PyObject *object, const char *name))
{
#if PY_VERSION_HEX >= 0x030C0000
    holds(interpreter->imports.modules, "sys.modules");
    holds(interpreter->imports.modules_by_index, "modules by index");
    holds(interpreter->imports.importlib, "importlib");
    holds(interpreter->imports.import_func, "__import__");
#else
    holds(interpreter->modules, "sys.modules");
    holds(interpreter->modules_by_index, "modules by index");
    holds(interpreter->importlib, "importlib");
    holds(interpreter->import_func, "__import__");
#endif
    holds(interpreter->sysdict, "sys");
    holds(interpreter->builtins, "builtins");
#if PY_VERSION_HEX >= 0x030D0000
    holds(interpreter->codecs.search_path, "codecs");
    holds(interpreter->codecs.search_cache, "codecs");
    holds(interpreter->codecs.error_registry, "codecs");
#else
    holds(interpreter->codec_search_path, "codecs");
    holds(interpreter->codec_search_cache, "codecs");
    holds(interpreter->codec_error_registry, "codecs");
#endif
    holds(interpreter->before_forkers, "os.register_at_fork");
    holds(interpreter->after_forkers_parent, "os.register_at_fork");
    holds(interpreter->after_forkers_child, "os.register_at_fork");
    holds(interpreter->audit_hooks, "sys.addaudithook");
    holds(interpreter->gc.garbage, "gc.garbage");
    holds(interpreter->gc.callbacks, "gc.callbacks");
    for (int i = 0; i < interpreter->atexit.ncallbacks; i++) {
        if (interpreter->atexit.callbacks[i] != NULL) {
            holds(interpreter->atexit.callbacks[i]->func, "atexit");
            holds(interpreter->atexit.callbacks[i]->args, "atexit");
            holds(interpreter->atexit.callbacks[i]->kwargs, "atexit");
        }
    }
    holds(interpreter->dict, "interpreter state");
    holds(interpreter->builtins_copy, "builtins copy");
#if PY_VERSION_HEX >= 0x030C0000
    holds(interpreter->sysdict_copy, "sys copy");
#endif
}

/* The exception that a thread is raising; NULL if none. */
static inline PyObject *raised(PyThreadState *thread)
{
#if PY_VERSION_HEX >= 0x030C0000
    return thread->current_exception;
#else
    return thread->curexc_value;
#endif
}

#endif
