"""What line tables cost and whether they are true, beside memory_profiler: `python bench/lines.py --help`."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from programs.truth import CASES
from side_by_side.children import PROGRAMS, Figures, call, instructions, run
from side_by_side.reach import Reach, Table, exactly, finish
from side_by_side.rounds import Spread, in_turn, ratio, show, spread

PROFILED_MAX, IDLE_MAX = 2.0, 1.02
SHARE_MAX, EXTRA_BYTES = 0.01, 1024
MIB = 1 << 20
CPU, UNITS = "cpu_seconds", "units"
PEER = "memory_profiler"
PEER_SHARE = 20  # memory_profiler gets this part of the rows, or one would wait for it
RUNS = "5"  # in one child; the best counts
ALONE: tuple[str, ...] = ()
UNDER_RUN: tuple[str, ...] = ("-m", "outlive", "run")

EXPORT, JOB, WORKLOADS, TRUTH = (PROGRAMS / f"{name}.py" for name in ("export", "job", "workloads", "truth"))
LOOP, WHOLE = "export loop, rows in memory", "whole job, through SQLAlchemy"
TIGHT = "tight loop of small objects"  # the worst case, for information: lines that do next to nothing

IDLE_ROUNDS = 3  # times as many: 2 % are hard to see
IDLE_SIZES = {
    "exporting": 2_000,
    "churn": 400_000,
    "buffers": 800_000,
    "objects": 640,
    "documents": 25,
}  # some 0.1 s each

Part = Callable[[], tuple[Table, list[Reach]]]
Program = tuple[str | Path, ...]
Case = tuple[str, Program, tuple[str, ...], str]  # a title, a program, how it is run, by what it is profiled


def cost(rounds: int, rows: int) -> tuple[Table, list[Reach]]:
    """Compare profiled functions with plain ones, in CPU a row."""
    table = Table("CPU a row under @profile, plain = 1", ("", "outlive", "95 %", PEER, "plain, µs"))
    reaches = []
    few_rows, steps = rows // PEER_SHARE, IDLE_SIZES["churn"]
    with tempfile.TemporaryDirectory() as folder:
        many_db, few_db = Path(folder) / "many.db", Path(folder) / "few.db"
        for database, count in ((many_db, rows), (few_db, few_rows)):
            call("-m", "examples.leaky_export", "seed", database, "--rows", str(count))
        for name, command, many, few in (
            (LOOP, (EXPORT,), rows, few_rows),
            (WHOLE, (JOB,), many_db, few_db),
            (TIGHT, (WORKLOADS, "churn"), steps, steps // PEER_SHARE),
        ):
            children = {tool: partial(run, *command, str(many), RUNS, tool) for tool in ("plain", "outlive")}
            children[PEER] = partial(run, *command, str(few), "1", PEER)
            figures = in_turn(children, rounds, name)
            plain, ours, theirs = ([each[CPU] / each[UNITS] for each in figures[tool]] for tool in children)
            our_ratio, micros = ratio(ours, plain), spread(plain).median * 1e6
            cells = times(our_ratio), our_ratio.interval(), times(ratio(theirs, plain)), f"{micros:.2f}"
            table.rows.append((name, *cells))
            if name != TIGHT:
                reaches.append(Reach(f"{name}, under @profile", our_ratio, PROFILED_MAX, "x"))
    return table, reaches


def idle(rounds: int) -> tuple[Table, list[Reach]]:
    """Compare programs under `outlive run`, with nothing decorated, with themselves alone."""
    title = "CPU under outlive run, nothing decorated, alone = 1"
    table = Table(title, ("", "outlive run", "95 %", "alone, ms"))
    reaches = []
    for name, size in IDLE_SIZES.items():
        program = (WORKLOADS, name, str(size), RUNS, "plain")
        children = {
            "alone": partial(run, *ALONE, *program),
            "outlive run": partial(run, *UNDER_RUN, *program),
        }
        figures = in_turn(children, rounds, name)
        alone, ours = ([each[CPU] for each in figures[how]] for how in children)
        found = ratio(ours, alone)
        table.rows.append((name, times(found, 3), found.interval(3), f"{spread(alone).median * 1e3:.0f}"))
        reaches.append(Reach(f"{name}, nothing decorated", found, IDLE_MAX, "x"))
    return table, reaches


def truth() -> tuple[Table, list[Reach]]:
    """Compare what the line tables say of known allocations with the truth."""
    table = Table("Bytes kept by one line, MiB", ("", "heap", "true", "outlive", PEER))
    worst = 0.0
    for case in CASES:
        for heap in ("cold", "warm"):
            ours, theirs = outlives_word(case, heap), run(TRUTH, case, heap, PEER)
            true, found = ours["true_bytes"], ours["found_bytes"]
            worst = max(worst, abs(found - true) / (SHARE_MAX * abs(true) + EXTRA_BYTES))
            peers = "nothing" if theirs["found_bytes"] is None else f"{theirs['found_bytes'] / MIB:.3f}"
            table.rows.append((case, heap, f"{true / MIB:.3f}", f"{found / MIB:.3f}", peers))
    return table, [Reach("largest error of a line, in parts of the 1 % + 1 KiB allowed", exactly(worst), 1.0)]


def outlives_word(case: str, heap: str) -> Figures:
    """Run a case under `outlive run`; return its figures, with what its JSON says of the marked line."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile.json"
        figures = run(*UNDER_RUN, "--json", profile, TRUTH, case, heap, "outlive")
        functions = json.loads(profile.read_text())["functions"]
    rows = [row for function in functions for row in function["lines"] if row["line"] == figures["line"]]
    return {**figures, "found_bytes": sum(row["increment_bytes"] for row in rows)}


