"""The demo's claim at any number of rows, flat memory and right cells: `python bench/streaming.py --help`."""

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from side_by_side.children import call
from side_by_side.reach import Reach, Table, exactly, finish
from side_by_side.rounds import show

OVER_BASE_MB_MAX = 20.0
CLAIMED_ROWS, SAVING_MIN = 100_000, 0.97  # of the whole process, so its size counts
EXAMPLE = ("-m", "examples.leaky_export")


@dataclass(frozen=True, slots=True)
class Export:
    """One job's figures: RSS in MB (before the rows, at its highest), the seconds of the run, cells."""

    base: float
    peak: float
    seconds: float
    cells: int
    wrong: int


def export(job: str, database: Path) -> Export:
    """Run a job of the worked example under `outlive run`, and compare its file with the database."""
    profile, left, cells = (
        database.with_suffix(f".{job}.{name}.json") for name in ("profile", "left", "cells")
    )
    csv = database.with_suffix(".csv")
    show(f"{job} export of {database.stem} rows")
    call("-m", "outlive", "run", "--json", profile, *EXAMPLE, job, database, csv, "--aftermath", left)
    show(f"reading the {job} export of {database.stem} rows back")
    # Exit code 1 says that rows are wrong, which the buggy job's are.
    call(*EXAMPLE, "check", database, csv, "--json", cells, accepted=(0, 1))
    csv.unlink()
    run, rss, checked = (json.loads(file.read_text()) for file in (profile, left, cells))
    return Export(
        rss["base_rss_bytes"] / 1e6,
        rss["peak_rss_bytes"] / 1e6,
        run["seconds"],
        checked["cells_checked"],
        checked["cells_wrong"],
    )


def main() -> int:
    """Export as often as asked, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows",
        type=int,
        nargs="+",
        default=[100_000, 1_000_000],
        help="default: 100000 1000000 (many minutes)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()

    table = Table(
        "RSS of the export, MB", ("", "rows", "base", "peak", "over base", "seconds", "cells", "wrong")
    )
    reaches = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in sorted(options.rows):
            database = Path(folder) / f"{rows}.db"
            show(f"seeding {rows:,} rows")
            call(*EXAMPLE, "seed", database, "--rows", str(rows))
            streaming = export("streaming", database)
            table.rows.append(_row("streaming", rows, streaming))
            over = streaming.peak - streaming.base
            reaches.append(
                Reach(f"streaming {rows:,} rows, over base", exactly(over), OVER_BASE_MB_MAX, " MB")
            )
            reaches.append(Reach(f"streaming {rows:,} rows, wrong cells", exactly(streaming.wrong), 0))
            if rows == CLAIMED_ROWS:  # ten times as many would not fit into most machines
                buggy = export("buggy", database)
                table.rows.append(_row("buggy", rows, buggy))
                share = streaming.peak / buggy.peak
                reaches.append(
                    Reach(f"streaming {rows:,} rows, share of the buggy peak", exactly(share), 1 - SAVING_MIN)
                )
            database.unlink()
    show("")
    return finish([table], reaches, as_json=options.json)


def _row(job: str, rows: int, export: Export) -> tuple[str, ...]:
    megabytes = (f"{value:.1f}" for value in (export.base, export.peak, export.peak - export.base))
    return (job, f"{rows:,}", *megabytes, f"{export.seconds:.0f}", f"{export.cells:,}", f"{export.wrong:,}")


if __name__ == "__main__":
    sys.exit(main())
