"""What sampling costs and whether it is true, beside its peers.

python bench/overhead.py                      all parts: CPU, memory, truth
python bench/overhead.py cost --rounds 30     one part, with narrower intervals
python bench/overhead.py cost --alone         outlive without its peers
python bench/overhead.py --instructions       CPU in machine instructions, which no noise touches
python bench/overhead.py --quick              every part once, to see that it works; shows nothing
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from programs.samplers import EXACT, OUTLIVE, PLAIN, SAMPLERS, SCALENE
from side_by_side.children import PROGRAMS, Figures, instructions, run
from side_by_side.reach import Reach, Table, exactly, finish
from side_by_side.rounds import Spread, beyond, in_turn, ratio, share, show, spread

WORST_MAX, TYPICAL_MAX = 1.05, 1.03
EXACT_WORST_MAX, EXACT_TYPICAL_MAX = 2.0, 1.5
EXTRA_MB_MAX = 3.0
OUTSIDE_MAX, ELSEWHERE_MAX = 0.07, 0.05

WATCHED, BY_TURNS, RESIDENT, LEAKS = (
    PROGRAMS / f"{name}.py" for name in ("watched", "by_turns", "resident", "leaks")
)
TURNS = "by turns"
RUNS = "5"  # in one child; the best counts
PAIRS = "4"  # in one child by turns; all count
COUNTED_RUNS = "4"  # in instructions
STARTS = 100  # of outlive in one child, each with other luck
PEER_ROUNDS = 5  # of a peer's truth
SIZES = {
    "exporting": 2_000,
    "churn": 400_000,
    "constraints": 1_200,
    "requests": 1_000,
    "documents": 25,
    "bytearrays": 60_000,
    "arrays": 50_000,
}  # some 0.1 s each
MB = 1_000_000

Result = tuple[list[Table], list[Reach]]


class Peers:
    """Samplers to compare with, and which of them could not do what."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the samplers' names."""
        self.names = names
        self.failures: dict[tuple[str, str], str] = {}

    def run(self, sampler: str, program: Path, *arguments: str) -> Figures:
        """Run a program under a sampler. A peer that fails gives no figures, and its last words are kept."""
        try:
            return under(sampler, program, *arguments)
        except SystemExit as failure:
            if sampler in (PLAIN, OUTLIVE, EXACT):
                raise
            self.failures[sampler, arguments[0]] = str(failure).splitlines()[-1][:70]
            return {}

    def table(self) -> list[Table]:
        """Return a table of what failed, if anything did."""
        table = Table("Peers that failed here", ("", "at", "last words"))
        table.rows.extend((*where, why) for where, why in self.failures.items())
        return [table] if table.rows else []


def under(sampler: str, program: Path, *arguments: str) -> Figures:
    """Run a program, whose last argument is its sampler; scalene's are told by the file it writes."""
    if sampler != SCALENE:
        return run(program, *arguments, sampler)
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "scalene.json"
        command = ("-m", "scalene", "run", "--memory", "-o", profile, program, "---")
        figures = run(*command, *arguments, sampler)
        if "found" in figures:
            figures["found"] = _scalenes_word(profile, figures)
        return figures


def _scalenes_word(profile: Path, figures: Figures) -> dict[str, float]:
    lines = json.loads(profile.read_text()).get("files", {}).get(figures["file"], {}).get("lines", [])
    found = dict.fromkeys(figures["true"], 0.0)
    for line in lines:
        if str(line["lineno"]) in found:
            found[str(line["lineno"])] += line["n_malloc_mb"] * (1 << 20)
    return found


