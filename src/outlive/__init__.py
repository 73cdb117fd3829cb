"""outlive finds what outlives the work that made it, and which line made it.

Floor plan: imports only point down, between rooms and never across a row of doors (tests/guards checks it).

    cli
    demo  top
    report
    recording
    capture
    model
    errors   _native (imported in capture/core.py only)
"""

from __future__ import annotations

from outlive.errors import OutliveError

# Nothing heavy is imported before it is needed, typing and dataclasses included: this runs in other people's
# services.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import TypeVar

    from outlive.model.breakdown import Breakdown
    from outlive.model.estimate import Estimate, Site

    F = TypeVar("F", bound=Callable[..., object])

__all__ = ["Breakdown", "Estimate", "OutliveError", "Site", "breakdown", "profile", "sites", "start", "stop"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in ("Estimate", "Site"):
        from outlive.model import estimate

        return getattr(estimate, name)
    if name == "Breakdown":
        from outlive.model.breakdown import Breakdown

        return Breakdown
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

    Raises:
        OutliveError: a bad interval or size, another interval is in force already, or the recording that was
            asked for can't be made.

    """
    from outlive.capture import sampling

    sampling.start(interval, recording, size, native)


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


def _print_line_tables() -> None:
    from outlive.report import lines

    lines.print_at_exit()
