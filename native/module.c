/* The binding, with heap_functions.c and ticker.c for their parts: arguments in, plain data out, no policy.
 */
#include "blocks.h"
#include "counters.h"
#include "events.h"
#include "heap_figures.h"
#include "heap_functions.h"
#include "hooks.h"
#include "lines.h"
#include "pycompat.h"
#include "recording.h"
#include "samples.h"
#include "scope_functions.h"
#include "ticker.h"

#include <stdlib.h>

/* False with an error in a sub-interpreter. The module's state is the process's; an interpreter that shares
 * the main one's GIL gets a copy of the module without PyInit being called. */
static bool in_main_interpreter(void)
{
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError, "outlive works in the main interpreter only");
        return false;
    }
    return true;
}

PyDoc_STRVAR(start_doc,
             "start(modes, interval, seed, size=8388608)\n--\n\n"
             "Begin MODE_EXACT, MODE_SAMPLE (and beside it MODE_NATIVE) or MODE_COARSE. `interval` (bytes), "
             "`seed` and `size`, the recording's bytes, matter to sampling only. "
             "Returns the number of the last recording.");

static PyObject *start(PyObject *module, PyObject *args)
{
    int modes;
    unsigned long long interval, seed, size = RECORDING_BYTES_DEFAULT;
    if (!in_main_interpreter() || !PyArg_ParseTuple(args, "iKK|K:start", &modes, &interval, &seed, &size)) {
        return NULL;
    }
    if ((modes & ~(MODE_EXACT | MODE_SAMPLE | MODE_COARSE | MODE_NATIVE)) != 0 || interval == 0 ||
        interval >> 48 != 0) {
        return PyErr_Format(PyExc_ValueError,
                            "start() takes MODE_ constants and an interval from 1 byte to 2**48 - 1");
    }
    if (size < RECORDING_BYTES_MIN || size > RECORDING_BYTES_MAX || size % 4096 != 0) {
        return PyErr_Format(PyExc_ValueError, "a recording has %zd to %zd bytes, in whole pages",
                            (Py_ssize_t)RECORDING_BYTES_MIN, (Py_ssize_t)RECORDING_BYTES_MAX);
    }
    if (!hooks_start(modes, interval, seed, (size_t)size)) {
        return PyErr_NoMemory();
    }
    return PyLong_FromUnsignedLong(samples_number());
}

PyDoc_STRVAR(record_doc, "record(number, fd)\n--\n\n"
                         "Move the recording of this number into a file of its size, whose blocks are "
                         "allocated. The descriptor may be closed then.");