def cost(peers: Peers, rounds: int) -> Result:
    """Compare CPU time under each sampler with that of the same program alone."""
    samplers = [OUTLIVE, EXACT, *peers.names]
    table = Table("CPU, alone = 1", ("", TURNS, "95 %", *samplers, "alone, ms"))
    by_turns, exact = {}, {}
    for name, size in SIZES.items():
        children: dict[str, Callable[[], Figures]] = {
            sampler: partial(peers.run, sampler, WATCHED, name, str(size), RUNS)
            for sampler in (PLAIN, *samplers)
        }
        children[TURNS] = partial(run, BY_TURNS, name, str(size // 2), PAIRS)
        figures = in_turn(children, rounds, name)
        pairs = figures.pop(TURNS)
        cpu = {how: [each.get("cpu_seconds", 0.0) for each in figures[how]] for how in figures}
        found = {how: ratio(cpu[how], cpu[PLAIN]) for how in samplers}
        by_turns[name] = ratio(
            *([each for pair in pairs for each in pair[how]] for how in ("sampled", "plain"))
        )
        exact[name] = found[EXACT]
        cells = (f"{found[how].median:.2f}" if all(cpu[how]) else "-" for how in samplers)
        alone = f"{spread(cpu[PLAIN]).median * 1e3:.0f}"
        table.rows.append((name, f"{by_turns[name].median:.3f}", by_turns[name].interval(), *cells, alone))
    return [table], _cost_reaches(by_turns, exact)


def counted() -> Result:
    """Compare the instructions of one run of each workload with those of the same program alone."""
    table = Table("Machine instructions, alone = 1", ("", OUTLIVE, EXACT, "alone, millions a run"))
    ours, exact = {}, {}
    for name, size in SIZES.items():
        show(f"counting instructions: {name}")
        program = (WATCHED, name, str(size // 10))
        # Those of more runs less those of one: neither the start nor the end is in it.
        alone, sampling, all_blocks = (
            instructions(*program, COUNTED_RUNS, how) - instructions(*program, "1", how)
            for how in (PLAIN, OUTLIVE, EXACT)
        )
        ours[name], exact[name] = exactly(sampling / alone), exactly(all_blocks / alone)
        ratios = (f"{each.median:.4f}" for each in (ours[name], exact[name]))
        table.rows.append((name, *ratios, f"{alone / (int(COUNTED_RUNS) - 1) / 1e6:.0f}"))
    show("")
    return [table], _cost_reaches(ours, exact)


def _cost_reaches(ours: Mapping[str, Spread], exact: Mapping[str, Spread]) -> list[Reach]:
    return [
        *(Reach(f"{name}, sampled", found, WORST_MAX, "x") for name, found in ours.items()),
        Reach("median of them", _median(ours.values()), TYPICAL_MAX, "x"),
        *(Reach(f"{name}, exact mode", found, EXACT_WORST_MAX, "x") for name, found in exact.items()),
        Reach("median of them", _median(exact.values()), EXACT_TYPICAL_MAX, "x"),
    ]


def memory(peers: Peers, rounds: int, seconds: int) -> Result:
    """Compare the resident sets of an idle and of a busy process, and what an idle one spends."""
    columns = ("", "idle, MB", "95 %", "busy, MB", "95 %", "idle, % of a core")
    table = Table("RSS beyond that of the same process alone; outlive's without its recording", columns)
    extra: dict[tuple[str, str], Spread] = {}
    samplers = [OUTLIVE, *peers.names]
    figures = {
        what: in_turn(
            {
                sampler: partial(peers.run, sampler, RESIDENT, what, str(seconds))
                for sampler in (PLAIN, *samplers)
            },
            rounds,
            f"memory, {what}",
        )
        for what in ("idle", "busy")
    }
    for sampler in samplers:
        cells = [sampler]
        for what, found in figures.items():
            if not all(found[sampler]):
                cells += ["-", "-"]
                continue
            own = [(each["rss"] - each["recording"]) / MB for each in found[sampler]]
            extra[sampler, what] = beyond(own, [each["rss"] / MB for each in found[PLAIN]])
            cells += [f"{extra[sampler, what].median:.2f}", extra[sampler, what].interval()]
        idle = [each.get("cpu_share", 0.0) * 100 for each in figures["idle"][sampler]]
        table.rows.append((*cells, f"{spread(idle).median:.2f}"))
    touched = (
        f"{spread([r['recording'] / MB for r in figures[what][OUTLIVE]]).median:.2f}" for what in figures
    )
    recording = Table("Of outlive's recording touched, MB", ("idle", "busy"), [tuple(touched)])
    reaches = [Reach(f"extra RSS, {what}", extra[OUTLIVE, what], EXTRA_MB_MAX, " MB") for what in figures]
    return [table, recording], reaches


def truth(peers: Peers, starts: int) -> Result:
    """Compare what each sampler says of known leaks with the truth."""
    own = Table(f"5 MB leaked, outlive started {starts} times", ("", "true, MB", "inside its 95 % interval"))
    results = []
    for done in range(0, starts, STARTS):
        show(f"truth: start {done} of {starts}")
        results.append(run(LEAKS, "small", str(min(STARTS, starts - done))))
    outside = {}
    for line, true in results[0]["true"].items():
        inside = sum(each["inside"].get(line, 0) for each in results)
        outside[line] = share(starts - inside, starts)
        own.rows.append((f"line {line}", f"{true / MB:.2f}", f"{inside / starts:.1%}"))
    leading = sum(each["leading"] for each in results)
    estimates = [each for result in results for each in result["shares"]]
    own.rows.append(("both", _shares(estimates), ""))
    own.rows.append(("these two lines lead", "", f"{leading / starts:.1%}"))
    beside, arrays = _truth_beside(peers, min(PEER_ROUNDS, starts))
    elsewhere = Spread(1 - arrays.median, 1 - arrays.high, 1 - arrays.low)
    return [own, beside], [
        *(
            Reach(f"truth outside of the interval, line {line}", outside[line], OUTSIDE_MAX)
            for line in outside
        ),
        Reach("starts in which another line leads", exactly(starts - leading), 0),
        Reach("of 40 MB of numpy not on its line", elsewhere, ELSEWHERE_MAX),
    ]


def _truth_beside(peers: Peers, rounds: int) -> tuple[Table, Spread]:
    """Return what each sampler finds on each line of the truth, and outlive's part of the arrays."""
    columns = ("", "5 MB in small blocks, line 1", "line 2", "40 MB of numpy")
    table = Table("Found on the right line, of the truth (least to most)", columns)
    cells: dict[str, list[Spread]] = {sampler: [] for sampler in (OUTLIVE, *peers.names)}
    for leak in ("small", "arrays"):
        children = {sampler: partial(peers.run, sampler, LEAKS, leak) for sampler in cells}
        for sampler, figures in in_turn(children, rounds, f"truth, {leak}").items():
            shares = [
                [each["found"][line] / true for line, true in each["true"].items()]
                for each in figures
                if each
            ]
            cells[sampler] += map(spread, zip(*shares, strict=True))
    for sampler, found in cells.items():
        table.rows.append((sampler, *map(Spread.interval, found), *["-"] * (len(columns) - 1 - len(found))))
    return table, cells[OUTLIVE][-1]


def _shares(estimates: Sequence[float]) -> str:
    least, mean, most = min(estimates), statistics.mean(estimates), max(estimates)
    return f"{least:.2f} to {most:.2f} of it found, {mean:.3f} on average"


def _median(values: Iterable[Spread]) -> Spread:
    """Return the middle one's figure, with the middle of the intervals' ends."""
    lows, medians, highs = zip(*((each.low, each.median, each.high) for each in values), strict=True)
    return Spread(statistics.median(medians), statistics.median(lows), statistics.median(highs))


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="cost, memory or truth; default: all three")
    parser.add_argument("--rounds", type=int, default=15, help="default: %(default)s")
    parser.add_argument(
        "--starts", type=int, default=1_000, help="of outlive, for the truth; default: %(default)s"
    )
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--quick", action="store_true", help="one round of everything")
    parser.add_argument(
        "--instructions",
        action="store_true",
        help="count instructions instead of seconds, with valgrind; slow",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if options.rounds < 1 or options.starts < 1:
        parser.error("at least one round and one start are needed")
    rounds, starts = (1, 2) if options.quick else (options.rounds, options.starts)
    names = [name for name in SAMPLERS if name not in (PLAIN, OUTLIVE, EXACT)]
    peers = Peers([] if options.alone else names)
    parts: dict[str, Callable[[], Result]] = {
        "cost": counted if options.instructions else partial(cost, peers, rounds),
        "memory": partial(memory, peers, rounds, 1 if options.quick else 5),
        "truth": partial(truth, peers, starts),
    }
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no part {unknown.pop()!r}; there are: {', '.join(parts)}")
    chosen = options.parts or (["cost"] if options.instructions else parts)
    results = [parts[name]() for name in chosen]
    tables = [table for result, _ in results for table in result]
    reaches = [reach for _, result in results for reach in result]
    return finish([*tables, *peers.table()], reaches, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
