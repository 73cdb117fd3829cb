"""A session of pytest with so many clean tests: `leak_cost.py marked|plain COUNT`.

The first test is timed by itself: what outlive imports for it is part of that.
"""

import sys
import time
from collections.abc import Generator

import pytest
from side_by_side.children import PROGRAMS, hand_over

from programs.leak_rounds import run_pytest


class Clock:
    """Knows how long tests took, all that pytest does between them included."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.began: list[float] = []
        self.ended = 0.0
        self.runs: list[int] = []

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make so many tests."""
        metafunc.parametrize("number", range(self._count))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Stamp the time around each."""
        self.began.append(time.perf_counter())
        result = yield
        self.ended = time.perf_counter()
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how often it ran."""
        if not report.passed:
            raise SystemExit(report.longreprtext)
        if report.when == "call":
            self.runs.append(int(str(dict(report.user_properties).get("outlive_runs", 1))))


def main() -> None:
    """Hand over the seconds of all but the first test, their runs, and what the first took."""
    which, count = sys.argv[1], int(sys.argv[2])
    clock = Clock(count)
    run_pytest(f"{PROGRAMS / 'leak_clean.py'}::test_{which}", "-p", "outlive.pytest_plugin", plugin=clock)
    second = clock.began[1]
    hand_over(
        first=second - clock.began[0],
        first_runs=clock.runs[0],
        seconds=clock.ended - second,
        runs=sum(clock.runs[1:]),
    )


if __name__ == "__main__":
    main()