def counted_cost() -> tuple[Table, list[Reach]]:
    """Compare the profiled export with the plain one in instructions: exact, and slow."""
    name = f"{LOOP}, under @profile"
    return counted([(name, (EXPORT, "500"), ALONE, "outlive")], PROFILED_MAX)


def counted_idle() -> tuple[Table, list[Reach]]:
    """Compare programs under `outlive run` with themselves in instructions."""
    cases: list[Case] = [
        (f"{name}, nothing decorated", (WORKLOADS, name, str(size // 10)), UNDER_RUN, "plain")
        for name, size in IDLE_SIZES.items()
    ]
    return counted(cases, IDLE_MAX)


def counted(cases: Sequence[Case], limit: float) -> tuple[Table, list[Reach]]:
    """Count the instructions of each case, and of the same program alone and plain."""
    table = Table("Machine instructions, plain = 1", ("", "ratio", "plain, millions"))
    reaches = []
    for name, program, how, tool in cases:
        show(f"counting instructions: {name}")
        plain, ours = one_run(ALONE, program, "plain"), one_run(how, program, tool)
        table.rows.append((name, f"{ours / plain:.4f}", f"{plain / 1e6:.0f}"))
        reaches.append(Reach(f"{name}, in instructions", exactly(ours / plain), limit, "x"))
    show("")
    return table, reaches


def one_run(how: tuple[str, ...], program: Program, tool: str) -> int:
    """Return the instructions of one run of the program's work: those of two runs less those of one."""
    two, one = (instructions(*how, *program, runs, tool) for runs in ("2", "1"))
    return two - one


def times(value: Spread, digits: int = 2) -> str:
    """Return a ratio as text."""
    return f"{value.median:.{digits}f}"


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="cost, idle or truth; default: all three")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the export, default: %(default)s")
    parser.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    parser.add_argument(
        "--instructions",
        action="store_true",
        help="count instructions instead of seconds, with valgrind; slow",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    parts: dict[str, Part] = {
        "cost": partial(cost, options.rounds, options.rows),
        "idle": partial(idle, options.rounds * IDLE_ROUNDS),
        "truth": truth,
    }
    if options.instructions:
        parts.update(cost=counted_cost, idle=counted_idle)
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no part {unknown.pop()!r}; there are: {', '.join(parts)}")
    if options.rows < PEER_SHARE or options.rounds < 1:
        parser.error(f"at least {PEER_SHARE} rows and one round are needed")
    results = [parts[name]() for name in options.parts or parts]
    tables = [table for table, _ in results]
    return finish(tables, [reach for _, reaches in results for reach in reaches], as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
