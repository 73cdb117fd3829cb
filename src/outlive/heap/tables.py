"""A snapshot as tables: what SQL, Parquet and JSON show of it (docs/reference/heap-schema.md).

A column is made when it is asked for and handed to DuckDB as it is, not copied; words are kept once and
joined by their rows.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from outlive.heap.census import modules
from outlive.heap.index import IMMORTAL, NATIVE, UNREACHED
from outlive.heap.references import KINDS, references, texts
from outlive.model.heap_layout import NONE, Category, RootKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

    from outlive.heap.columns import Columns
    from outlive.heap.index import Index
    from outlive.heap.references import References

    Array = NDArray[Any]

# What index.root_kind has: RootKind's, and those of trees that begin elsewhere.
ROOT_KINDS: dict[int, str] = {
    UNREACHED: "garbage",
    RootKind.INTERPRETER: "interpreter",
    RootKind.THREAD: "thread",
    RootKind.STATIC: "static type",
    RootKind.STACK: "stack",
    NATIVE: "native reference",
    IMMORTAL: "immortal",
}
_CATEGORIES: dict[int, str] = {category: category.name.lower().replace("_", " ") for category in Category}


class Source:
    """What the tables are made of, each part when it is first needed."""

    def __init__(self, columns: Columns, index: Index) -> None:
        self.columns, self.index = columns, index

    @cached_property
    def rows(self) -> Array:
        """Each object's number."""
        return np.arange(len(self.columns), dtype=np.uint32)

    @cached_property
    def texts(self) -> Array:
        """The string that tells of each object, NONE for most."""
        return texts(self.columns)

    @cached_property
    def references(self) -> References:
        """All references."""
        return references(self.columns, self.texts)

    @cached_property
    def type_rows(self) -> Array:
        """Each type's number."""
        return np.arange(len(self.columns.types), dtype=np.uint32)

    def of_types(self, weights: Array | None = None) -> Array:
        """Return how many objects each type has, or the sum of their weights, exact below 8 PiB."""
        # No objects, and not counted: threads and frames that run.
        real = self.columns.address != 0
        weights = real if weights is None else weights * real
        sums = np.bincount(self.index.type, weights=weights, minlength=len(self.columns.types))
        return sums.astype(np.uint64)

    def site(self, field: str) -> Array:
        """Return what is known of the line that made each sampled object."""
        found: Array = self.columns.sites[field][self.columns.samples["site"]]
        return found

    def depths(self) -> Array:
        """Return how many references each object is away from the root it was reached from."""
        parent = self.index.parent
        reached = parent != NONE
        up = np.where(reached, parent, self.rows)
        depth: Array = (up != self.rows).astype(np.uint32)
        while True:  # each round looks twice as far: a chain of a million links takes twenty
            further = depth[up]
            if not further.any():
                break
            depth += further
            up = up[up]
        depth[~reached] = NONE
        return depth

    def words(self, which: str, used: Array) -> tuple[Array, list[str]]:
        """Return rows and texts of the words that a column made of `used` has."""
        if which == "types":
            return self.type_rows, self.index.type_names
        if which == "modules":
            return self.type_rows, modules(self.index)
        if which == "strings":
            rows = np.unique(used)
            rows = rows[rows != NONE]
            return rows, [self.columns.text(int(row)) for row in rows]
        fixed = _FIXED_WORDS[which]
        return np.array(list(fixed), dtype=np.uint32), list(fixed.values())


_FIXED_WORDS: dict[str, Mapping[int, str]] = {
    "root kinds": ROOT_KINDS,
    "categories": _CATEGORIES,
    "reference kinds": KINDS,
}


class Column(NamedTuple):
    """A column: its SQL type and how to make it.

    `words`: the values are rows of these, and the column has their texts. `optional`: NONE is no value.
    """

    sql: str
    make: Callable[[Source], Array]
    words: str = ""
    optional: bool = False


def _word(words: str, make: Callable[[Source], Array]) -> Column:
    return Column("VARCHAR", make, words)


