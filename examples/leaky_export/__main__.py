"""The example's command line: ``python -m examples.leaky_export --help``."""

import argparse
import asyncio
import gc
import json
import sys
from dataclasses import asdict
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from examples.leaky_export import buggy, streaming
from examples.leaky_export.aftermath import Aftermath, Watch, survivors
from examples.leaky_export.check import check
from examples.leaky_export.leaks import LEAKS, Export, run_exports
from examples.leaky_export.models import open_engine
from examples.leaky_export.seed import ROWS, TENANT_ID, USER_ID, seed

_DESCRIPTION = (
    "Export a user's activity from SQLite to CSV: with a job that loads everything at once, with one that"
    " streams, or with exports that leak. Begin with 'seed'; every other command reads the file it makes."
)


def main() -> int:
    """Run one command; return the exit code."""
    arguments = _parser().parse_args()
    if arguments.command == "seed":
        return _seed(arguments.database, arguments.rows)
    if not arguments.database.is_file():
        sys.stderr.write(
            f"there is no database {arguments.database}; make it with:"
            f" python -m examples.leaky_export seed {arguments.database}\n"
        )
        return 2
    if arguments.command == "check":
        return _check(arguments.database, arguments.csv, arguments.json)
    if arguments.command == "leak":
        return _leak(arguments)
    job = _buggy if arguments.command == "buggy" else _streaming
    aftermath = asyncio.run(job(arguments.database, arguments.csv))
    if arguments.aftermath:
        arguments.aftermath.write_text(json.dumps(asdict(aftermath)) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.leaky_export", description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("seed", help="create a database of activity rows")
    command.add_argument("database", type=Path)
    command.add_argument("--rows", type=int, default=ROWS, help="default: %(default)s")

    for name, what in (("buggy", "loads everything at once"), ("streaming", "keeps a part at a time")):
        command = commands.add_parser(name, help=f"run the export job that {what}")
        command.add_argument("database", type=Path)
        command.add_argument("csv", type=Path, help="the file to write")
        command.add_argument("--aftermath", type=Path, metavar="FILE", help="write what it left, as JSON")

    command = commands.add_parser("check", help="compare an exported file with the database, cell by cell")
    command.add_argument("database", type=Path)
    command.add_argument("csv", type=Path, help="the file to read")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the outcome as JSON")

    command = commands.add_parser("leak", help="run exports that leak, and count the rows that stay alive")
    command.add_argument("leak", choices=LEAKS)
    command.add_argument("database", type=Path)
    command.add_argument("directory", type=Path, help="where to write the files")
    command.add_argument("--exports", type=int, default=10, help="default: %(default)s")
    command.add_argument("--rows", type=int, default=100, help="rows an export, default: %(default)s")
    command.add_argument("--cured", action="store_true", help="run the cured exports instead")
    return parser


def _seed(database: Path, rows: int) -> int:
    def progress(done: int) -> None:
        sys.stdout.write(f"{done} of {rows} rows\n")
        sys.stdout.flush()

    try:
        seed(database, rows, progress)
    except (FileExistsError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def _buggy(database: Path, output_path: Path) -> Aftermath:
    engine = open_engine(database)
    async with AsyncSession(engine) as session:
        watch = Watch()
        await buggy.export_user_data(session, USER_ID, TENANT_ID, output_path)
        # The session is still open: that it isn't what keeps the memory is the point.
        aftermath = watch.aftermath()
    await engine.dispose()
    return aftermath


async def _streaming(database: Path, output_path: Path) -> Aftermath:
    engine = open_engine(database)
    watch = Watch()
    await streaming.export_user_data(engine, USER_ID, TENANT_ID, output_path)
    aftermath = watch.aftermath()
    await engine.dispose()
    return aftermath


def _check(database: Path, exported: Path, report: Path | None) -> int:
    outcome = check(database, USER_ID, TENANT_ID, exported)
    sys.stdout.write(
        f"{outcome.rows_expected:,} rows expected, {outcome.rows_found:,} found,"
        f" {outcome.rows_wrong:,} wrong or missing\n"
        f"{outcome.cells_checked:,} cells expected, {outcome.cells_wrong:,} wrong or missing,"
        f" {outcome.cells_extra:,} too many\n"
        f"the header is {'wrong' if outcome.header_wrong else 'right'}\n"
    )
    if report:
        report.write_text(json.dumps(asdict(outcome)) + "\n", encoding="utf-8")
    return 0 if outcome.is_exact else 1


def _leak(arguments: argparse.Namespace) -> int:
    leak, cure = LEAKS[arguments.leak]
    asyncio.run(_exports(cure if arguments.cured else leak, arguments))
    gc.collect()
    exports, rows = arguments.exports, arguments.rows
    sys.stdout.write(f"{survivors():,} rows alive after {exports:,} exports of {rows:,}\n")
    return 0


async def _exports(export: Export, arguments: argparse.Namespace) -> None:
    engine = open_engine(arguments.database)
    await run_exports(export, engine, arguments.exports, arguments.rows, arguments.directory)
    await engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
