"""What `import outlive` costs beyond the bare interpreter: `python bench/imports.py --help`."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from functools import partial

from side_by_side.children import Figures, instructions
from side_by_side.reach import Reach, Table, finish
from side_by_side.rounds import Spread, beyond, in_turn, spread

MS_MAX, MB_MAX = 25.0, 3.0
BARE = "bare interpreter"
STATEMENTS = {
    BARE: "pass",
    "import outlive": "import outlive",
    "import outlive; outlive.start()": "import outlive; outlive.start()",
    "import outlive, and a first @outlive.profile": "import outlive; outlive.profile(lambda: None)",
}
STARTED = ("import outlive", "import outlive; outlive.start()")
# Needs no import of its own, which might hide one of outlive's. Ends without the tables printed at exit.
TAIL = """
with open("/proc/self/status") as status: text = status.read()
import sys, os
print(text, "modules", *sorted(sys.modules), flush=True)
os._exit(0)
"""


def measured(statement: str, bytecode: str) -> Figures:
    """Run the statement in a fresh interpreter, with bytecode cached as an installed package has it."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
    started = time.perf_counter()
    child = subprocess.run(
        [sys.executable, "-c", statement + TAIL], env=environment, capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - started
    (rss,) = re.findall(r"VmRSS:\s+(\d+) kB", child.stdout)
    modules = child.stdout.partition(" modules ")[2].split()
    return {"ms": seconds * 1e3, "mb": int(rss) * 1024 / 1e6, "modules": modules}


def main() -> int:
    """Run all statements in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="default: %(default)s")
    parser.add_argument("--instructions", action="store_true", help="count instructions too, with valgrind")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as bytecode:
        children = {name: partial(measured, code, bytecode) for name, code in STATEMENTS.items()}
        in_turn(children, 1, "compile")
        figures = in_turn(children, options.rounds, "import")
    bare = {unit: [each[unit] for each in figures[BARE]] for unit in ("ms", "mb")}
    table = Table("Beyond the bare interpreter", ("", "ms", "95 %", "MB", "modules"))
    itself = _cells(spread(bare["ms"]), spread(bare["mb"]))
    table.rows.append((f"{BARE}, itself", *itself, str(_modules(figures[BARE]))))
    ms, mb = {}, {}
    for name in list(STATEMENTS)[1:]:
        ms[name] = beyond([each["ms"] for each in figures[name]], bare["ms"])
        mb[name] = beyond([each["mb"] for each in figures[name]], bare["mb"])
        more = _modules(figures[name]) - _modules(figures[BARE])
        table.rows.append((name, *_cells(ms[name], mb[name]), str(more)))
    tables = [table, _pulled(figures)]
    if options.instructions:
        tables.append(_counted())
    limits = [
        reach
        for name in STARTED
        for reach in (
            Reach(f"{name}: time", ms[name], MS_MAX, " ms"),
            Reach(f"{name}: memory", mb[name], MB_MAX, " MB"),
        )
    ]
    return finish(tables, limits, as_json=options.json)


def _cells(ms: Spread, mb: Spread) -> tuple[str, str, str]:
    return f"{ms.median:.1f}", ms.interval(1), f"{mb.median:.2f}"


def _modules(rounds: list[Figures]) -> int:
    return len(rounds[0]["modules"])


def _pulled(figures: dict[str, list[Figures]]) -> Table:
    """List what each step brings in that the step before it did not."""
    table = Table("Modules that come in", ("", "modules"))
    seen = set(figures[BARE][0]["modules"])
    for name in list(STATEMENTS)[1:]:
        new = [module for module in figures[name][0]["modules"] if module not in seen]
        seen.update(new)
        for line in textwrap.wrap(" ".join(new), 90):
            table.rows.append((name, line))
            name = ""  # noqa: PLW2901 - it stands in the first row only
    return table


def _counted() -> Table:
    table = Table("Machine instructions beyond the bare interpreter, millions", ("", "millions"))
    bare = instructions("-c", STATEMENTS[BARE])
    for name in list(STATEMENTS)[1:]:
        table.rows.append((name, f"{(instructions('-c', STATEMENTS[name]) - bare) / 1e6:.1f}"))
    return table


if __name__ == "__main__":
    sys.exit(main())
