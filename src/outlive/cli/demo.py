"""`outlive demo`: the worked example for real, from seeding to the last exported cell."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from outlive.capture.rss import rss_bytes
from outlive.demo.checkout import PACKAGE, find_checkout
from outlive.demo.child import run_child
from outlive.demo.machine import check_machine
from outlive.demo.outcome import Outcome, read_outcome, saving
from outlive.demo.story import tell
from outlive.errors import OutliveError
from outlive.model.size import mib
from outlive.report.files import check_writable, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

_EPILOG = """\b
Examples:
  outlive demo
  outlive demo --rows 20000      with less memory
  outlive demo --json demo.json
"""

_ROWS_DONE = re.compile(r"^(\d+) of \d+ rows$", re.MULTILINE)


@click.command(epilog=_EPILOG)
@click.option("--rows", type=click.IntRange(min=1), default=100_000, show_default=True, help="Activity rows to export.")
@click.option("--json", "json_file", metavar="FILE", type=Path, help="Write the comparison as JSON.")
def command(rows: int, json_file: Path | None) -> None:
    """Run the worked example: an export job that eats gigabytes, and beside it one that streams.

    Both are profiled line by line on real rows, and every cell they export is read back and compared. The files go to a
    temporary folder (TMPDIR decides where) and are removed at the end.
    """
    if json_file is not None:
        check_writable(json_file)
    root = find_checkout()
    with _temporary_folder() as folder:
        check_machine(rows, folder)
        demo = _Demo(root, folder, rows)
        demo.seed()
        buggy = demo.export("buggy")
        streaming = demo.export("streaming")
    click.echo(tell(buggy, streaming), nl=False)
    if json_file is not None:
        write_whole(json_file, _as_json(rows, buggy, streaming) + "\n")
    if streaming.cells_wrong or streaming.rows_found != streaming.rows_expected:
        raise OutliveError("the streaming job exported wrong rows", hint="please report it, with the output above")


class _Demo:
    """The steps, each a child process, with what they leave in one folder."""

    def __init__(self, root: Path, folder: Path, rows: int) -> None:
        self.root, self.folder, self.rows = root, folder, rows
        self.database = folder / "activity.db"

    def seed(self) -> None:
        log = self.folder / "seed.log"
        with click.progressbar(length=self.rows, label=f"seeding {self.rows:,} rows", file=sys.stderr) as bar:

            def look(_pid: int, _seconds: float) -> None:
                bar.update(_rows_done(log) - bar.pos)

            arguments = ["-m", PACKAGE, "seed", str(self.database), "--rows", str(self.rows)]
            run_child("seeding the database", arguments, self.root, log, look)
            bar.update(self.rows - bar.pos)

    def export(self, job: str) -> Outcome:
        """Run one job under the profiler, print its table, and compare its file with the database."""
        profile, table, aftermath, check, exported = (
            self.folder / f"{job}.{kind}" for kind in ("profile", "table", "aftermath", "check", "csv")
        )
        files = [str(self.database), str(exported)]
        self._step(
            f"running the {job} job, profiled",
            ["-m", "outlive", "run", "--json", str(profile), "-o", str(table), "-m", PACKAGE, job, *files]
            + ["--aftermath", str(aftermath)],
        )
        click.echo(f"\n{table.read_text(encoding='utf-8')}")
        compare = ["-m", PACKAGE, "check", *files, "--json", str(check)]
        self._step(f"comparing every cell of the {job} job's file with the database", compare, accepted=(0, 1))
        exported.unlink()
        return read_outcome(profile, aftermath, check)

    def _step(self, what: str, arguments: list[str], accepted: tuple[int, ...] = (0,)) -> None:
        with _LiveLine(what) as line:
            run_child(what, arguments, self.root, self.folder / "step.log", line.show, accepted)


class _LiveLine:
    """A step's elapsed time and RSS, kept up to date on a terminal; elsewhere only the step's name."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.moves = sys.stderr.isatty()

    def __enter__(self) -> _LiveLine:
        sys.stderr.write(self.what if self.moves else f"{self.what}\n")
        sys.stderr.flush()
        return self

    def show(self, pid: int, seconds: float) -> None:
        if self.moves:
            sys.stderr.write(f"\r\033[K{self.what}: {seconds:.0f} s · RSS {mib(rss_bytes(pid))}")
            sys.stderr.flush()

    def __exit__(self, *_exception: object) -> None:
        if self.moves:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Make a folder that is gone afterwards, also when the demo is interrupted or terminated."""
    terminated = signal.signal(signal.SIGTERM, _exit_terminated)
    folder = tempfile.mkdtemp(prefix="outlive-demo-")
    try:
        yield Path(folder)
    finally:
        # A second Ctrl-C must not leave a gigabyte behind.
        interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        shutil.rmtree(folder)
        signal.signal(signal.SIGTERM, terminated)
        signal.signal(signal.SIGINT, interrupted)


def _exit_terminated(_signal: int, _frame: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _rows_done(log: Path) -> int:
    """Return the number in the last line of the seeding's output that tells one."""
    done = _ROWS_DONE.findall(log.read_text(encoding="utf-8", errors="replace"))
    return int(done[-1]) if done else 0


def _as_json(rows: int, buggy: Outcome, streaming: Outcome) -> str:
    return json.dumps(
        {
            "schema": 1,
            "rows": rows,
            "saving": saving(buggy, streaming),
            "buggy": asdict(buggy),
            "streaming": asdict(streaming),
        }
    )
