"""Questions to a snapshot in SQL: DuckDB over its tables, which can read nothing else and change nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from outlive.errors import OutliveError, UsageError
from outlive.heap import database, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

    from outlive.heap.database import Rows
    from outlive.heap.tables import Source

_HINT = f"write one SELECT over {', '.join(tables.TABLES)}"


def query(source: Source, text: str) -> tuple[tuple[str, ...], Rows]:
    """Return the names of the columns and the rows that a query gives.

    Raises:
        UsageError: the text is no single query, or DuckDB refuses it; its own words say why.
        OutliveError: there was too little memory.
        KeyboardInterrupt: it was interrupted; DuckDB's threads have stopped.

    """
    import duckdb

    try:
        with database.connect(files=False) as probe:
            _check_query(probe, text)
            used = _used(probe, text)
        with database.connect(files=False) as connection:
            tables.create(connection, source, used)
            connection.execute("SET lock_configuration = true")
            return database.run(connection, text)
    except duckdb.OutOfMemoryException as error:
        raise OutliveError("the query needs more memory than there is", database.said(error)) from None
    except duckdb.Error as error:
        raise UsageError("DuckDB refuses the query", database.said(error), _HINT) from None


def _check_query(connection: DuckDBPyConnection, text: str) -> None:
    """Make sure that the text is one query.

    Raises:
        UsageError: it is not.

    """
    import duckdb

    statements = connection.extract_statements(text)
    if len(statements) != 1:
        said = "there is none" if not statements else f"there are {len(statements)} statements"
        raise UsageError("one query at a time", said, _HINT)
    if statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("only queries can be asked", f"this is {statements[0].type.name}", _HINT)


def _used(connection: DuckDBPyConnection, text: str) -> dict[str, set[str]] | None:
    """Return which columns of which tables the query reads: dominators take seconds, a census does not.

    None: all, as far as can be told.

    DuckDB's planner says it, over empty tables. Of its optimizers only the one that drops unused columns may
    run: others would see that the tables are empty.
    """
    optimizers = [name for (name,) in connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()]
    others = ",".join(name for name in optimizers if name != "unused_columns")
    connection.execute(f"SET disabled_optimizers = '{others}'")
    for table, columns in tables.TABLES.items():
        described = ", ".join(f'"{name}" {column.sql}' for name, column in columns.items())
        connection.execute(f"CREATE TABLE {table} ({described})")
    connection.execute("SET lock_configuration = true")
    (plan,) = connection.execute(f"EXPLAIN (FORMAT json) {text}").fetchall()
    used: dict[str, set[str]] = {}
    for step in _steps(json.loads(plan[1])):
        said = step["extra_info"]
        if "Table" not in said:
            continue
        table = said["Table"].rpartition(".")[2].strip('"')
        read = said.get("Projections")
        names = {name.strip('"') for name in ([read] if isinstance(read, str) else read or ["?"])} - {""}
        if not names <= tables.TABLES.get(table, {}).keys():
            return None
        used.setdefault(table, set()).update(names)
    return used


def _steps(plan: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    left = list(plan)
    while left:
        step = left.pop()
        left += step["children"]
        yield step
