"""outlive.census(), why(), growth() and the others on the very process: a child with known objects."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from tests.guards.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

BEGINNING = """
import json, sys
import outlive

class UserActivity:
    pass

class Node:
    pass

CACHE = {"u42": [UserActivity() for _ in range(1000)]}
"""


def told(program: str, *words: object) -> Any:  # noqa: ANN401 - whatever the program prints as JSON
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + textwrap.dedent(program), *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_census_and_why() -> None:
    census, text, holders, html = told("""
        census = outlive.census(limit=None)
        why = outlive.why("UserActivity")
        print(json.dumps([
            {total.name: total.count for total in census},
            str(outlive.census(limit=3)),
            [(holder.count, holder.root.kind, holder.text) for holder in why],
            outlive.census(limit=3)._repr_html_(),
        ]))
    """)
    assert census["__main__.UserActivity"] == 1000
    assert census["str"] > 1000  # what the collector does not know counts too
    assert text.splitlines()[0].split() == ["Count", "Shallow", "Retained", "Type"]
    count, kind, held = holders[0]
    assert (count, kind) == (1000, "module")
    assert held == "module __main__ → CACHE['u42'] → list[1000] → UserActivity"
    assert html.startswith("<pre>")


def test_why_of_one_object() -> None:
    local, unknown = told("""
        def handler():
            session = UserActivity()
            return [holder.text for holder in outlive.why(session)]

        local = handler()
        try:
            outlive.why("UserActvity")
        except outlive.OutliveError as error:
            print(json.dumps([local, str(error)]))
    """)
    assert len(local) == 1
    assert "MainThread" in local[0]
    assert "handler()" in local[0]
    assert "local session" in local[0]
    assert "UserActivity" in unknown


def test_growth_since_the_last_call() -> None:
    first, second, third = told("""
        def grown():
            return {change.name: change.counts[-1] - change.counts[0] for change in outlive.growth(None)}

        first = grown()
        CACHE["u43"] = [UserActivity() for _ in range(500)]
        second = grown()
        print(json.dumps([first, second, grown()]))
    """)
    assert first == {}
    assert second["__main__.UserActivity"] == 500
    assert not {name: count for name, count in third.items() if abs(count) > 50}, "the tool itself"
    assert "__main__.UserActivity" not in third


def test_watched_and_overdue() -> None:
    before, overdue, soon, after = told("""
        def asked(seconds=0.0):
            return [
                (each.type, each.count, each.seconds >= 0, [holder.text for holder in each.holders])
                for each in outlive.overdue(seconds)
            ]

        before = asked()
        for obj in CACHE["u42"][:3]:
            outlive.watch(obj)
        outlive.watch(UserActivity())  # dies at once
        node = Node()
        node.itself = node
        outlive.watch(node)
        del obj, node
        overdue, soon = asked(), asked(3600.0)
        import gc
        gc.collect()
        CACHE.clear()
        print(json.dumps([before, overdue, soon, asked()]))
    """)
    assert before == []
    (kept, cycle) = overdue
    assert kept[:3] == ["__main__.UserActivity", 3, True]
    assert any("CACHE['u42']" in text for text in kept[3])
    assert not [text for text in kept[3] if "outlive" in text]
    assert cycle[:2] == ["__main__.Node", 1]
    assert cycle[3][0].startswith("nothing but a cycle")
    assert soon == []
    assert after == []


def test_backrefs_of_objects_and_of_types(tmp_path: Path) -> None:
    types = told(
        """
        objs = outlive.by_type("UserActivity")
        outlive.backrefs(objs[:3], filename=sys.argv[1] + "/backrefs.png", max_depth=5)
        outlive.backrefs("UserActivity", sys.argv[1] + "/type.svg")
        outlive.backrefs(objs[0], sys.argv[1] + "/one.svg")
        print(json.dumps(sorted({type(obj).__name__ for obj in objs})))
        """,
        tmp_path,
    )
    assert types == ["UserActivity"]
    assert (tmp_path / "backrefs.png").read_bytes().startswith(b"\x89PNG")
    for name in ("type.svg", "one.svg"):
        assert "CACHE" in (tmp_path / name).read_text()


def test_a_file_and_back(tmp_path: Path) -> None:
    info, same, names = told(
        """
        from pathlib import Path
        file = Path(sys.argv[1]) / "now.heap"
        assert outlive.snapshot(file, contents=True) == str(file)
        opened = outlive.open(file)
        print(json.dumps([
            opened.info.objects,
            opened.why(CACHE["u42"])[0].text,
            [each.name for each in Path(sys.argv[1]).iterdir()],
        ]))
        """,
        tmp_path,
    )
    assert info > 10_000
    assert same.startswith("module __main__ → CACHE['u42']")
    assert names == ["now.heap"]


def test_nothing_of_a_hostile_object_is_called() -> None:
    assert told("""
        class Meta(type):
            def __getattribute__(cls, name): sys.exit(f"called {name}")
            def __hash__(cls): sys.exit("called __hash__")
            def __instancecheck__(cls, obj): sys.exit("called __instancecheck__")

        class Hostile(metaclass=Meta):
            def __getattribute__(self, name): sys.exit(f"called {name}")
            def __eq__(self, other): sys.exit("called __eq__")
            def __hash__(self): sys.exit("called __hash__")
            def __repr__(self): sys.exit("called __repr__")
            def __sizeof__(self): sys.exit("called __sizeof__")

        CACHE["hostile"] = hostile = Hostile()
        outlive.watch(hostile)
        texts = [holder.text for holder in outlive.why(hostile)]
        overdue = outlive.overdue()
        outlive.census(), outlive.growth(), outlive.by_type("Hostile")
        print(json.dumps([len(overdue), any("CACHE['hostile']" in text for text in texts)]))
    """) == [1, True]
