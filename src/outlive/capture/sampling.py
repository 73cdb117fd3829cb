"""Sampled allocation sites of this process, and their recording."""

from __future__ import annotations

import atexit
import os
import sys
from _thread import RLock

from outlive.capture import imports, scopes
from outlive.capture.core import native
from outlive.capture.recorder import Recorder
from outlive.capture.streams import say
from outlive.errors import OutliveError, UsageError
from outlive.model.size import parse_size

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Iterable

    from outlive.capture.triggers import Rule
    from outlive.model.estimate import Site

_OWN_FILES = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")  # noqa: PTH118, PTH120 - pathlib is not light
_TICK_SECONDS = 1.0

_MODES = native.MODE_SAMPLE | native.MODE_NATIVE

_interval_bytes = 0
_insists = False
_recorder: Recorder | None = None
_watches_forks = False
_turn = RLock()  # one start, stop or tick at a time; a signal handler may come in between


def adopt() -> None:
    """Watch the blocks that a newly loaded extension module reports (numpy's arrays)."""
    native.adopt_modules()


def start(
    interval: str | int,
    recording: str | os.PathLike[str] | None,
    size: str | int,
    native_too: bool,  # noqa: FBT001 - as in outlive.start
    triggers: Iterable[str] | None = None,
) -> None:
    """See `outlive.start`."""
    wanted, room = parse_size(interval), _whole_pages(parse_size(size))
    rules = _rules(triggers)
    with _turn:
        _start(
            wanted,
            room,
            None if recording is None else os.fspath(recording),
            native_too=native_too,
            rules=rules,
        )


def _rules(triggers: Iterable[str] | None) -> list[Rule]:
    """Return the triggers asked for, else those of the environment: whatever is wrong there is only said."""
    said = os.environ.get("OUTLIVE_TRIGGERS", "") if triggers is None else ""
    if not triggers and not said:
        return []
    from outlive.capture.triggers import parse

    try:
        return parse(triggers or [said])
    except UsageError as error:
        if triggers is not None:
            raise
        say(f"OUTLIVE_TRIGGERS: {error}; it goes on without triggers")
        return []


def _start(wanted: int, room: int, place: str | None, *, native_too: bool, rules: list[Rule]) -> None:
    global _interval_bytes, _recorder
    if _interval_bytes not in (0, wanted) and not _insists:
        raise OutliveError(
            f"sampling runs already with an interval of {_interval_bytes} bytes",
            hint="call outlive.stop() first",
        )
    if _interval_bytes:
        return
    if native_too and "pyarrow" not in sys.modules:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # malloc, not an allocator of its own
    if rules:
        _listen(rules)
    number = _begin(native.MODE_NATIVE if native_too else 0, wanted, room)
    try:
        version = sys.modules["outlive"].__version__  # the package, which is above this room
        recorder = Recorder(number, place, room, {"outlive": version, "native": native_too}, rules)
        if place is None:
            recorder.open_or_say()
        else:
            recorder.open()
        imports.on_extension(adopt)
        _watch_forks()
    except BaseException:
        native.stop(_MODES)
        _unlisten()
        raise
    if not native.mode() & native.MODE_SAMPLE:  # a signal handler called stop()
        return
    _interval_bytes, _recorder = wanted, recorder
    if recorder.path:
        native.ticker_start(_tick, 0.0, _TICK_SECONDS)


def _listen(rules: list[Rule]) -> None:
    """Listen to SIGUSR2 if a trigger says so: before the core watches for what kills."""
    import logging  # noqa: F401 - here: whichever thread imports threading first is the main one to it

    if any(rule.is_signal() for rule in rules):
        from outlive.capture import sigusr2

        sigusr2.listen()


def _unlisten() -> None:
    if "outlive.capture.sigusr2" in sys.modules:
        sys.modules["outlive.capture.sigusr2"].ignore()


def _tick() -> bool:
    """Look at the process. False if that is of no use any more."""
    if not _turn.acquire(blocking=False):
        return True
    try:
        recorder = _current_recorder()
    except OutliveError:  # said once, at the start
        return False
    finally:
        _turn.release()
    return recorder is not None and recorder.tick()


