"""SQL over a snapshot: what the tables say, and that a query can do nothing but ask."""

from __future__ import annotations

import os
import re
import signal
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from outlive.errors import UsageError
from outlive.heap.snapshot import Snapshot
from outlive.heap.tables import TABLES
from tests.heap.service import EXPORT_BYTES, EXPORTS, KIB, ROWS, service
from tests.heap.synthetic import Heap

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return Snapshot(service().write(tmp_path / "service.heap"))


def test_objects_are_counted_by_type(snapshot: Snapshot) -> None:
    names, rows = snapshot.sql(
        "select type, module, count(*) as n, sum(size) from objects where module like 'app%' "
        "group by all order by type"
    )
    assert tuple(names) == ("type", "module", "n", "sum(size)")
    assert rows == [
        ("app.Batch", "app", 1, 500),
        ("app.Buffer", "app", 1, 10 * KIB),
        ("app.Export", "app", EXPORTS, 48 * EXPORTS),
        ("app.Node", "app", 2, 300),
        ("app.models.Row", "app.models", ROWS * EXPORTS, 64 * KIB * ROWS * EXPORTS),
    ]


def test_what_is_held_and_how(snapshot: Snapshot) -> None:
    _, rows = snapshot.sql(
        "select distinct type, retained, root_kind, refcount, in_degree, depth from objects "
        "where type in ('app.Export', 'app.Buffer', 'app.Batch', 'app.Node', 'int') order by type, retained"
    )
    assert rows == [
        ("app.Batch", 500, "thread", 1, 1, 2),
        ("app.Buffer", 10 * KIB, "native reference", 1, 0, 0),
        ("app.Export", EXPORT_BYTES, "interpreter", 1, 1, 4),
        ("app.Node", 200, "garbage", 1, 1, None),
        ("app.Node", 300, "garbage", 1, 1, None),
        ("int", 48, "immortal", None, 0, 0),
    ]


def test_references_have_names_places_and_keys(snapshot: Snapshot) -> None:
    _, rows = snapshot.sql(
        "select distinct s.type, kind, position, r.name from refs r "
        "join objects s on s.object = source join objects t on t.object = target "
        "where t.type like 'app.%' or s.type = 'app.Export' order by all"
    )
    assert rows == [
        ("app.Export", "attribute", 0, "rows"),
        ("app.Node", "attribute", 0, "other"),
        ("dict", "value", 0, "u0"),
        ("dict", "value", 1, "u1"),
        ("dict", "value", 2, "u2"),
        ("frame", "attribute", 1, "batch"),
        *(("list", "element", place, None) for place in range(ROWS)),
    ]


def test_dominators_can_be_walked(snapshot: Snapshot) -> None:
    _, rows = snapshot.sql(
        "with recursive up as (select * from objects where type = 'app.models.Row' and depth = 6 "
        "union select o.* from objects o join up on o.object = up.dominator) "
        "select distinct type from up order by type"
    )
    assert rows == [("app.Export",), ("app.models.Row",), ("dict",), ("list",), ("module",)]


def test_types_and_roots(snapshot: Snapshot) -> None:
    _, types = snapshot.sql("select type, count, shallow, category from types where type = 'app.Export'")
    assert types == [("app.Export", EXPORTS, 48 * EXPORTS, "other")]
    _, threads = snapshot.sql("select count from types where type = 'thread'")
    assert threads == [(0,)]  # it is no object
    _, roots = snapshot.sql("select kind, name from roots order by all")
    assert roots == [("interpreter", "sys.modules"), ("thread", "Main")]
    assert snapshot.sql("select * from sites")[1] == []


def test_sites_of_sampled_objects(tmp_path: Path) -> None:
    heap = Heap()
    rows = [heap.add("app.Row") for _ in range(3)]
    heap.sites += [("load", "/srv/app.py", 7), ("main", "/srv/main.py", 1)]
    heap.samples += [(rows[0], 0, 4096.0, 1.0, 2.0), (rows[2], 1, 512.0, 1.0, 1.0)]
    snapshot = Snapshot(heap.write(tmp_path / "sampled.heap"))
    _, found = snapshot.sql(
        "select type, function, file, line, bytes, blocks from sites join objects using (object) "
        "order by object"
    )
    assert found == [
        ("app.Row", "load", "/srv/app.py", 7, 4096.0, 2.0),
        ("app.Row", "main", "/srv/main.py", 1, 512.0, 1.0),
    ]


