"""outlive finds what outlives the work that made it, and which line made it.

Floor plan: imports only point down, between rooms and never across a row of doors (tests/guards checks it).

    cli  pytest_plugin  integrations
    attach  demo  top
    report
    diagnose
    rules
    heap  recording
    capture
    model
    errors  files   _native (imported in capture/core.py and heap/core.py only)
"""

from __future__ import annotations

from outlive.errors import OutliveError

# Nothing heavy is imported before it is needed, typing and dataclasses included: this runs in other people's
# services.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike
    from typing import Literal, TypeVar

    from outlive.capture.scopes import scope
    from outlive.heap.snapshot import Snapshot
    from outlive.model.breakdown import Breakdown
    from outlive.model.estimate import Estimate, Site
    from outlive.model.finding import Diagnosis
    from outlive.model.heap import Change, Holder, Overdue, Total

    F = TypeVar("F", bound=Callable[..., object])

__all__ = [
    "Breakdown",
    "Estimate",
    "OutliveError",
    "Site",
    "backrefs",
    "breakdown",
    "by_type",
    "census",
    "diagnose",
    "growth",
    "open",
    "overdue",
    "profile",
    "scope",
    "sites",
    "snapshot",
    "start",
    "stop",
    "watch",
    "why",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in ("Estimate", "Site"):
        from outlive.model import estimate

        return getattr(estimate, name)
    if name == "Breakdown":
        from outlive.model.breakdown import Breakdown

        return Breakdown
    if name == "scope":
        from outlive.capture.scopes import scope

        globals()["scope"] = scope  # entering one is to be fast
        return scope
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def profile(function: F) -> F:
    """Keep a line table of `function`: exact bytes by line, as memory_profiler prints them, but true.

    Returns `function` itself, unchanged: signature, coroutine-ness and identity stay what they are. Class
    methods, static methods, properties and functions already wrapped by decorators that set `__wrapped__` are
    looked through. Under `outlive run` the table ends the run; in a plain `python script.py` it is printed to
    stdout at exit.

    Counting begins with the first function profiled. Blocks made before that are unknown: freeing them shows
    nothing.

    Raises:
        TypeError: `function` has no Python code (it is implemented in C, or is not callable).

    """
    from outlive.capture import lines

    lines.profile(function, at_exit=_print_line_tables)
    return function


def start(
    interval: str | int = "128 KiB",
    recording: str | PathLike[str] | None = None,
    size: str | int = "8 MiB",
    native: bool = False,  # noqa: FBT001, FBT002 - an option, as the others
    triggers: Iterable[str] | None = None,
) -> None:
    """Begin to sample allocations and to record: on average one block in every `interval` bytes allocated.

    Poisson sampling by bytes, so every estimate comes with its confidence interval. The recording is a file
    of fixed size that other processes read, now or after this one was killed (`outlive top`, `outlive
    postmortem`); forked children have one each. Called again with the same interval it does nothing.

    Args:
        interval: mean distance between samples, in bytes or as text with a unit ("128 KiB").
        recording: the file (it ends in ".outlive") or the folder to record to. None for the folder that
            OUTLIVE_RECORDING names, or the first that will do of /dev/shm/outlive-UID and outlive-UID in the
            folder of temporary files; with none of them, sampling goes on without a recording.
        size: of the recording's file, in bytes or with a unit.
        native: whether to sample memory too that extensions take from malloc directly.
        triggers: what to do when, as "rss > 800 MiB for 30 s: snapshot, log"; None for those that
            OUTLIVE_TRIGGERS names.

    Raises:
        OutliveError: a bad interval, size or trigger, another interval is in force already, or the recording
            that was asked for can't be made.

    """
    from outlive.capture import sampling

    sampling.start(interval, recording, size, native, triggers)


def stop() -> None:
    """End sampling and forget its samples; the recording stays as it is. Does nothing if it does not run."""
    from outlive.capture import sampling

    sampling.stop()


def sites(limit: int | None = 10) -> list[Site]:
    """Return the source lines that hold the most memory allocated since `start()`, largest first.

    Costs time in proportion to the live samples (heap size over interval), not to the heap: milliseconds.

    Args:
        limit: how many at most; None for all.

    Raises:
        OutliveError: sampling does not run.

    """
    from outlive.capture import sampling

    return sampling.sites(limit)


def breakdown() -> Breakdown:
    """Return how this process's resident memory divides now: what holds RSS, and what could be given back.

    Needs no `start()`. It takes milliseconds in a small process, tens of them at gigabytes.

    Raises:
        OutliveError: it can't be measured here, and why.

    """
    from outlive.capture import breakdown as capture

    return capture.of_this_process()


def diagnose() -> Diagnosis:
    """Return the verdict on each scope of this process: what outlives its runs, who holds it, and the cure.

    Needs `start()` and scopes (`outlive.scope`). Takes a snapshot into memory if anything survives its run.
    The result prints as the page that `outlive diagnose` shows.

    Raises:
        OutliveError: nothing is being sampled and recorded, or this process's memory can't be measured.

    """
    from outlive.report import diagnosis

    return diagnosis.of_this_process()


def snapshot(path: str | PathLike[str], *, contents: bool = False) -> str:
    """Write a snapshot of this process's heap: each object, its size, and what it refers to.

    Returns the file's absolute path, for `outlive.open`.

    The process forks and goes on; the child reads the heap, writes and ends. Of values, only names of
    variables, attributes and dict keys are in it.

    Args:
        path: the file (`*.heap`); it appears when it is whole.
        contents: whether to add hashes of values, by a secret key, so that equal ones can be found.

    Raises:
        OutliveError: there is no room for it, or it can't be written; no half a file stays.

    """
    import os

    from outlive.capture import snapshot

    file = os.path.abspath(os.fspath(path))  # noqa: PTH100 - pathlib is not light
    snapshot.take(file, contents=contents)
    return file


def open(path: str | PathLike[str]) -> Snapshot:  # noqa: A001 - outlive.open is what it is to be called
    """Open a heap snapshot, of this process or any other, to ask it. The lists it gives print as text.

    Raises:
        OutliveError: the file is no snapshot, damaged, not complete, or of a newer version.

    """
    from outlive.report.heap_snapshot import PrintedSnapshot

    return PrintedSnapshot(path)


def census(limit: int | None = 10, by: Literal["type", "module", "site"] = "type") -> list[Total]:
    """Return how many objects of which types this process has, their own size, and what they retain.

    Takes a snapshot into memory. The list prints as a table.

    Args:
        limit: how many types at most, those that retain most; None for all.
        by: what to add up by: the type, the module it is from, or "site", the line that made the object
            (those are estimates, and need a sampler that runs).

    Raises:
        OutliveError: no snapshot could be taken.

    """
    from outlive.capture import snapshot

    taken = snapshot.take_into_memory()  # before all that reads it is imported
    from outlive.report import this_process

    return this_process.census(taken, limit, by)


def growth(limit: int | None = 10) -> list[Change]:
    """Return what changed from the last call to this one by type, the largest growth first.

    The first call sets the mark, and returns an empty list. The list prints as a table.

    Args:
        limit: how many types at most; None for all.

    Raises:
        OutliveError: no snapshot could be taken.

    """
    from outlive.report import this_process

    return this_process.growth(limit)


def by_type(name: str) -> list[object]:
    """Return the living objects of a type: those the collector knows, and what they refer to.

    Args:
        name: of the type, in full ("app.models.UserActivity") or its end ("UserActivity").

    """
    from outlive.capture import objects

    return objects.by_type(name)


def why(what: object, limit: int = 10) -> list[Holder]:
    """Return the ways in which objects are held, from a root on, in words; those that hold most first.

    Takes a snapshot into memory. The list prints as text.

    Args:
        what: an object, or a type's name as for `by_type`: a str is always that.
        limit: how many ways at most.

    Raises:
        OutliveError: no object is of that type, the name has several meanings, or no snapshot could be taken.

    """
    from outlive.capture import snapshot

    taken = snapshot.take_into_memory()  # before all that reads it is imported
    from outlive.report import this_process

    return this_process.why(taken, what, limit)


def backrefs(objs: object, filename: str | PathLike[str] = "backrefs.png", max_depth: int = 5) -> None:
    """Draw what refers to objects, and what refers to that. Needs no Graphviz.

    Args:
        objs: an object, a list or tuple of objects, or a type's name.
        filename: the picture; its ending says whether PNG or SVG.
        max_depth: how many references back to go.

    Raises:
        OutliveError: the picture can't be written, or no snapshot could be taken.

    """
    from outlive.report import this_process

    this_process.backrefs(objs, filename, max_depth)


def watch(obj: object) -> None:
    """Say that an object should be dead soon; `overdue` tells if it is not. Keeps no reference to it.

    Raises:
        TypeError: it takes no weak reference (an int, a str, a list, ...).

    """
    from outlive.capture import watching

    watching.watch(obj)


def overdue(seconds: float = 0.0) -> list[Overdue]:
    """Return the watched objects that still live, by type, and what holds them.

    Takes a snapshot into memory if there are any. The list prints as text.

    Args:
        seconds: count only those that were watched so long ago.

    Raises:
        OutliveError: no snapshot could be taken.

    """
    from outlive.report import this_process

    return this_process.overdue(seconds)


def _print_line_tables() -> None:
    from outlive.report import lines

    lines.print_at_exit()