static PyObject *record(PyObject *module, PyObject *args)
{
    unsigned number;
    int fd;
    if (!in_main_interpreter() || !PyArg_ParseTuple(args, "Ii:record", &number, &fd)) {
        return NULL;
    }
    if (!hooks_record(number, fd)) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(write_doc,
             "write(number, offset, data)\n--\n\n"
             "Put bytes into notes or timeline of the recording of this number, unless it is over.");

static PyObject *write_recording(PyObject *module, PyObject *args)
{
    unsigned number;
    unsigned long long offset;
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "IKy*:write", &number, &offset, &data)) {
        return NULL;
    }
    bool inside = samples_write(number, offset, data.buf, (size_t)data.len);
    PyBuffer_Release(&data);
    if (!inside) {
        return PyErr_Format(PyExc_ValueError, "byte %llu is not in notes or timeline", offset);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(damaged_doc, "damaged()\n--\n\nWhether others wrote to the recording's file, or cut it.");

static PyObject *damaged(PyObject *module, PyObject *unused)
{
    return PyBool_FromLong(samples_are_damaged());
}

PyDoc_STRVAR(conclude_doc, "conclude()\n--\n\nLeave the recording as it is until sampling is started again.");

static PyObject *conclude(PyObject *module, PyObject *unused)
{
    samples_conclude();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(sampled_doc,
             "sampled()\n--\n\n"
             "(bytes in use, their variance, those in Python's blocks above 512 bytes, live samples, samples "
             "dropped, interval in force), estimated from all live samples.");

static PyObject *sampled(PyObject *module, PyObject *unused)
{
    SamplesTotal total = samples_total();
    return Py_BuildValue("dddKKK", total.bytes, total.bytes_variance, total.large_bytes,
                         (unsigned long long)total.samples, (unsigned long long)total.dropped,
                         (unsigned long long)total.interval);
}

PyDoc_STRVAR(stop_doc, "stop(mode)\n--\n\nEnd a mode and forget its blocks.");

static PyObject *stop(PyObject *module, PyObject *args)
{
    int mode;
    if (!in_main_interpreter() || !PyArg_ParseTuple(args, "i:stop", &mode)) {
        return NULL;
    }
    hooks_stop(mode);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(mode_doc, "mode()\n--\n\nThe modes that run, or'ed.");

static PyObject *mode(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(hooks_mode());
}

PyDoc_STRVAR(intact_doc,
             "intact()\n--\n\nWhether no other tool has taken the allocators away from the running modes.");

static PyObject *intact(PyObject *module, PyObject *unused)
{
    return PyBool_FromLong(hooks_intact());
}

PyDoc_STRVAR(mend_doc, "mend()\n--\n\nPut back hooks that another tool took away, and say whether any were.");

static PyObject *mend(PyObject *module, PyObject *unused)
{
    return PyBool_FromLong(hooks_mend());
}

PyDoc_STRVAR(
    adopt_modules_doc,
    "adopt_modules()\n--\n\n"
    "Watch the blocks that extension modules loaded since report; returns how many calls were found.");

static PyObject *adopt_modules(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(hooks_adopt_modules());
}

PyDoc_STRVAR(
    counters_doc,
    "counters()\n--\n\n"
    "(in use, its high-water mark) in bytes, and blocks not counted, since exact or coarse counting began.");

static PyObject *counters(PyObject *module, PyObject *unused)
{
    counters_flush_nopy(&thread_counters);
    return Py_BuildValue("LLK", (long long)atomic_load(&process_in_use),
                         (long long)atomic_load(&process_peak), (unsigned long long)blocks_dropped());
}

PyDoc_STRVAR(restart_peak_doc,
             "restart_peak()\n--\n\nLet the high-water mark begin again, at what is in use now.");

static PyObject *restart_peak(PyObject *module, PyObject *unused)
{
    counters_restart_peak();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(sites_doc,
             "sites()\n--\n\n"
             "[(file, function, line, bytes, variance of bytes, blocks, samples), ...]: what holds "
             "live samples, one row a stack, named by its innermost frame.");

/* A row of sites(), or NULL with an error. File names need not be UTF-8. */
static PyObject *site_row(const SiteTotal *site)
{
    PyObject *file = PyUnicode_DecodeUTF8(site->file, (Py_ssize_t)strlen(site->file), "replace");
    PyObject *function = PyUnicode_DecodeUTF8(site->function, (Py_ssize_t)strlen(site->function), "replace");
    PyObject *row = NULL;
    if (file != NULL && function != NULL) {
        row = Py_BuildValue("OOIdddK", file, function, site->line, site->bytes, site->bytes_variance,
                            site->blocks, (unsigned long long)site->samples);
    }
    Py_XDECREF(file);
    Py_XDECREF(function);
    return row;
}

static PyObject *sites(PyObject *module, PyObject *unused)
{
    size_t capacity = samples_by_stack(NULL, 0) + 64; /* there may be more now */
    SiteTotal *totals = calloc(capacity, sizeof *totals);
    if (totals == NULL) {
        return PyErr_NoMemory();
    }
    size_t count = samples_by_stack(totals, capacity);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < count && i < capacity; i++) {
        PyObject *row = site_row(&totals[i]);
        if (row == NULL || PyList_Append(list, row) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(row);
    }
    free(totals);
    return list;
}

PyDoc_STRVAR(heap_doc,
             "heap()\n--\n\n"
             "(name of the allocators as found, pymalloc's report on itself or \"\", (heaps, in use, "
             "free, mapped) of malloc or None). Gives the GIL up while malloc counts.");

static PyObject *heap(PyObject *module, PyObject *unused)
{
    if (!in_main_interpreter()) {
        return NULL;
    }
    MallocFigures figures;
    bool known;
    Py_BEGIN_ALLOW_THREADS
    known = malloc_figures(&figures);
    Py_END_ALLOW_THREADS
    char *report = pymalloc_report();
    if (report == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *result = known ? Py_BuildValue("ss(nnnn)", allocators_name(), report, figures.heaps,
                                             figures.in_use, figures.free, figures.mapped)
                             : Py_BuildValue("ssO", allocators_name(), report, Py_None);
    free(report);
    return result;
}

PyDoc_STRVAR(trim_doc,
             "trim()\n--\n\n"
             "Give the system what malloc has free; False where that can't be done. Gives up the GIL.");

static PyObject *trim(PyObject *module, PyObject *unused)
{
    bool able;
    Py_BEGIN_ALLOW_THREADS
    able = malloc_give_back();
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(able);
}

PyDoc_STRVAR(choose_doc,
             "choose(code, lines, start)\n--\n\n"
             "Keep line figures for a code object. `lines`: C ints, the line of each code unit, 0 for none; "
             "`start`: byte offset of the instruction at which a call begins.");

static PyObject *choose(PyObject *module, PyObject *args)
{
    PyCodeObject *code;
    Py_buffer lines;
    int start_instruction;
    if (!in_main_interpreter() ||
        !PyArg_ParseTuple(args, "O!y*i:choose", &PyCode_Type, &code, &lines, &start_instruction)) {
        return NULL;
    }
    ChosenCode *chosen =
        lines_choose(code, lines.buf, (int)(lines.len / (Py_ssize_t)sizeof(int)), start_instruction);
    PyBuffer_Release(&lines);
    if (chosen == NULL) {
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(
    figures_doc,
    "figures()\n--\n\n"
    "[(code, calls, [(line, occurrences, increment, in use, peak), ...]), ...] for the lines that ran.");

static PyObject *figures_of(const ChosenCode *chosen)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < chosen->line_count; i++) {
        const LineFigures *f = &chosen->figures[i];
        if (f->occurrences == 0) {
            continue;
        }
        PyObject *row = Py_BuildValue("iKLLL", chosen->first_line + i, (unsigned long long)f->occurrences,
                                      (long long)f->increment, (long long)f->in_use, (long long)f->peak);
        if (row == NULL || PyList_Append(list, row) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *figures(PyObject *module, PyObject *unused)
{
    PyObject *list = PyList_New(0);
    ChosenCode *chosen;
    for (size_t i = 0; list != NULL && (chosen = lines_at(i)) != NULL; i++) {
        PyObject *lines = figures_of(chosen);
        PyObject *row = lines == NULL
                            ? NULL
                            : Py_BuildValue("OKN", chosen->code, (unsigned long long)chosen->calls, lines);
        if (row == NULL || PyList_Append(list, row) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(row);
    }
    return list;
}

PyDoc_STRVAR(lines_lost_doc,
             "lines_lost()\n--\n\n"
             "(accounts that found no memory, whether a profiled function's sys.settrace() ended "
             "its events, whether deep recursion kept frames from being followed).");

static PyObject *lines_lost(PyObject *module, PyObject *unused)
{
#if HAVE_MONITORING
    bool settrace = false, depth = false; /* neither can happen here */
#else
    bool settrace = trace_losses() & LOST_TO_SETTRACE, depth = trace_losses() & LOST_TO_DEPTH;
#endif
    return Py_BuildValue("KOO", (unsigned long long)lines_dropped(), settrace ? Py_True : Py_False,
                         depth ? Py_True : Py_False);
}

#if HAVE_MONITORING
PyDoc_STRVAR(on_call_doc, "on_call(code, instruction, /)\n--\n\nsys.monitoring callback for PY_START.");
PyDoc_STRVAR(on_resume_doc, "on_resume(code, instruction, exception=None, /)\n--\n\n"
                            "sys.monitoring callback for PY_RESUME and PY_THROW.");
PyDoc_STRVAR(on_line_doc, "on_line(code, line, /)\n--\n\nsys.monitoring callback for LINE.");
PyDoc_STRVAR(on_leave_doc, "on_leave(code, instruction, value, /)\n--\n\n"
                           "sys.monitoring callback for PY_RETURN, PY_YIELD and PY_UNWIND.");
#else
PyDoc_STRVAR(trace_doc, "trace(on)\n--\n\nBegin or end line events for the chosen code objects.");

static PyObject *trace(PyObject *module, PyObject *args)
{
    int on;
    if (!PyArg_ParseTuple(args, "p:trace", &on)) {
        return NULL;
    }
    if (on) {
        trace_start();
    } else {
        trace_stop();
    }
    Py_RETURN_NONE;
}
#endif

static PyMethodDef methods[] = {
    {"start", start, METH_VARARGS, start_doc},
    {"stop", stop, METH_VARARGS, stop_doc},
    {"mode", mode, METH_NOARGS, mode_doc},
    {"intact", intact, METH_NOARGS, intact_doc},
    {"mend", mend, METH_NOARGS, mend_doc},
    {"damaged", damaged, METH_NOARGS, damaged_doc},
    {"conclude", conclude, METH_NOARGS, conclude_doc},
    {"adopt_modules", adopt_modules, METH_NOARGS, adopt_modules_doc},
    {"counters", counters, METH_NOARGS, counters_doc},
    {"restart_peak", restart_peak, METH_NOARGS, restart_peak_doc},
    {"record", record, METH_VARARGS, record_doc},
    {"write", write_recording, METH_VARARGS, write_doc},
    {"sampled", sampled, METH_NOARGS, sampled_doc},
    {"sites", sites, METH_NOARGS, sites_doc},
    {"heap", heap, METH_NOARGS, heap_doc},
    {"trim", trim, METH_NOARGS, trim_doc},
    {"choose", choose, METH_VARARGS, choose_doc},
    {"figures", figures, METH_NOARGS, figures_doc},
    {"lines_lost", lines_lost, METH_NOARGS, lines_lost_doc},
#if HAVE_MONITORING
    {"on_call", (PyCFunction)(void (*)(void))on_call, METH_FASTCALL, on_call_doc},
    {"on_resume", (PyCFunction)(void (*)(void))on_resume, METH_FASTCALL, on_resume_doc},
    {"on_line", (PyCFunction)(void (*)(void))on_line, METH_FASTCALL, on_line_doc},
    {"on_leave", (PyCFunction)(void (*)(void))on_leave, METH_FASTCALL, on_leave_doc},
#else
    {"trace", trace, METH_VARARGS, trace_doc},
#endif
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "outlive._native",
    .m_doc = "The native core: counts and samples blocks, follows lines. Use outlive's public names instead.",
    .m_size = -1, /* one per process */
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__native(void)
{
    static bool ready;
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) {
        return NULL;
    }
    if (PyModule_AddFunctions(module, ticker_functions) < 0 ||
        PyModule_AddIntConstant(module, "MODE_EXACT", MODE_EXACT) < 0 ||
        PyModule_AddIntConstant(module, "MODE_SAMPLE", MODE_SAMPLE) < 0 ||
        PyModule_AddIntConstant(module, "MODE_COARSE", MODE_COARSE) < 0 ||
        PyModule_AddIntConstant(module, "MODE_NATIVE", MODE_NATIVE) < 0 ||
        PyModule_AddFunctions(module, heap_functions) < 0 ||
        PyModule_AddFunctions(module, scope_functions) < 0 || (!ready && !hooks_init())) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ImportError, "outlive: no thread-local key is left in this process");
        }
        Py_DECREF(module);
        return NULL;
    }
    if (!ready) {
        heap_figures_init();
    }
    ready = true;
    return module;
}
