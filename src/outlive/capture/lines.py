"""Line tables of chosen functions: which code is chosen, when counting runs, what came of it."""

from __future__ import annotations

import atexit
import opcode
import os
import sys
from array import array
from types import CodeType, FunctionType

from outlive.capture import events, imports, peaks, streams
from outlive.capture.core import native

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable

    from outlive.model.lines import FunctionFigures

_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
_WRAPPERS_MAX = 100
_FILES_SHOWN = 3
_CO_OPTIMIZED = 1  # code with fast locals: a function's (inspect.CO_OPTIMIZED; inspect is not light)
_RESUME = opcode.opmap["RESUME"]

# Chosen code by identity (equal code may come from different files), with its file's size and mtime when
# chosen.
_chosen: dict[int, tuple[CodeType, tuple[int, int] | None]] = {}
_wanted_files: set[str] = set()  # named with --lines
_found_files: set[str] = set()  # those of them whose code came by
_counting_pid = 0
_run_in_charge = False  # `outlive run` reports; nobody else does at exit
_children = _without_room = 0
_peak_bytes = 0
_notes: list[str] = []


def profile(function: object, at_exit: Callable[[], None]) -> None:
    """Choose the code behind `function`; with no run in charge, have `at_exit` called when the process ends.

    Raises:
        TypeError: there is no Python code behind it.

    """
    code = _code_of(function)
    if _counting_pid == 0 and not _run_in_charge:
        streams.remember()
        atexit.register(at_exit)
    start_counting()
    choose(code)


def _code_of(function: object) -> CodeType:
    inner = function
    # Bounded: an object that answers to any name, as a mock does, has no innermost function.
    for _ in range(_WRAPPERS_MAX):
        wrapped = getattr(inner, "__wrapped__", None)
        if isinstance(inner, FunctionType) and not isinstance(wrapped, FunctionType):
            return inner.__code__
        behind = (getattr(inner, name, None) for name in ("__wrapped__", "__func__", "func", "fget"))
        inner = next((each for each in behind if callable(each)), None)
    name = getattr(function, "__qualname__", None) or repr(function)
    raise TypeError(f"outlive.profile needs a function written in Python; {name} has no lines to show")


