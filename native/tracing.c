/* Line events on 3.11, which has no sys.monitoring.
 *
 * A trace function set on a thread slows every frame it runs. So none is set: a frame evaluation
 * function (PEP 523) switches tracing on as a chosen frame is entered, off for the callees that are not
 * chosen, and back on after them. A trace function that was there before (a debugger's, coverage's) stays in
 * charge of everything else, and in chosen frames it is called after ours.
 *
 * Under a frame evaluation function each Python call takes C stack. Near its end the function takes
 * itself out until the deep frame returns, so that recursion ends where it would have without us.
 */
#include "events.h"
#include "lines.h"

#if !HAVE_MONITORING

#include <pthread.h>

enum { STACK_RESERVE_MAX = 512 * 1024 };

/* The trace function this thread would have without us. Whether ours is on is read off the thread state
 * itself: greenlets swap C stacks under us, so nothing here may point into one. */
static _Thread_local Py_tracefunc theirs;
static _Thread_local char *stack_end;      /* lowest usable address; NULL until asked for */
static _Thread_local size_t stack_reserve; /* how much of it to leave */
static _PyFrameEvalFunction inner_evaluate;
static bool running;
static bool taken, deep; /* what trace_losses tells */

static int on_event(PyObject *theirs_object, PyFrameObject *frame, int what, PyObject *arg)
{
    const void *key = current_frame_nopy(PyThreadState_Get());
    if (what == PyTrace_LINE || what == PyTrace_CALL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        ChosenCode *chosen = running ? lines_find(code) : NULL;
        Py_DECREF(code);
        if (chosen != NULL && what == PyTrace_LINE) {
            lines_line(chosen, key, PyFrame_GetLineNumber(frame));
        } else if (chosen != NULL) {
            int instruction = PyFrame_GetLasti(frame);
            if (!lines_restart(key)) {
                lines_enter(chosen, key, instruction, instruction == chosen->start_instruction);
            }
        }
    } else if (what == PyTrace_RETURN) {
        lines_leave(key);
    }
    if (theirs == NULL) {
        return 0;
    }
    int result = theirs(theirs_object, frame, what, arg);
    PyThreadState *tstate = PyThreadState_Get();
    if (tstate->c_tracefunc != on_event) { /* it replaced itself, as a debugger does that lets go */
        theirs = tstate->c_tracefunc;
        tstate->c_tracefunc = on_event;
    }
    return result;
}

static void set_tracing(PyThreadState *tstate, Py_tracefunc function)
{
    tstate->c_tracefunc = function;
    tstate->cframe->use_tracing = function != NULL || tstate->c_profilefunc != NULL ? 255 : 0;
}

static bool stack_is_low(void)
{
    if (stack_end == NULL) {
        pthread_attr_t attributes;
        void *lowest;
        size_t bytes;
        if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
            return false;
        }
        pthread_attr_getstack(&attributes, &lowest, &bytes);
        pthread_attr_destroy(&attributes);
        stack_end = lowest;
        stack_reserve = bytes / 4 < STACK_RESERVE_MAX ? bytes / 4 : STACK_RESERVE_MAX;
    }
    /* Elsewhere than on this thread's own stack (a greenlet's copy is on it, a fiber's is not) we can't tell.
     * */
    char *here = __builtin_frame_address(0);
    return here > stack_end && (size_t)(here - stack_end) < stack_reserve;
}

/* Runs a frame with our tracing of its caller, if any, taken out for the time. */
static PyObject *evaluate_untraced(PyThreadState *tstate, struct _PyInterpreterFrame *frame, int throwing)
{
    if (tstate->c_tracefunc != on_event) {
        return inner_evaluate(tstate, frame, throwing);
    }
    set_tracing(tstate, theirs);
    PyObject *result = inner_evaluate(tstate, frame, throwing);
    if (tstate->c_tracefunc != on_event) {
        theirs = tstate->c_tracefunc; /* the callee may have set one: pdb.set_trace() does */
    }
    set_tracing(tstate, on_event);
    return result;
}

static PyObject *evaluate_traced(PyThreadState *tstate, struct _PyInterpreterFrame *frame, int throwing,
                                 ChosenCode *chosen)
{
    bool caller_traced = tstate->c_tracefunc == on_event;
    int instruction = frame_instruction(frame);
    if (instruction > chosen->start_instruction) {
        /* It resumes. Mostly a CALL event says so; not if a throw() ended what it awaited. */
        lines_enter(chosen, frame, instruction, false);
    }
    if (!caller_traced) {
        theirs = tstate->c_tracefunc;
    }
    set_tracing(tstate, on_event);
    PyObject *result = inner_evaluate(tstate, frame, throwing);
    lines_abandon(frame);
    if (tstate->c_tracefunc != on_event) { /* the frame itself called sys.settrace() */
        theirs = tstate->c_tracefunc;
        taken = true;
    }
    set_tracing(tstate, caller_traced ? on_event : theirs);
    return result;
}

static PyObject *evaluate(PyThreadState *tstate, struct _PyInterpreterFrame *frame, int throwing)
{
    if (tstate->tracing > 0) { /* within somebody's trace function, where no events come */
        return inner_evaluate(tstate, frame, throwing);
    }
    if (__builtin_expect(stack_is_low(), 0)) {
        deep = true;
        _PyInterpreterState_SetEvalFrameFunc(tstate->interp, inner_evaluate);
        PyObject *result = evaluate_untraced(tstate, frame, throwing);
        if (running && _PyInterpreterState_GetEvalFrameFunc(tstate->interp) == inner_evaluate) {
            _PyInterpreterState_SetEvalFrameFunc(tstate->interp, evaluate);
        }
        return result;
    }
    ChosenCode *chosen = running ? lines_find(frame_code(frame)) : NULL;
    if (chosen != NULL) {
        return evaluate_traced(tstate, frame, throwing, chosen);
    }
    return evaluate_untraced(tstate, frame, throwing);
}

int trace_losses(void)
{
    return (taken ? LOST_TO_SETTRACE : 0) | (deep ? LOST_TO_DEPTH : 0);
}

void trace_start(void)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    _PyFrameEvalFunction there = _PyInterpreterState_GetEvalFrameFunc(interpreter);
    running = true;
    if (there != evaluate) {
        inner_evaluate = there;
        _PyInterpreterState_SetEvalFrameFunc(interpreter, evaluate);
    }
}

void trace_stop(void)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    running = false;
    if (_PyInterpreterState_GetEvalFrameFunc(interpreter) == evaluate) {
        _PyInterpreterState_SetEvalFrameFunc(interpreter, inner_evaluate);
    }
}

#endif
