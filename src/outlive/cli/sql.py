"""`outlive sql`: questions of one's own to a heap snapshot."""

from __future__ import annotations

import click

from outlive.cli import source
from outlive.cli.output import show, show_json

_EPILOG = """\b
Examples:
  outlive sql now.heap "select type, count(*) as n from objects group by all order by n desc limit 5"
  outlive sql now.heap "describe objects"
  outlive sql 4711 "select * from objects order by retained desc limit 3" --json | jq .rows
"""


@click.command(epilog=_EPILOG)
@click.argument("snapshot", metavar="FILE|PID")
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(snapshot: str, query: str, *, as_json: bool) -> None:
    """Put an SQL query (DuckDB's) to a heap snapshot's tables: objects, refs, types, roots, sites.

    It can only read, and only these tables.
    """
    from outlive.report.heap_json import rows_json
    from outlive.report.heap_table import rows_table
    from outlive.report.style import style_of_stdout

    source.check_order("sql", query, snapshot)
    with source.heap(snapshot) as opened:
        columns, rows = opened.sql(query)
        info = opened.info
    if as_json:
        show_json(rows_json(info, columns, rows))
    else:
        show(rows_table(columns, rows, style_of_stdout()))