def _current_recorder() -> Recorder | None:
    """Return the recorder of this process, a new one if it was forked since or the file was damaged."""
    global _recorder  # noqa: PLW0603 - one recording a process
    if _recorder is None:
        return None
    adopt()  # what came without an import
    if not _recorder.is_own():
        _recorder = _recorder.in_child()
        _recorder.open()
    elif native.damaged():  # somebody else wrote to it, or cut it
        modes = native.mode() & native.MODE_NATIVE
        native.stop(_MODES)
        _recorder = _recorder.anew(_begin(modes, _interval_bytes, _recorder.size))
        _recorder.open()
    _mend()
    return _recorder


def _mend() -> None:
    """Put back hooks that another tool took away: tracemalloc.stop() restores what its start() found."""
    if native.mend() and _recorder is not None:
        _recorder.note_missed_deaths()


def _begin(further_modes: int, interval: int, size: int) -> int:
    scopes.forget_rows()
    try:
        seed = int.from_bytes(os.urandom(8))
        number = native.start(native.MODE_SAMPLE | further_modes, interval, seed, size)
    except ValueError as error:
        raise UsageError(f"can't start with a recording of {size} bytes", str(error)) from error
    except RuntimeError as error:
        raise OutliveError("can't start outlive here", str(error)) from error
    except MemoryError as error:
        why = f"there is no memory for a recording of {size} bytes"
        raise OutliveError("can't start outlive here", why, "ask for a smaller one") from error
    return number


def _whole_pages(size: int) -> int:
    page = os.sysconf("SC_PAGE_SIZE")
    return -(-size // page) * page


def insist() -> None:
    """Let what was started stay in force, whatever interval the program asks for later."""
    global _insists  # noqa: PLW0603 - one sampler a process
    _insists = True


def be_still() -> None:
    """Have nobody look at the process any more: its recording has no timeline from here on."""
    native.ticker_stop()


def stop() -> None:
    """See `outlive.stop`."""
    global _interval_bytes, _insists, _recorder
    with _turn:
        try:
            _look_a_last_time()
        finally:
            _interval_bytes, _insists, _recorder = 0, False, None
            native.stop(_MODES)
            imports.forget(adopt)
            _unlisten()
            scopes.stop()


def conclude() -> None:
    """Complete the recording before the process ends; what is allocated or freed from now on is not in it."""
    with _turn:
        _look_a_last_time()
        native.conclude()


def _look_a_last_time() -> None:
    if native.ticker_stop() and _recorder is not None and _recorder.is_own():
        _recorder.close()


def is_running() -> bool:
    """Tell whether this process samples."""
    return _interval_bytes != 0


def recording_path() -> str:
    """Return the file that this process records to; "" without one."""
    return _recorder.path if _recorder is not None and _recorder.is_own() else ""


def _watch_forks() -> None:
    global _watches_forks  # noqa: PLW0603 - once a process: these can't be unregistered
    if not _watches_forks:
        _watches_forks = True
        # Builtins: what a signal handler raises in a hook written in Python is lost.
        os.register_at_fork(after_in_child=_turn._at_fork_reinit)  # type: ignore[attr-defined] # noqa: SLF001
        os.register_at_fork(
            before=native.ticker_before_fork,
            after_in_parent=native.ticker_after_fork_in_parent,
            after_in_child=native.ticker_after_fork_in_child,
        )
        # First of all that is registered later, and before the interpreter frees everything.
        atexit.register(conclude)


def sites(limit: int | None) -> list[Site]:
    """See `outlive.sites`."""
    from outlive.model.estimate import Site, poisson_estimate

    if _interval_bytes == 0:
        raise OutliveError("nothing is being sampled", hint="call outlive.start() first")
    with _turn:
        _mend()
    lines: dict[tuple[str, str, int], tuple[float, float, float]] = {}
    for file, function, line, size, variance, blocks, _samples in native.sites():
        if not file.startswith(_OWN_FILES):
            before = lines.get((file, function, line), (0.0, 0.0, 0.0))
            lines[file, function, line] = (before[0] + size, before[1] + variance, before[2] + blocks)
    largest = sorted(lines.items(), key=lambda item: item[1][0], reverse=True)[:limit]
    return [
        Site(file, line, function, poisson_estimate(size, variance), blocks)
        for (file, function, line), (size, variance, blocks) in largest
    ]
