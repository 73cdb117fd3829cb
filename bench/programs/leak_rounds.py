"""Rounds of a family of test bodies under a tool: `leak_rounds.py TOOL FAMILY SEED COUNT`, a seed each."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

from side_by_side.children import hand_over

from programs.leak_families import FAMILIES, MB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from programs.leak_families import Body, Family

    Said = dict[str, object]

OUTLIVE, LEAK_ASSERT, MEMRAY, RULE = "outlive", "leak-assert", "pytest-memray", "the document's rule"
LEAK, UNKNOWN, FINE = "leak", "not enough data", "no leak"
RUNS, WARMUP = 100, 50
RULE_BYTES = 50 * MB

BODY_IN_LOOP = Path(__file__).with_name("leak_in_loop.py")


def outlive(body: Body, family: Family) -> Said:
    """Ask the engine under `@pytest.mark.limit_growth`."""
    from outlive.capture import gauges
    from outlive.diagnose import repeated
    from outlive.diagnose.ignores import IGNORES
    from outlive.model.growth import GrowthLimit

    def once() -> bool:
        body()
        return True

    growth = repeated.growth(once, GrowthLimit(family.limit_bytes, RUNS, WARMUP), "body", IGNORES)
    if growth is None:
        raise SystemExit("a body that raises nothing has failed")
    grown = {each.gauge: each.per_run.estimate for each in growth.gauges}
    found = growth.fails and (not family.gauge or family.gauge in grown)
    said = LEAK if found else UNKNOWN if growth.verdict == UNKNOWN else FINE
    return {"said": said, "runs": growth.runs, "seen": grown.get(gauges.MEMORY)}


def leak_assert(body: Body, family: Family) -> Said:
    """Ask LeakTest for the growth rate, as its documentation shows."""
    peer = importlib.import_module("leak_assert")  # untyped, and not there when only dev is installed
    with peer.LeakTest(iterations=RUNS, warmup=WARMUP) as test:
        for _ in test:
            body()
    try:
        test.assert_growth_rate(max=family.limit_bytes)
        said = FINE
    except peer.LeakAssertionError:
        said = LEAK
    return {"said": said, "runs": WARMUP + RUNS, "seen": peer.leak_test.ols_slope(test.samples)}


def rule(body: Body, _family: Family) -> Said:
    """Compare tracemalloc's snapshots before and after: 50 MB may be between them."""
    tracemalloc.start()
    gc.collect()
    before = tracemalloc.take_snapshot()
    for _ in range(RUNS):
        body()
    gc.collect()
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    grown = sum(each.size_diff for each in after.compare_to(before, "lineno"))
    return {"said": LEAK if grown >= RULE_BYTES else FINE, "runs": RUNS, "seen": grown / RUNS}


def memray(family: Family, seeds: range) -> list[Said]:
    """Run a test of each seed, marked with limit_leaks, in a session of pytest."""
    import pytest

    class Rounds:
        """Hands the test its bodies, and hears of its end."""

        def __init__(self) -> None:
            self.said: list[Said] = []

        def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
            mark = pytest.mark.limit_leaks(f"{max(1, family.limit_bytes * RUNS)} B")
            metafunc.parametrize("seed", [pytest.param(seed, marks=mark) for seed in seeds])

        @pytest.fixture
        def body(self, seed: int) -> Iterator[Body]:
            body = family.make(seed)
            yield body
            body.end()

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.when != "call":
                return
            if report.failed and "allowed to leak" not in report.longreprtext:
                raise SystemExit(report.longreprtext)
            self.said.append({"said": LEAK if report.failed else FINE, "runs": RUNS, "seen": None})

    rounds = Rounds()
    run_pytest(BODY_IN_LOOP, "--memray", "--hide-memray-summary", "-p", "pytest_memray.plugin", plugin=rounds)
    return [{"seed": seed, **said} for seed, said in zip(seeds, rounds.said, strict=True)]


def run_pytest(test: Path | str, *arguments: str, plugin: object) -> None:
    """Run a session with no other plugins and no configuration; its tests may fail."""
    import pytest

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    alone = ("-q", "-c", os.devnull, "--rootdir", os.curdir, "-p", "no:cacheprovider")
    ended = pytest.main([*alone, *arguments, str(test)], plugins=[plugin])
    if ended not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise SystemExit(f"pytest ended with {ended}")


ASKED: dict[str, Callable[[Body, Family], Said]] = {
    OUTLIVE: outlive,
    LEAK_ASSERT: leak_assert,
    RULE: rule,
}


def one_by_one(tool: str, family: Family, seeds: range) -> Iterator[Said]:
    """Give what the tool says of each body."""
    for seed in seeds:
        body = family.make(seed)
        try:
            said = ASKED[tool](body, family)
        except (ImportError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - a bug is an answer too, and the other seeds have theirs
            said = {"said": f"{type(error).__name__}: {error}", "runs": body.runs, "seen": None}
        yield {"seed": seed, **said}
        body.end()


def main() -> None:
    """Hand over what the tool said of each seed."""
    tool, family, first, count = sys.argv[1], FAMILIES[sys.argv[2]], int(sys.argv[3]), int(sys.argv[4])
    seeds = range(first, first + count)
    said = memray(family, seeds) if tool == MEMRAY else list(one_by_one(tool, family, seeds))
    hand_over(rounds=said)


if __name__ == "__main__":
    main()
