"""What scopes cost, and how long the diagnosis of a live service takes.

python bench/scopes.py               all parts
python bench/scopes.py diagnosis     that of a service of 1 GB that leaks
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from side_by_side.children import PROGRAMS, ROOT, Figures, run
from side_by_side.reach import Reach, Table, finish
from side_by_side.rounds import in_turn, ratio, show, spread

if TYPE_CHECKING:
    from collections.abc import Callable

COST, SERVICE = PROGRAMS / "scope_cost.py", PROGRAMS / "leaking_service.py"
SCOPE_MICROSECONDS_MAX = 2.0
MIDDLEWARE_MAX = 1.01
ANSWER_SECONDS_MAX = 10.0
PAUSE_MS_MAX = 50.0
MEGABYTES = 1000

Result = tuple[Table, list[Reach]]


def scope(rounds: int) -> Result:
    """Compare a run of a scope with the least a context manager can do."""
    medians = [each["medians"] for each in in_turn({"": partial(run, COST, "scope")}, rounds, "scope")[""]]
    table = Table("A run of a scope, sampling at 128 KiB", ("", "microseconds", "95 %"))
    found = {name: spread([each[name] for each in medians]) for name in ("scope", "nothing")}
    table.rows.extend((name, f"{each.median:.2f}", each.interval()) for name, each in found.items())
    return table, [Reach("a run of a scope", found["scope"], SCOPE_MICROSECONDS_MAX, " microseconds")]


def middleware(rounds: int) -> Result:
    """Compare a minimal FastAPI service with the middleware and without."""
    asked = {"": partial(run, COST, "middleware")}
    medians = [each["medians"] for each in in_turn(asked, rounds, "middleware")[""]]
    with_it, without = ([each[name] for each in medians] for name in ("middleware", "without"))
    table = Table("A request of a minimal FastAPI service", ("", "microseconds", "95 %"))
    for name, values in (("with the middleware", with_it), ("without", without)):
        table.rows.append((name, f"{spread(values).median:.1f}", spread(values).interval(1)))
    return table, [Reach("the middleware", ratio(with_it, without), MIDDLEWARE_MAX, " x")]


def diagnosis(rounds: int) -> Result:
    """Diagnose a service of 1 GB while it serves."""
    figures = in_turn({"": diagnosed}, rounds, "diagnosis")[""]
    table = Table(f"outlive diagnose of a service of {MEGABYTES} MB that leaks", ("", "", "95 %"))
    seconds = spread([each["seconds"] for each in figures])
    longest = spread([1000 * each["longest"] for each in figures])
    table.rows.append(("answer, seconds", f"{seconds.median:.2f}", seconds.interval()))
    table.rows.append(("longest time between two requests, ms", f"{longest.median:.0f}", longest.interval(0)))
    table.rows.append(("RSS, MB", f"{spread([each['rss'] / 1e6 for each in figures]).median:.0f}", ""))
    right = sum(each["right"] for each in figures)
    table.rows.append(("right verdict and line", f"{right} of {rounds}", ""))
    return table, [
        Reach("answer", seconds, ANSWER_SECONDS_MAX, " s"),
        Reach("longest pause", longest, PAUSE_MS_MAX, " ms"),
    ]


def diagnosed() -> Figures:
    """Return how long the answer took, and the figures of the service."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "figures.json")
        environment = {
            **os.environ,
            "BENCH_FIGURES": str(file),
            "OUTLIVE_RECORDING": folder,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'bench'}",
        }
        with subprocess.Popen(
            [sys.executable, SERVICE, str(MEGABYTES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        ) as service:
            if service.stdout is None or service.stdin is None or service.stdout.readline() != "ready\n":
                raise SystemExit("bench: the service did not start")
            began = time.perf_counter()
            command = [sys.executable, "-m", "outlive", "diagnose", str(service.pid), "--json"]
            said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            seconds = time.perf_counter() - began
            service.stdin.close()
        (found,) = (one for one in json.loads(said.stdout)["findings"] if one["scope"] == "export")
        right = found["verdict"] == "leak" and found["site"]["source"].startswith("SESSIONS[number] =")
        figures: Figures = json.loads(file.read_text())
        return {**figures, "seconds": seconds, "right": right}


def main() -> int:
    """Run what was asked for."""
    parts: dict[str, Callable[[int], Result]] = {
        "scope": scope,
        "middleware": middleware,
        "diagnosis": diagnosis,
    }
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; default: all")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if options.rounds < 1:
        parser.error("at least one round is needed")
    results = [parts[name](options.rounds) for name in options.parts or parts]
    show("")
    tables, reaches = [table for table, _ in results], [reach for _, found in results for reach in found]
    return finish(tables, reaches, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
