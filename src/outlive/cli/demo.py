"""`outlive demo`: the worked example for real, from seeding to the last exported cell."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outlive.capture.rss import rss_bytes
from outlive.cli import outcomes
from outlive.demo.checkout import PACKAGE, find_checkout
from outlive.demo.child import run_child
from outlive.demo.interruption import temporary_folder
from outlive.demo.leaks import (
    EXPORTS,
    LIMIT_BYTES,
    PLANTED,
    SCOPE,
    failures,
    leak_json,
    outcome_of,
    tell_leak,
)
from outlive.demo.leaks import ROWS as LEAKING_ROWS
from outlive.demo.machine import check_machine
from outlive.demo.outcome import Outcome, read_outcome, saving
from outlive.demo.story import tell
from outlive.demo.waiting import explain_wait
from outlive.diagnose.comparison import compare, pooled
from outlive.errors import OutliveError
from outlive.model.size import mib
from outlive.report.files import check_writable, write_whole
from outlive.report.style import style_of_stdout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from outlive.demo.leaks import LeakOutcome, Planted

_EPILOG = """\b
Examples:
  outlive demo
  outlive demo --rows 20000      with less memory
  outlive demo --json demo.json
"""

_ROWS_DONE = re.compile(r"^(\d+) of \d+ rows$", re.MULTILINE)


@click.command(epilog=_EPILOG)
@click.option("--rows", type=click.IntRange(min=1), default=100_000, show_default=True, help="To export.")
@click.option("--json", "json_file", metavar="FILE", type=Path, help="Write the comparison as JSON.")
def command(rows: int, json_file: Path | None) -> None:
    """Run the worked example: an export job that eats gigabytes, one that streams, and three that leak.

    The first two are profiled line by line on real rows, and every cell they export is read back and
    compared. Of the leaks, 100 exports each, outlive tells line, holder and cure, and verifies the cure.
    The files go to a temporary folder (TMPDIR decides where) and are removed at the end.
    """
    if json_file is not None:
        check_writable(json_file)
    root = find_checkout()
    with temporary_folder() as folder:
        check_machine(rows, folder)
        demo = _Demo(root, folder, rows)
        demo.seed()
        buggy = demo.export("buggy")
        streaming = demo.export("streaming")
        click.echo(tell(buggy, streaming))
        leaks = [demo.leak(planted) for planted in PLANTED] if rows >= LEAKING_ROWS else []
    click.echo(_summary(leaks))
    if json_file is not None:
        write_whole(json_file, _as_json(rows, buggy, streaming, leaks) + "\n")
    wrong = [] if streaming.is_exact else ["the streaming job exported wrong rows"]
    if wrong := wrong + failures(leaks):
        raise OutliveError("; ".join(wrong), hint="please report it, with this output")


class _Demo:
    """The steps, each a child process, with what they leave in one folder."""

    def __init__(self, root: Path, folder: Path, rows: int) -> None:
        self.root, self.folder, self.rows = root, folder, rows
        self.database = folder / "activity.db"
        self.log = folder / "step.log"

    def seed(self) -> None:
        with click.progressbar(length=self.rows, label=f"seeding {self.rows:,} rows", file=sys.stderr) as bar:
            run_child(
                ["-m", PACKAGE, "seed", str(self.database), "--rows", str(self.rows)],
                what="seeding the database",
                root=self.root,
                log=self.log,
                look=lambda _pid, _seconds: bar.update(_rows_done(self.log) - bar.pos),
            )
            bar.update(self.rows - bar.pos)

    def export(self, job: str) -> Outcome:
        """Run one job under the profiler, print its table, and compare its file with the database."""
        profile, table, aftermath, check, exported = (
            self.folder / f"{job}.{kind}" for kind in ("profile", "table", "aftermath", "check", "csv")
        )
        profiled = ["-m", "outlive", "run", "--json", str(profile), "-o", str(table), "-m", PACKAGE]
        files = [str(self.database), str(exported)]
        self._step(
            f"running the {job} job, profiled",
            [*profiled, job, *files, "--aftermath", str(aftermath)],
            report=profile,
        )
        click.echo(f"\n{table.read_text(encoding='utf-8')}")
        if wait := explain_wait(profile):
            click.echo(wait)
        self._step(
            f"comparing every cell of the {job} job's file with the database",
            ["-m", PACKAGE, "check", *files, "--json", str(check)],
            accepted=(0, 1),  # 1: some are wrong
        )
        exported.unlink()
        return read_outcome(profile, aftermath, check)

    def leak(self, planted: Planted) -> LeakOutcome:
        """Run exports that leak, and the same ones cured, and print what outlive says of both."""
        what = f"running {EXPORTS} exports with the {planted.name} leak"
        leaking = self._sampled(what, planted.name)
        cured = self._sampled(f"{what} cured", planted.name, "--cured")
        before, after = (pooled([outcomes.read_outcome(str(file))]) for file in (leaking, cured))
        found = json.loads(leaking.read_bytes())
        leak = outcome_of(planted, found, compare(before, after, LIMIT_BYTES, SCOPE), self.root)
        click.echo(tell_leak(leak, style_of_stdout()))
        return leak

    def _sampled(self, what: str, leak: str, *options: str) -> Path:
        profile, exported = (self.folder / f"{leak}{''.join(options)}.{kind}" for kind in ("json", "exports"))
        exported.mkdir()
        sampled = ["-m", "outlive", "run", "--sample", "--json", str(profile), "-o", os.devnull]
        exports = ["-m", PACKAGE, "leak", leak, str(self.database), str(exported), *options]
        sizes = ["--exports", str(EXPORTS), "--rows", str(LEAKING_ROWS)]
        self._step(what, [*sampled, *exports, *sizes], report=profile)
        shutil.rmtree(exported)
        return profile

    def _step(
        self, what: str, arguments: list[str], accepted: tuple[int, ...] = (0,), report: Path | None = None
    ) -> None:
        with _live_line(what) as show:
            run_child(
                arguments,
                what=what,
                root=self.root,
                log=self.log,
                look=show,
                accepted=accepted,
                report=report,
            )


@contextmanager
def _live_line(what: str) -> Iterator[Callable[[int, float], None]]:
    """Keep a step's elapsed time and RSS up to date on a terminal; elsewhere, say its name once."""
    moves = sys.stderr.isatty()
    sys.stderr.write(what if moves else f"{what}\n")
    sys.stderr.flush()

    def show(pid: int, seconds: float) -> None:
        if moves:
            sys.stderr.write(f"\r\033[K{what}: {seconds:.0f} s · RSS {mib(rss_bytes(pid))}")
            sys.stderr.flush()

    try:
        yield show
    finally:
        if moves:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def _rows_done(log: Path) -> int:
    """Return the number in the last line of the seeding's output that tells one."""
    done = _ROWS_DONE.findall(log.read_text(encoding="utf-8", errors="replace"))
    return int(done[-1]) if done else 0


def _summary(leaks: Sequence[LeakOutcome]) -> str:
    if not leaks:
        return f"The leaks were left out. For them, type: outlive demo --rows {LEAKING_ROWS}"
    found, verified = sum(not leak.wrong for leak in leaks), sum(leak.is_verified for leak in leaks)
    return (
        f"{found} of {len(leaks)} leaks found with their line, holder, rule and cure;"
        f" {verified} of {len(leaks)} cures verified."
    )


def _as_json(rows: int, buggy: Outcome, streaming: Outcome, leaks: Sequence[LeakOutcome]) -> str:
    return json.dumps(
        {
            "schema": 1,
            "rows": rows,
            "saving": saving(buggy, streaming),
            "buggy": asdict(buggy),
            "streaming": asdict(streaming),
            "leaks": [leak_json(leak) for leak in leaks],
        }
    )
