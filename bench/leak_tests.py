"""Whether tests that limit growth fail when memory leaks, and only then; what they cost; beside their peers.

python bench/leak_tests.py                  all parts: benign, leaks, counters, native, cost
python bench/leak_tests.py benign --alone   one part, outlive without its peers
python bench/leak_tests.py --rounds 20      as many of everything; usually 200 of benign bodies, 25 of leaks
python bench/leak_tests.py --quick          every part once, to see that it works; shows nothing

A round is a body with a seed of its own; programs/leak_rounds.py runs any of them again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from typing import TYPE_CHECKING

from programs.leak_families import BENIGN, COUNTERS, LEAKS, NATIVE
from programs.leak_rounds import FINE, LEAK, LEAK_ASSERT, MEMRAY, OUTLIVE, RULE, UNKNOWN
from side_by_side.children import PROGRAMS, Figures, run
from side_by_side.reach import Reach, Table, exactly, finish
from side_by_side.rounds import ratio, share, show, spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from programs.leak_families import Family

ROUNDS, COST = PROGRAMS / "leak_rounds.py", PROGRAMS / "leak_cost.py"
PEERS = (LEAK_ASSERT, MEMRAY, RULE)
KINDS = {"benign": BENIGN, "leaks": LEAKS, "counters": COUNTERS, "native": NATIVE}
OWN_ROUNDS = {"benign": 200, "leaks": 25, "counters": 25, "native": 5}
PEER_ROUNDS, COST_ROUNDS = 20, 40
IN_ONE_CHILD = 50  # rounds
FRESH_SEED = 1_000_000
SMALL, SMALL_WRONG_MAX = "2 KiB a run", 0.15
LARGE = "malloc, 20 MB a run"  # 100 runs of it, as peers have them, would be 2 GB
COST_MAX = 1.1
MARKED_TESTS = 7  # in a session

Result = tuple[list[Table], list[Reach]]
COLUMNS = ("", "", "rounds", "called a leak", "not enough data", "runs", "seen, KiB a run")


class Tools:
    """outlive and its peers, and which of them could not do what."""

    def __init__(self, peers: Sequence[str], rounds: int | None) -> None:
        """Take the peers' names, and how many rounds each has if not the usual ones."""
        self._peers = peers
        self._rounds = rounds
        self.failures = Table("Peers that failed here", ("", "at", "last words"))

    def of(self, family: str) -> tuple[str, ...]:
        """Return the names of those that are to run this family."""
        return (OUTLIVE,) if family == LARGE else (OUTLIVE, *self._peers)

    def rounds(self, kind: str, tool: str) -> int:
        """Return how many rounds it gets."""
        own = self._rounds or OWN_ROUNDS[kind]
        return own if tool == OUTLIVE else min(own, PEER_ROUNDS)

    def run(self, tool: str, family: str, count: int) -> list[Figures]:
        """Return what a tool says of so many bodies. A peer that fails says nothing."""
        said: list[Figures] = []
        for done in range(0, count, IN_ONE_CHILD):
            show(f"{family}, {tool}: {done} of {count} rounds")
            some = str(min(IN_ONE_CHILD, count - done))
            try:
                said += run(ROUNDS, tool, family, str(FRESH_SEED + done), some)["rounds"]
            except SystemExit as failure:
                if tool == OUTLIVE:
                    raise
                self.failures.rows.append((tool, family, str(failure).splitlines()[-1][:70]))
                return []
        return said


def bodies(kind: str, families: Mapping[str, Family], tools: Tools) -> Result:
    """Ask all tools about bodies of all these families."""
    table, reaches = Table(f"Bodies: {kind}", COLUMNS), []
    wrong = Table("outlive is wrong", ("", "seed", "it says"))
    for name in families:
        for tool in tools.of(name):
            said = tools.run(tool, name, tools.rounds(kind, tool))
            table.rows.append((name, tool, *_cells(said)))
            if tool == OUTLIVE:
                right = (FINE, UNKNOWN) if kind == "benign" else (LEAK,)
                missed = [each for each in said if each["said"] not in right]
                wrong.rows.extend((name, str(each["seed"]), each["said"]) for each in missed)
                reaches.append(_reach(name, len(missed), len(said)))
    show("")
    return [table, *([wrong] if wrong.rows else [])], reaches


def _cells(said: Sequence[Figures]) -> tuple[str, ...]:
    if not said:
        return ("0", *["-"] * 4)
    count = Counter(each["said"] for each in said)
    runs = statistics.median(each["runs"] for each in said)
    seen = [each["seen"] / 1024 for each in said if each["seen"] is not None]
    shown = f"{statistics.median(seen):.1f}" if seen else "-"
    return str(len(said)), str(count[LEAK]), str(count[UNKNOWN]), f"{runs:.0f}", shown


def _reach(name: str, wrong: int, rounds: int) -> Reach:
    if name == SMALL:
        return Reach(f"{name}, share of wrong rounds", share(wrong, rounds), SMALL_WRONG_MAX)
    return Reach(f"{name}, wrong rounds of {rounds}", exactly(wrong), 0)


def cost(rounds: int) -> Result:
    """Compare marked tests with as many plain ones as those took runs, in sessions by turns."""
    marked, plain = [], []
    for done in range(rounds):
        show(f"cost: round {done + 1} of {rounds}")
        marked.append(run(COST, "marked", str(MARKED_TESTS)))
        plain.append(run(COST, "plain", str(1 + marked[-1]["runs"])))
    show("")
    table = Table("A clean test, marked and as often plain", ("", "ms a run", "95 %", "runs of a test"))
    for name, figures, tests in (("marked", marked, MARKED_TESTS - 1), ("plain", plain, 0)):
        milliseconds = spread([1e3 * each["seconds"] / each["runs"] for each in figures])
        runs = f"{statistics.median(each['runs'] / tests for each in figures):.0f}" if tests else "1"
        table.rows.append((name, f"{milliseconds.median:.2f}", milliseconds.interval(), runs))
    more = spread(
        [1e3 * (each["first"] - each["first_runs"] * each["seconds"] / each["runs"]) for each in marked]
    )
    first = Table("The first marked test takes longer, by ms", ("", "95 %"))
    first.rows.append((f"{more.median:.0f}", more.interval(0)))
    found = ratio(*([each["seconds"] for each in figures] for figures in (marked, plain)))
    return [table, first], [Reach("a clean test, its plain repetitions = 1", found, COST_MAX, "x")]


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = (*KINDS, "cost")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; default: all")
    parser.add_argument("--rounds", type=int, help=f"of each; a peer has {PEER_ROUNDS} at most")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--quick", action="store_true", help="one round of everything")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are: {', '.join(parts)}")
    if options.rounds is not None and options.rounds < 1:
        parser.error("at least one round is needed")
    rounds = 1 if options.quick else options.rounds
    tools = Tools(() if options.alone else PEERS, rounds)
    results = [
        cost(rounds or COST_ROUNDS) if part == "cost" else bodies(part, KINDS[part], tools)
        for part in options.parts or parts
    ]
    tables = [table for result, _ in results for table in result]
    reaches = [reach for _, result in results for reach in result]
    return finish(
        [*tables, *([tools.failures] if tools.failures.rows else [])], reaches, as_json=options.json
    )


if __name__ == "__main__":
    sys.exit(main())
