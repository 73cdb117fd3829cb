/* Where line events come from: sys.monitoring on 3.12 and later, a trace function on 3.11. */
#ifndef OUTLIVE_EVENTS_H
#define OUTLIVE_EVENTS_H

#include "pycompat.h"

#if HAVE_MONITORING

/* sys.monitoring callbacks, to be registered from Python. Each takes the arguments that PEP 669 gives its
 * event and returns None. */
PyObject *on_call(PyObject *module, PyObject *const *args, Py_ssize_t count);   /* PY_START */
PyObject *on_resume(PyObject *module, PyObject *const *args, Py_ssize_t count); /* PY_RESUME, PY_THROW */
PyObject *on_line(PyObject *module, PyObject *const *args, Py_ssize_t count);   /* LINE */
PyObject *on_leave(PyObject *module, PyObject *const *args,
                   Py_ssize_t count); /* PY_RETURN, PY_YIELD, PY_UNWIND */

#else

/* Why line events may be missing: a profiled function set a trace function of its own; C stack ran low in
 * some thread, and until that thread returned no frame began to be traced. */
enum { LOST_TO_SETTRACE = 1, LOST_TO_DEPTH = 2 };

/* Which of these happened, or'ed. */
int trace_losses(void);

/* Begins, or ends, line events for the chosen code objects in all threads. */
void trace_start(void);
void trace_stop(void);

#endif
#endif
