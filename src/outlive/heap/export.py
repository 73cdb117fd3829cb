"""A snapshot written in other formats, for other tools: Parquet, Chrome's DevTools, Graphviz, JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from outlive.errors import OutliveError, UsageError
from outlive.heap import database, files
from outlive.heap.tables import TABLES, Source, create

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from outlive.heap.columns import Columns
    from outlive.heap.index import Index

    Progress = Callable[[int, int], None]

FORMATS = ("parquet", "heapsnapshot", "dot", "json")


def _silent(done: int, of: int) -> None:
    """Tell nobody."""


def convert(
    columns: Columns,
    index: Index,
    to: str,
    path: str | os.PathLike[str],
    progress: Progress = _silent,
) -> Path:
    """Write the snapshot as `to` says, one of FORMATS, and return where: whole, or not at all.

    Args:
        columns: the snapshot.
        index: of the snapshot.
        to: "parquet" (a new folder with a file for each table), "heapsnapshot", "dot" or "json".
        path: the file, or for Parquet the folder.
        progress: called now and then with how much is done, and of how much.

    Raises:
        UsageError: there is no such format, or `path` is in use.
        OutliveError: it could not be written.

    """
    target, source = Path(path), Source(columns, index)
    if to == "parquet":
        with files.whole_folder(target) as folder:
            _parquet(source, folder, progress)
        return target
    if to == "heapsnapshot":
        from outlive.heap.export_devtools import write
    elif to == "dot":
        from outlive.heap.export_dot import write
    elif to == "json":
        from outlive.heap.export_json import write
    else:
        raise UsageError(
            f"can't write {to!r}", "there is no such format", f"it is one of {', '.join(FORMATS)}"
        )
    with files.whole(target) as stream:
        write(source, stream, progress)
    return target


def _parquet(source: Source, folder: Path, progress: Progress) -> None:
    """Write a file for each table into the folder."""
    import duckdb

    try:
        with database.connect(files=True) as connection:
            create(connection, source)
            for number, table in enumerate(TABLES):
                progress(number, len(TABLES))
                file = str(folder / f"{table}.parquet").replace("'", "''")
                database.run(connection, f"COPY {table} TO '{file}' (FORMAT parquet)")
    except duckdb.Error as error:
        raise OutliveError("DuckDB can't write Parquet", database.said(error)) from error