def test_a_chain_of_many_links_has_a_depth(tmp_path: Path) -> None:
    heap = Heap()
    links = [heap.add("app.Link") for _ in range(5000)]
    for one, after in pairwise(links):
        heap.refer(one, "after", after)
    heap.module("app.chain", first=links[0])
    snapshot = Snapshot(heap.write(tmp_path / "chain.heap"))
    _, rows = snapshot.sql("select max(depth) - min(depth), count(*) from objects where type = 'app.Link'")
    assert rows == [(4999, 5000)]


def test_only_what_is_asked_for_is_worked_out(snapshot: Snapshot) -> None:
    snapshot.sql("select type, count(*), sum(size) from objects where refcount > 0 group by type order by 2")
    snapshot.sql("describe objects")
    assert "_dominators" not in vars(snapshot.index)
    assert "_reached" not in vars(snapshot.index)
    _, rows = snapshot.sql("select o from objects o where o.type = 'app.Buffer'")
    assert rows[0][0]["retained"] == 10 * KIB


def test_the_documentation_has_each_column_and_its_type() -> None:
    text = (DOCS / "reference" / "heap-schema.md").read_text()
    documented = {}
    for section in text.split("\n## ")[1:]:
        name, _, body = section.partition("\n")
        documented[name] = re.findall(r"^\| `(\w+)` \| (\w+) \|", body, re.MULTILINE)
    for table, columns in TABLES.items():
        assert documented[table] == [(name, column.sql) for name, column in columns.items()]


@pytest.mark.parametrize("table", TABLES)
def test_no_column_is_lost_by_asking_for_one(snapshot: Snapshot, table: str) -> None:
    names, rows = snapshot.sql(f"select * from {table}")  # noqa: S608 - our own names
    assert tuple(names) == tuple(TABLES[table])
    for at, name in enumerate(names):
        alone = snapshot.sql(f'select "{name}" from {table}')[1]  # noqa: S608 - the same
        assert sorted(map(str, alone)) == sorted(str((row[at],)) for row in rows)


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_text('{secret}')",
        "select * from '{secret}'",
        "select * from read_csv('{secret}')",
        "select * from glob('/*')",
        "copy objects to '{out}'",
        "copy (select 1) to '{out}' (format parquet)",
        "attach '{out}'",
        "export database '{out}'",
        "install httpfs",
        "load json",
        "set threads = 1",
        "set enable_external_access = true",
        "reset lock_configuration",
        "pragma database_list",
        "create table t as select 1",
        "insert into objects values (1)",
        "drop view objects",
        "call pragma_version()",
        "checkpoint",
        "select 1; select 2",
        "select 1; copy objects to '{out}'",
        "prepare p as select 1",
        "use memory",
        "explain select 1",
        "",
        "-- nothing",
        "selec",
        "select nope from objects",
        "select * from _objects",
        "select $1",
        "select * from victim",
        "\0",
    ],
)
def test_a_query_can_only_ask(snapshot: Snapshot, tmp_path: Path, query: str) -> None:
    victim = [1, 2, 3]  # noqa: F841 - DuckDB would find a variable of its caller
    secret, out = tmp_path / "secret.csv", tmp_path / "out"
    secret.write_text("password\n")
    with pytest.raises(UsageError, match="SELECT") as error:
        snapshot.sql(query.replace("{secret}", str(secret)).replace("{out}", str(out)))
    assert not out.exists()
    assert "password" not in str(error.value)
    assert "\n" not in str(error.value)


def test_it_says_what_was_meant(snapshot: Snapshot) -> None:
    with pytest.raises(UsageError, match='"retained"'):
        snapshot.sql("select retaind from objects")


def test_hostile_names_are_values(tmp_path: Path) -> None:
    heap = Heap()
    evil = ["'; drop table objects; --", 'x" y', "a\nb", "\x00", "{}", "%s", "é→😀"]
    heap.module("app", **{name: heap.add(f"app.{name}") for name in evil})
    snapshot = Snapshot(heap.write(tmp_path / "evil.heap"))
    _, rows = snapshot.sql("select type from objects where type like 'app.%' order by object")
    assert [name for (name,) in rows] == [f"app.{name}" for name in evil]
    _, keys = snapshot.sql("select name from refs where kind = 'value' order by target")
    assert {name for (name,) in keys} >= set(evil)


def test_an_empty_heap_has_its_tables(tmp_path: Path) -> None:
    snapshot = Snapshot(Heap().write(tmp_path / "empty.heap"))
    for table in TABLES:
        assert snapshot.sql(f"from {table}")[1] == []


def test_ctrl_c_ends_a_query(snapshot: Snapshot) -> None:
    press = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    press.start()
    with pytest.raises(KeyboardInterrupt):
        snapshot.sql(
            "select count(*) from range(100000000) a, range(100000) b where hash(a.range, b.range) = 1"
        )
    press.join()