TABLES: dict[str, dict[str, Column]] = {
    "objects": {
        "object": Column("UINTEGER", lambda heap: heap.rows),
        "address": Column("UBIGINT", lambda heap: heap.columns.address),
        "type": _word("types", lambda heap: heap.index.type),
        "module": _word("modules", lambda heap: heap.index.type),
        "category": _word("categories", lambda heap: heap.index.category),
        "name": _word("strings", lambda heap: heap.texts),
        "size": Column("UBIGINT", lambda heap: heap.index.sizes),
        "retained": Column("UBIGINT", lambda heap: heap.index.retained),
        "refcount": Column("UINTEGER", lambda heap: heap.columns.refcount, optional=True),
        "in_degree": Column("UINTEGER", lambda heap: heap.index.in_degree),
        "dominator": Column("UINTEGER", lambda heap: heap.index.idom, optional=True),
        "parent": Column("UINTEGER", lambda heap: heap.index.parent, optional=True),
        "depth": Column("UINTEGER", lambda heap: heap.depths(), optional=True),
        "root_kind": _word("root kinds", lambda heap: heap.index.root_kind),
    },
    "refs": {
        "source": Column("UINTEGER", lambda heap: heap.references.source),
        "target": Column("UINTEGER", lambda heap: heap.columns.edges),
        "kind": _word("reference kinds", lambda heap: heap.references.kind),
        "position": Column("UINTEGER", lambda heap: heap.references.position),
        "name": _word("strings", lambda heap: heap.references.name),
    },
    "types": {
        "type": _word("types", lambda heap: heap.type_rows),
        "module": _word("modules", lambda heap: heap.type_rows),
        "category": _word("categories", lambda heap: heap.columns.types["category"]),
        "count": Column("UBIGINT", lambda heap: heap.of_types()),
        "shallow": Column("UBIGINT", lambda heap: heap.of_types(heap.index.sizes)),
        "basicsize": Column("UINTEGER", lambda heap: heap.columns.types["basicsize"]),
        "object": Column("UINTEGER", lambda heap: heap.columns.types["object"], optional=True),
    },
    "roots": {
        "object": Column("UINTEGER", lambda heap: heap.columns.roots["object"]),
        "kind": _word("root kinds", lambda heap: heap.columns.roots["kind"]),
        "name": _word("strings", lambda heap: heap.columns.roots["name"]),
    },
    # Which lines made the objects that a sampler saw.
    "sites": {
        "object": Column("UINTEGER", lambda heap: heap.columns.samples["object"]),
        "function": _word("strings", lambda heap: heap.site("function")),
        "file": _word("strings", lambda heap: heap.site("file")),
        "line": Column("UINTEGER", lambda heap: heap.site("line")),
        "bytes": Column("DOUBLE", lambda heap: heap.columns.samples["bytes"]),
        "blocks": Column("DOUBLE", lambda heap: heap.columns.samples["blocks"]),
    },
}


def create(
    connection: DuckDBPyConnection,
    source: Source,
    used: Mapping[str, AbstractSet[str]] | None = None,
) -> None:
    """Make the tables in a connection; columns that are not `used` (None: all are) have no values."""
    for table, columns in TABLES.items():
        wanted = columns.keys() if used is None else used.get(table, set())
        _create(connection, source, table, wanted)


def _create(connection: DuckDBPyConnection, source: Source, table: str, wanted: AbstractSet[str]) -> None:
    columns = TABLES[table]
    # One array at least, for the number of rows.
    arrays = {name: columns[name].make(source) for name in wanted or [next(iter(columns))]}
    connection.register(f"_{table}", arrays)
    values, joins = [], []
    for name, column in columns.items():
        value = f'a."{name}"'
        if name not in wanted:
            value = "NULL"
        elif column.words:
            words = f"_{table}_{name}"
            rows, text = source.words(column.words, arrays[name])
            connection.register(words, {"row": rows, "text": np.array(text, dtype=object)})
            joins.append(f'LEFT JOIN "{words}" ON "{words}".row = {value}')
            value = f'"{words}".text'
        elif column.optional:
            value = f"nullif({value}, {NONE})"
        values.append(f'CAST({value} AS {column.sql}) AS "{name}"')
    connection.execute(
        f"CREATE VIEW {table} AS SELECT {', '.join(values)} FROM _{table} AS a {' '.join(joins)}"  # noqa: S608 - our own names
    )
