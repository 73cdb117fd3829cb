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

/* Begins, or ends, line events for the chosen code objects in all threads. */
void trace_start(void);
void trace_stop(void);

#endif
#endif
