"""DuckDB, in memory: connections of our own, locked or not, and statements that Ctrl-C ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    Rows = list[tuple[Any, ...]]
    Settings = dict[str, str | bool | int | float | list[str]]

# Neither variables of this program nor anything from elsewhere.
_SETTINGS: Settings = {
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "temp_directory": "",
}


def connect(*, files: bool) -> DuckDBPyConnection:
    """Return a new connection; without `files` it can't reach any."""
    import duckdb

    access = "true" if files else "false"
    return duckdb.connect(":memory:", config={**_SETTINGS, "enable_external_access": access})


def run(connection: DuckDBPyConnection, text: str) -> tuple[tuple[str, ...], Rows]:
    """Return the names of the columns and the rows that a statement gives.

    It runs in a thread: in the main one DuckDB would look for Ctrl-C only now and then.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; the statement has ended.
        duckdb.Error: it failed.

    """
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(_run, connection, text)
        try:
            return future.result()
        except KeyboardInterrupt:
            connection.interrupt()
            raise


def _run(connection: DuckDBPyConnection, text: str) -> tuple[tuple[str, ...], Rows]:
    connection.execute(text)
    names = tuple(column[0] for column in connection.description or ())
    return names, connection.fetchall()


def said(error: Exception) -> str:
    """Return what DuckDB says, on one line and without the statement."""
    return " ".join(str(error).partition("\nLINE ")[0].split())