def choose(code: CodeType) -> None:
    """Keep figures for the lines of `code` from now on."""
    global _without_room  # noqa: PLW0603 - one process, one count
    if id(code) in _chosen:
        return
    units = code.co_code
    lines = array("i", bytes(array("i").itemsize * (len(units) // 2)))
    for start, end, line in code.co_lines():
        for unit in range(start // 2, end // 2):
            lines[unit] = line or 0
    begins = (i for i in range(0, len(units), 2) if units[i] == _RESUME and units[i + 1] & 3 == 0)
    try:
        native.choose(code, lines, next(begins, 0))
    except MemoryError:
        _without_room += 1
        return
    _chosen[id(code)] = code, _version(code.co_filename)
    events.follow(code)


def choose_file(code: CodeType) -> None:
    """Choose a module's code and what is defined in it; comprehensions belong to the line they are on."""
    choose(code)
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and inner.co_name not in _COMPREHENSIONS:
            choose_file(inner)


def choose_files(files: frozenset[str]) -> None:
    """Choose all code of these files (real paths) that is imported from now on."""
    _wanted_files.update(files)
    imports.on_code(choose_file_if_wanted)


def choose_file_if_wanted(code: CodeType) -> None:
    """Choose all code of a module if its file is among the wanted ones."""
    file = os.path.realpath(code.co_filename)
    if file in _wanted_files:
        _found_files.add(file)
        choose_file(code)


def adopt() -> None:
    """Watch the blocks that a newly loaded extension module reports (numpy's arrays)."""
    native.adopt_modules()


def begin_run() -> None:
    """Leave the report to a run; until something is profiled, follow Python's peak at next to no cost."""
    global _run_in_charge  # noqa: PLW0603 - one process, one count
    _run_in_charge = True
    streams.remember()
    native.start(native.MODE_COARSE, 1, 0)


def start_counting() -> None:
    """Count every block and follow the lines of what is chosen, from now on, if that is not so already."""
    global _counting_pid  # noqa: PLW0603 - one process, one count
    if _counting_pid != 0:
        return
    _counting_pid = os.getpid()
    os.register_at_fork(after_in_parent=_forked_parent, after_in_child=_forked_child)
    trouble = events.start()
    if trouble:
        _notes.append(trouble)
    imports.on_extension(adopt)
    if native.mode() & native.MODE_COARSE:
        peaks.begin_anew()
    peaks.leave_counting()
    native.start(native.MODE_EXACT, 1, 0)


def stop_counting() -> None:
    """End counting; the figures stay readable."""
    global _peak_bytes  # noqa: PLW0603 - one process, one count
    if not native.mode() & (native.MODE_EXACT | native.MODE_COARSE):
        return
    _peak_bytes = peaks.highest()
    _in_use, _peak, dropped = native.counters()
    if not native.intact():
        _notes.append(
            "another tool took Python's allocators back while counting ran; figures after that are missing"
        )
    if dropped:
        _notes.append(f"{dropped} blocks were not counted: the table of live blocks was full")
    _stop()


def is_child() -> bool:
    """Whether this process was forked from the one that counts, or is one of multiprocessing's workers."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    is_worker = multiprocessing is not None and multiprocessing.parent_process() is not None
    return is_worker or _counting_pid not in (0, os.getpid())


def _forked_parent() -> None:
    global _children  # noqa: PLW0603 - one process, one count
    _children += 1


def _forked_child() -> None:
    """Leave the lines to the parent, whose report they belong to."""
    if _counting_pid != 0:
        _stop()


def _stop() -> None:
    events.stop()
    imports.forget(choose_file_if_wanted, adopt)
    native.stop(native.MODE_EXACT | native.MODE_COARSE)


def peak_bytes() -> int:
    """Return the most bytes Python had in use, over what was there when counting began; once it ended."""
    return _peak_bytes


def notes() -> tuple[str, ...]:
    """Say in words what the figures leave out."""
    notes = list(_notes)
    accounts, settrace, depth = native.lines_lost()
    if accounts or _without_room:
        notes.append(f"no room for the figures of {_without_room} functions and {accounts} calls")
    if settrace:
        notes.append("a profiled function called sys.settrace() itself: its lines after that are missing")
    if depth:
        notes.append("recursion came near the end of a C stack: calls meanwhile are missing (3.11 only)")
    if missed := sorted(_wanted_files - _found_files):
        notes.append("never imported from source: " + _short(missed))
    if any(f"multiprocessing.popen_{how}" in sys.modules for how in ("spawn_posix", "forkserver")):
        notes.append("multiprocessing started processes of its own; what they ran is not in these tables")
    if _children:
        word = "process was" if _children == 1 else "processes were"
        notes.append(f"{_children} child {word} forked; what they ran is not in these tables")
    return tuple(notes)


def _short(files: list[str]) -> str:
    more = f" and {len(files) - _FILES_SHOWN} more" if len(files) > _FILES_SHOWN else ""
    return ", ".join(files[:_FILES_SHOWN]) + more


def figures() -> tuple[FunctionFigures, ...]:
    """Return the chosen functions that ran, by file and line. Code loaded twice counts as one function."""
    from outlive.model.lines import FunctionFigures, LineFigures, merged

    functions: dict[tuple[str, int, str], FunctionFigures] = {}
    for code, calls, rows in native.figures():
        if not rows:
            continue
        function = FunctionFigures(
            function=code.co_qualname,
            file=code.co_filename,
            first_line=code.co_firstlineno,
            last_line=max(line for _, _, line in code.co_lines() if line is not None),
            calls=calls,
            lines=tuple(LineFigures(*row) for row in rows),
            stale=_version(code.co_filename) != _chosen[id(code)][1],
            is_body=not code.co_flags & _CO_OPTIMIZED,
        )
        key = (function.file, function.first_line, function.function)
        functions[key] = merged(functions[key], function) if key in functions else function
    return tuple(functions[key] for key in sorted(functions))


def _version(file: str) -> tuple[int, int] | None:
    try:
        stat = os.stat(file)  # noqa: PTH116 - pathlib is not light
    except (OSError, ValueError):
        return None
    return stat.st_size, stat.st_mtime_ns
