"""Sampled allocation sites of this process, and their recording."""

from __future__ import annotations

import atexit
import os
import sys

from outlive.capture import imports, ticker
from outlive.capture.core import native
from outlive.capture.recorder import Recorder
from outlive.errors import OutliveError, UsageError
from outlive.model.size import parse_size

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from outlive.model.estimate import Site

_OWN_FILES = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")  # noqa: PTH118, PTH120 - pathlib is not light
# A child that ends or calls exec() at once, as most do that a service forks, leaves no file.
_CHILD_DELAY_SECONDS = 0.05

_MODES = native.MODE_SAMPLE | native.MODE_NATIVE

_interval_bytes = 0
_insists = False
_recorder: Recorder | None = None
_watches_forks = False


def adopt() -> None:
    """Watch the blocks that a newly loaded extension module reports (numpy's arrays)."""
    native.adopt_modules()


def start(
    interval: str | int,
    recording: str | os.PathLike[str] | None,
    size: str | int,
    native_too: bool,  # noqa: FBT001 - as in outlive.start
) -> None:
    """See `outlive.start`."""
    global _interval_bytes, _recorder
    wanted, room = parse_size(interval), _whole_pages(parse_size(size))
    place = None if recording is None else os.fspath(recording)
    if _interval_bytes not in (0, wanted) and not _insists:
        raise OutliveError(
            f"sampling runs already with an interval of {_interval_bytes} bytes",
            hint="call outlive.stop() first",
        )
    if _interval_bytes:
        return
    if native_too and "pyarrow" not in sys.modules:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # malloc, not an allocator of its own
    _begin(wanted, room, native.MODE_NATIVE if native_too else 0)
    version = sys.modules["outlive"].__version__  # the package, which is above this room
    recorder = Recorder(place, room, {"outlive": version, "native": native_too})
    try:
        if place is None:
            recorder.open_or_say()
        else:
            recorder.open()
    except BaseException:
        native.stop(_MODES)
        raise
    _interval_bytes, _recorder = wanted, recorder
    imports.on_extension(adopt)
    _watch_forks()
    if recorder.path:
        ticker.start(_tick)


def _tick() -> bool:
    adopt()  # what came without an import
    return _recorder is not None and _recorder.tick()


def _begin(interval: int, size: int, further_modes: int) -> None:
    try:
        native.start(native.MODE_SAMPLE | further_modes, interval, int.from_bytes(os.urandom(8)), size)
    except ValueError as error:
        raise UsageError(f"can't start with a recording of {size} bytes", str(error)) from error
    except RuntimeError as error:
        raise OutliveError("can't start outlive here", str(error)) from error
    except MemoryError as error:
        why = f"there is no memory for a recording of {size} bytes"
        raise OutliveError("can't start outlive here", why, "ask for a smaller one") from error


def _whole_pages(size: int) -> int:
    page = os.sysconf("SC_PAGE_SIZE")
    return -(-size // page) * page


def insist() -> None:
    """Let what was started stay in force, whatever interval the program asks for later."""
    global _insists  # noqa: PLW0603 - one sampler a process
    _insists = True


def stop() -> None:
    """See `outlive.stop`."""
    global _interval_bytes, _insists, _recorder
    ticker.stop()
    if _recorder is not None:
        _recorder.close()
    _interval_bytes, _insists, _recorder = 0, False, None
    native.stop(_MODES)
    imports.forget(adopt)


def conclude() -> None:
    """Complete the recording before the process ends; what this thread allocates from now on is not in it."""
    ticker.stop()
    if _recorder is not None:
        _recorder.close()
    native.mute()


def recording_path() -> str:
    """Return the file that this process records to; "" without one."""
    return _recorder.path if _recorder is not None else ""


def _watch_forks() -> None:
    global _watches_forks  # noqa: PLW0603 - once a process: these can't be unregistered
    if not _watches_forks:
        _watches_forks = True
        os.register_at_fork(
            before=ticker.before_fork,
            after_in_parent=ticker.after_fork_in_parent,
            after_in_child=_forked_child,
        )
        atexit.register(ticker.stop)


def _forked_child() -> None:
    """Begin a recording of the child's own."""
    global _recorder  # noqa: PLW0603 - one recording a process
    ticker.after_fork_in_child()
    if _recorder is not None:
        _recorder = _recorder.in_child()
        ticker.start(_tick, _CHILD_DELAY_SECONDS)


def sites(limit: int | None) -> list[Site]:
    """See `outlive.sites`."""
    from outlive.model.estimate import Site, poisson_estimate

    if _interval_bytes == 0:
        raise OutliveError("nothing is being sampled", hint="call outlive.start() first")
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
