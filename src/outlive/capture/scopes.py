"""Units of work with a name: which run of which scope this code is in, and what it allocates belongs to."""

from __future__ import annotations

from contextvars import ContextVar

from outlive.capture import callbacks, driver_threads, executors
from outlive.capture.core import native

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

    Labels = tuple[tuple[str, str], ...]
    Key = str | tuple[str, Labels]

# The core reads it while it samples. It is only ever set: see site_run_is_in in native/site.h.
_run: ContextVar[int] = ContextVar("outlive_run", default=0)
native.run_variable(_run)
_here, _enter_run = _run.get, _run.set
_begin, _end = native.run_begin, native.run_end

_ROW_OF_OTHERS = 1
_TEXT_MAX = 100  # characters of a name and of a label's value that count; a row has room for less
_PASSED_MAX = 256

# By name, or name and labels. One for which there was no room is not in here: names may be without end.
_rows: dict[Key, int] = {}
# Runs that ended before one within them did, and the run around each: the way back for that one.
_passed: dict[int, int] = {}


def are_named() -> bool:
    """Tell whether a scope of this recording has a name."""
    return bool(_rows)


def forget_rows() -> None:
    """Forget the numbers of scopes: another recording is to begin."""
    global _rows  # noqa: PLW0603 - another dict: what a thread is just adding goes into the old one
    _rows = {}
    _passed.clear()


def stop() -> None:
    """Leave executors and drivers as they were."""
    forget_rows()
    executors.leave()
    driver_threads.leave()
    callbacks.leave()


def row(key: Key) -> int:
    """Return the number of a scope in the recording, 0 if nothing is recorded."""
    if not native.mode() & native.MODE_SAMPLE:
        return 0
    rows = _rows
    name, labels = (key, ()) if isinstance(key, str) else key
    name = name[:_TEXT_MAX]
    found = rows.get((name, labels) if labels else name)
    if found is not None:
        return found
    executors.follow(_run)
    driver_threads.follow(_run)
    callbacks.follow()
    if not labels:
        return _added(rows, name, name, 0)
    shown = ", ".join([f"{label}={value}" for label, value in labels])
    return _added(rows, (name, labels), f"{name} {{{shown}}}", row(name))


def _added(rows: dict[Key, int], key: Key, name: str, base: int) -> int:
    text = name.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace")
    found = native.scope_add(text, base)
    # Of two threads that add a name at once, the first one's row is in use; a row without runs doesn't show.
    return found if found in {0, _ROW_OF_OTHERS, base} else rows.setdefault(key, found)


def here() -> int:
    """Return the run that this code is in, 0 for none."""
    return _here()


def enter(key: Key) -> tuple[int, int]:
    """Begin a run of a scope here. Return it, and the run that is around it, for `leave`."""
    run, around = _begin(_rows.get(key) or row(key)), _here()
    if run:
        _enter_run(run)
    return run, around


def leave(run: int, around: int, key: Key = "") -> None:
    """End a run; `key` is of the scope that it turned out to be of."""
    if not run:
        return
    _end(run, (_rows.get(key) or row(key)) if key else 0)
    if run == _here():
        for _ in range(_PASSED_MAX):  # another thread may clear it meanwhile
            further = _passed.get(around)
            if further is None:
                break
            around = further
        _enter_run(around)
    else:  # what is in force here instead has to step over this one when it ends
        if len(_passed) >= _PASSED_MAX:
            _passed.clear()
        _passed[run] = around


class scope:  # noqa: N801 - it is used as a function is
    """A unit of work by name: what is allocated within, and still alive when it has ended, outlives its run.

    `with outlive.scope("export", tenant=t):`, `async with`, or `@outlive.scope("export")` on a function, each
    call of which is a run then. The run goes along with the context: over `await`, into tasks, callbacks and
    threads that copy it, and into what a ThreadPoolExecutor is given. A scope within another one counts for
    itself. Does nothing while nothing is sampled.

    Args:
        name: of the kind of work, not of a single piece of it: "GET /exports/{id}", not "/exports/17". There
            is room for some hundreds; all others count as one.
        labels: to tell runs apart by; values are shown as text.

    Raises:
        TypeError: `name` is no str; or what is decorated is no function, or a generator.

    """

    __slots__ = ("_key", "_open")

    def __init__(self, name: str, /, **labels: object) -> None:
        if name.__class__ is not str:
            if not isinstance(name, str):
                raise TypeError(f"a scope's name is a str, not {type(name).__name__}")
            name = str.__str__(name)  # without what a subclass adds
        # As text, from now on: a label may be any object, and would be kept alive.
        self._key: Key = (
            (name, tuple([(label, _shown(value)) for label, value in labels.items()])) if labels else name
        )
        self._open: list[tuple[int, int]] = []  # runs begun with this object, each with the one around it

    def __enter__(self) -> None:  # `enter`, in place: every call counts here
        run = _begin(_rows.get(self._key) or row(self._key))
        self._open.append((run, _here()))
        if run:
            _enter_run(run)

    def __exit__(self, _kind: object = None, _error: object = None, _traceback: object = None) -> None:
        entered = self._open
        try:
            mine = entered[-1]
            if mine[0] != _here():
                mine = _of_this_context(entered)
            entered.remove(mine)
        except (IndexError, ValueError):  # closed twice
            return
        leave(*mine)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *_raised: object) -> None:
        self.__exit__()

    def __call__(self, function: F) -> F:
        """Return `function` with each call a run of its own."""
        return wrap(function, self._key)


def _of_this_context(entered: list[tuple[int, int]]) -> tuple[int, int]:
    """Of the runs begun with one object, return the last begun here, or else the one that is open longest.

    Else it was opened in another task than it is closed in. One begun while nothing was recorded is 0.
    """
    here = _here()
    for each in reversed(entered.copy()):
        if (each[0] or each[1]) == here:
            return each
    return entered[0]


def _shown(value: object) -> str:
    try:
        return str(value)[:_TEXT_MAX]
    except Exception:  # noqa: BLE001 - the program's own; it did not ask to have it shown
        return type(value).__name__


def wrap(function: F, key: Key) -> F:
    """Return `function` with each call a run of its own of a scope."""
    import functools
    import inspect

    if isinstance(function, (classmethod, staticmethod)):
        return type(function)(wrap(function.__func__, key))
    if not callable(function) or isinstance(function, type):
        what = f"the class {function.__name__}" if isinstance(function, type) else type(function).__name__
        raise TypeError(f"outlive.scope() decorates functions, not {what}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"outlive.scope() can't decorate {function.__qualname__}, a generator: its caller would run "
            "in the scope too. Put `with outlive.scope(...)` around the loop that asks it for values"
        )
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def wrapped(*args: object, **kwargs: object) -> object:
            run, around = enter(key)
            try:
                return await function(*args, **kwargs)
            finally:
                leave(run, around)
    else:

        @functools.wraps(function)
        def wrapped(*args: object, **kwargs: object) -> object:
            run, around = enter(key)
            try:
                return function(*args, **kwargs)
            finally:
                leave(run, around)

    return wrapped  # type: ignore[return-value]
