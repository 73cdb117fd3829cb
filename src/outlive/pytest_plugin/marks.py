"""The marks: what they take, and what they say of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from outlive.errors import UsageError
from outlive.model.growth import GrowthLimit
from outlive.model.size import KIB, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

GROWTH = (
    "limit_growth(size, runs=100, warmup=None): run the test again and again; it fails if each run leaves "
    'more than `size` behind ("10 KiB"; 0: nothing at all). `warmup`: runs before, half as many by default.'
)
PEAK = (
    "limit_peak(size): the test fails if it has more in use at any moment than `size` "
    '("75 MB") over its start, Python\'s memory and native.'
)
IS_REPEATED = pytest.StashKey[bool]()  # it ran before: what is looked at once has been
_RUNS_MAX = 100_000
SUITE_LIMIT_BYTES = 10 * KIB  # a run, with --outlive-leaks


def check(item: pytest.Item) -> None:
    """Fail with what to type instead if a mark of this test does not make sense."""
    for name, read in (("limit_growth", _growth), ("limit_peak", _peak)):
        mark = item.get_closest_marker(name)
        if mark is not None:
            trouble = ""
            try:
                read(*mark.args, **mark.kwargs)
            except (TypeError, UsageError) as error:
                trouble = str(error).replace("_growth()", "limit_growth()").replace("_peak()", "limit_peak()")
            if trouble:
                pytest.fail(f"@pytest.mark.{name}: {trouble}", pytrace=False)


def growth_limit(item: pytest.Item) -> GrowthLimit | None:
    """Return how much a run of this test may leave behind; None if it may, or its mark makes no sense."""
    mark = item.get_closest_marker("limit_growth")
    if mark is not None:
        return _read(_growth, mark)
    everyone = item.config.getoption("outlive_leaks") and isinstance(item, pytest.Function)
    return GrowthLimit(SUITE_LIMIT_BYTES) if everyone else None


def peak_limit(item: pytest.Item) -> int | None:
    """Return how much memory a test may have in use over its start; None if it may."""
    mark = item.get_closest_marker("limit_peak")
    return None if mark is None else _read(_peak, mark)


def _read(read: Callable[..., T], mark: pytest.Mark) -> T | None:
    try:
        return read(*mark.args, **mark.kwargs)
    except (TypeError, UsageError):  # check() says so
        return None


def _growth(size: str | int, runs: int = 100, warmup: int | None = None) -> GrowthLimit:
    return growth(size, runs, warmup)


def growth(size: str | int, runs: int, warmup: int | None) -> GrowthLimit:
    """Return a limit of growth.

    Raises:
        UsageError: it is none.

    """
    if type(runs) is not int or not 1 <= runs <= _RUNS_MAX:
        hint = f"write 1 to {_RUNS_MAX:,}; 100 is usual"
        raise UsageError(f"runs={runs!r} is not a number of runs", hint=hint)
    warmup = runs // 2 if warmup is None else warmup
    if type(warmup) is not int or not 0 <= warmup <= _RUNS_MAX:
        raise UsageError(f"warmup={warmup!r} is not a number of runs", hint=f"write 0 to {_RUNS_MAX:,}")
    return GrowthLimit(parse_size(size, least=0), runs, warmup)


def _peak(size: str | int) -> int:
    return parse_size(size)
