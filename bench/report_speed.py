"""How long the report of a recording takes, beside memray's of the same service.

python bench/report_speed.py                    a minute of the service
python bench/report_speed.py --seconds 3600     an hour of it, as promised; memray's file takes much disk
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from side_by_side.children import PROGRAMS, Figures, call
from side_by_side.reach import Reach, Table, finish
from side_by_side.rounds import in_turn, show, spread

SECONDS_MAX = 1.0
RECORDED = PROGRAMS / "recorded.py"
MB = 1_000_000


def waited(*arguments: str | Path) -> Figures:
    """Run a command to its end; return how long that took."""
    started = time.perf_counter()
    call(*arguments)
    return {"seconds": time.perf_counter() - started}


def main() -> int:
    """Record, then report in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="of the service; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("at least one round is needed")

    columns = ("", "seconds", "95 %", "file, MB")
    table = Table(f"Reports of a service recorded for {options.seconds:g} s", columns)
    with tempfile.TemporaryDirectory() as folder:
        sparse, dense, memrays = (
            Path(folder) / name for name in ("sparse.outlive", "dense.outlive", "memray.bin")
        )
        for tool, file in (("outlive", sparse), ("outlive-dense", dense), ("memray", memrays)):
            show(f"recording with {tool}")
            call(RECORDED, str(options.seconds), tool, file)
        output = Path(folder) / "table.html"
        reports: dict[str, tuple[Path, tuple[str | Path, ...]]] = {
            "outlive report": (sparse, ("outlive", "report", sparse)),
            "outlive report --json": (sparse, ("outlive", "report", "--json", sparse)),
            "outlive report, full": (dense, ("outlive", "report", dense)),
            "memray stats": (memrays, ("memray", "stats", memrays)),
            "memray table": (memrays, ("memray", "table", "--leaks", "-f", "-o", output, memrays)),
        }
        children = {name: partial(waited, "-m", *command) for name, (_, command) in reports.items()}
        figures = in_turn(children, options.rounds, "report")
        seconds = {name: spread([each["seconds"] for each in figures[name]]) for name in reports}
        for name, (file, _) in reports.items():
            found = seconds[name]
            interval = found.interval()
            table.rows.append((name, f"{found.median:.2f}", interval, f"{file.stat().st_size / MB:.1f}"))
    limits = [
        Reach(name, found, SECONDS_MAX, " s") for name, found in seconds.items() if name.startswith("outlive")
    ]
    return finish([table], limits, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
