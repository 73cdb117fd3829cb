#include "pycompat_heap.h" /* before any other header */

#include "heap_frames.h"

#include "heap_refer.h"

/* References of a frame; its locals by their names. */
static void refer_frame(Named *named, const struct _PyInterpreterFrame *frame, bool locals_are_valid)
{
    PyCodeObject *code = iframe_code(frame);
    refer_named(named, (PyObject *)code, found_string("f_code"));
    refer_named(named, iframe_function(frame), found_string("f_func"));
    refer_named(named, frame->f_locals, found_string("f_locals"));
    refer_named(named, (PyObject *)frame->frame_obj, found_string("frame"));
    for (int i = 0; locals_are_valid && code != NULL && i < code->co_nlocalsplus; i++) {
        PyObject *name = PyTuple_GET_ITEM(code->co_localsplusnames, i);
        refer_named(named, frame->localsplus[i], text_number(name, 200));
    }
}

/* References on the evaluation stack, if its height is known: it stands still then. */
static void refer_stack(const struct _PyInterpreterFrame *frame)
{
    PyCodeObject *code = iframe_code(frame);
    if (code != NULL) {
        int top = frame->stacktop, most = code->co_nlocalsplus + code->co_stacksize;
        for (int i = code->co_nlocalsplus; i < top && top <= most; i++) {
            refer(frame->localsplus[i]);
        }
    }
}

static uint32_t line_of(const struct _PyInterpreterFrame *frame)
{
    PyCodeObject *code = iframe_code(frame);
    int line = code == NULL ? 0 : iframe_line(frame, code);
    return line < 0 ? (uint32_t)code->co_firstlineno : (uint32_t)line;
}

static uint32_t code_row(const struct _PyInterpreterFrame *frame)
{
    PyCodeObject *code = iframe_code(frame);
    return code == NULL ? NO_ROW : found_row(code);
}

void visit_running_frame(const struct _PyInterpreterFrame *frame, uint32_t type)
{
    static Named named;
    named.count = 0;
    refer_frame(&named, frame, true);
    refer_stack(frame);
    found_frame((uint32_t)found.walked, code_row(frame), line_of(frame), FRAME_IS_RUNNING);
    found_walked(found_shape(type, REST_STACK, named.names, named.count), 0, 0);
}

Py_ssize_t running_stack(const struct _PyInterpreterFrame *frame, PyObject *const **slots)
{
    PyCodeObject *code = iframe_code(frame);
    if (code == NULL || frame->stacktop >= code->co_nlocalsplus) {
        return 0; /* none, or its height was known */
    }
    *slots = frame->localsplus + code->co_nlocalsplus;
    return code->co_stacksize;
}

static uint32_t state_of(int8_t state)
{
    return state == FRAME_CREATED     ? FRAME_IS_CREATED
           : state == FRAME_EXECUTING ? FRAME_IS_RUNNING
           : state >= FRAME_COMPLETED ? FRAME_IS_FINISHED
                                      : FRAME_IS_SUSPENDED;
}

/* Of generators and frames, which have items but no ob_size: other fields lie in its place. */
static uint64_t bytes_with_slots(PyTypeObject *type, const PyCodeObject *code)
{
    uint64_t slots = code == NULL ? 0 : (uint64_t)(code->co_nlocalsplus + code->co_stacksize);
    return (uint64_t)type->tp_basicsize + slots * sizeof(PyObject *) + bytes_before(type);
}

void visit_generator(PyObject *object, TypeInfo *info)
{
    static Named named;
    named.count = 0;
    PyGenObject *generator = (PyGenObject *)object;
    const struct _PyInterpreterFrame *frame =
        (const struct _PyInterpreterFrame *)(void *)generator->gi_iframe;
    uint32_t state = state_of(generator->gi_frame_state), row = (uint32_t)found.walked;
    bool has_frame = state != FRAME_IS_FINISHED;
    refer_named(&named, generator->gi_name, found_string("__name__"));
    refer_named(&named, generator->gi_qualname, found_string("__qualname__"));
    /* 3.11 has it apart from the frame, which loses it in the end. */
    PyCodeObject *code = (PyCodeObject *)(void *)generator_code(generator);
    refer_named(&named, (PyObject *)code, found_string("gi_code"));
    refer_named(&named, generator->gi_exc_state.exc_value, found_string("exception"));
    if (info->category != CATEGORY_GENERATOR) { /* whose field nobody ever sets */
        refer_named(&named, generator->gi_origin_or_finalizer, found_string("finalizer"));
    }
    if (has_frame) {
        refer_frame(&named, frame, true);
        found_frame(row, code_row(frame), line_of(frame), state);
    } else {
        if (code == NULL) {
            code = iframe_code(frame);
            refer_named(&named, (PyObject *)code, found_string("f_code"));
        }
        found_frame(row, code == NULL ? NO_ROW : found_row(code), 0, state);
    }
    if (has_frame && state != FRAME_IS_RUNNING) {
        refer_stack(frame);
    }
    uint64_t bytes = bytes_with_slots(info->type, code != NULL ? code : iframe_code(frame));
    found_walked(found_shape(info->row, REST_STACK, named.names, named.count), bytes,
                 object_refcount(object));
}

void visit_frame(PyObject *object, TypeInfo *info)
{
    static Named named;
    named.count = 0;
    PyFrameObject *itself = (PyFrameObject *)object;
    const struct _PyInterpreterFrame *frame = itself->f_frame;
    refer_named(&named, (PyObject *)itself->f_back, found_string("f_back"));
    refer_named(&named, itself->f_trace, found_string("f_trace"));
    bool own = frame != NULL && frame->owner == FRAME_OWNED_BY_FRAME_OBJECT;
    if (own) {
        refer_frame(&named, frame, true);
        refer_stack(frame);
    }
    if (frame != NULL) {
        found_frame((uint32_t)found.walked, code_row(frame), line_of(frame),
                    own ? FRAME_IS_FINISHED : FRAME_IS_UNKNOWN);
    }
    uint64_t bytes = bytes_with_slots(info->type, frame == NULL ? NULL : iframe_code(frame));
    found_walked(found_shape(info->row, REST_STACK, named.names, named.count), bytes,
                 object_refcount(object));
}
