"""How often verdicts are right: simulated programs, whose truth is known, as the sampler would see them.

python bench/verdicts.py                  300 seeds of each, none of which a threshold was chosen by
python bench/verdicts.py --seeds 2000
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

from side_by_side.children import ROOT
from side_by_side.reach import Reach, Table, finish
from side_by_side.rounds import share, show

sys.path.insert(0, str(ROOT))

from outlive.diagnose.growth import judge
from tests.diagnose import simulated
from tests.diagnose.simulated import INTERVAL, KIB, World, worlds

FRESH_SEED = 1_000_000
RUNS = 300
FOUND_MIN = 0.99
KINDS = ("leak", "bounded growth", "steady", "not enough data")

Program = Callable[[World], None]
LEAKS: Mapping[str, tuple[Program, int, int]] = {
    "5 KiB a run": (partial(simulated.leak, count=10), RUNS, INTERVAL),
    "10 KiB a run": (partial(simulated.leak, count=20), RUNS, INTERVAL),
    "20 KiB a run": (partial(simulated.leak, count=40), RUNS, INTERVAL),
    "100 KiB a run": (partial(simulated.leak, count=200), RUNS, INTERVAL),
    "1 MB a run, 100 runs": (partial(simulated.leak, count=1950), 100, INTERVAL),
    "27 MB a run, 20 runs": (partial(simulated.leak, count=52_700), 20, INTERVAL),
    "1 KiB a run, exact, 100 runs": (partial(simulated.leak, size=KIB, count=1), 100, 1),
    "10 KiB a run, exact, 50 runs": (partial(simulated.leak, count=20), 50, 1),
    "200 KiB in every tenth run": (simulated.seldom_leak, RUNS, INTERVAL),
    "20 KiB a run, some runs ten times others": (simulated.uneven_leak, RUNS, INTERVAL),
    "one that grows from run to run": (simulated.growing_leak, RUNS, INTERVAL),
    "runs that overlap, ten at a time": (simulated.leak_of_overlapping_runs, RUNS, INTERVAL),
    "40 KiB a run, interval raised half-way": (simulated.leak_at_a_raised_interval, RUNS, INTERVAL),
    "1 MB a run beside as much that dies": (simulated.leak_among_others, RUNS, INTERVAL),
    "200 KiB a run after a warm-up": (simulated.leak_after_warm_up, RUNS, INTERVAL),
}


def kinds(program: Program, seeds: int, runs: int, interval: int) -> Counter[str]:
    """Return the verdicts on so many worlds."""
    fresh = range(FRESH_SEED, FRESH_SEED + seeds)
    return Counter(judge(*world.seen()).kind for world in worlds(program, fresh, runs, interval))


def main() -> int:
    """Judge all worlds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=300, help="of each program; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error("at least one seed is needed")
    seeds = options.seeds
    leaks = Table(f"Leaks, {RUNS} runs unless it says otherwise", ("", *KINDS))
    innocents = Table(f"Innocents, {RUNS} runs", ("", *KINDS))
    reaches = []
    for name, (program, runs, interval) in LEAKS.items():
        show(name)
        found = kinds(program, 1 if interval == 1 else seeds, runs, interval)
        leaks.rows.append((name, *(str(found[kind]) for kind in KINDS)))
        if name == "10 KiB a run":
            reaches.append(Reach("10 KiB a run, missed", share(seeds - found["leak"], seeds), 1 - FOUND_MIN))
    called = 0
    for innocent in simulated.INNOCENT:
        show(innocent.__name__)
        found = kinds(innocent, seeds, RUNS, INTERVAL)
        called += found["leak"]
        name = innocent.__name__.replace("_", " ")
        innocents.rows.append((name, *(str(found[kind]) for kind in KINDS)))
    show("")
    reaches.append(Reach("innocents called a leak", share(called, seeds * len(simulated.INNOCENT)), 0.001))
    return finish([leaks, innocents], reaches, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
