"""outlive finds what outlives the work that made it, and which line made it.

Floor plan: imports only point down, between rooms and never across a row of doors (tests/guards checks it).

    cli
    demo
    report
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
    from typing import TypeVar

    from outlive.model.estimate import Estimate, Site

    F = TypeVar("F", bound=Callable[..., object])

__all__ = ["Estimate", "OutliveError", "Site", "profile", "sites", "start", "stop"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in ("Estimate", "Site"):
        from outlive.model import estimate

        return getattr(estimate, name)
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


def start(interval: str | int = "128 KiB") -> None:
    """Begin to sample allocations: on average one block in every `interval` bytes allocated.

    Poisson sampling by bytes, so every estimate comes with its confidence interval. Called again with the
    same interval it does nothing.

    Args:
        interval: mean distance between samples, in bytes or as text with a unit ("128 KiB").

    Raises:
        OutliveError: a bad interval, or another one is in force already.

    """
    from outlive.capture import sampling

    sampling.start(interval)


def stop() -> None:
    """End sampling and forget its samples. Does nothing if it does not run."""
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


def _print_line_tables() -> None:
    from outlive.report import lines

    lines.print_at_exit()
