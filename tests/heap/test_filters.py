"""Filters by name: there are those documented, and what is misspelt gets a suggestion."""

import re

import pytest

from outlive.errors import UsageError
from outlive.heap.filters import NOISE, Filter, chosen
from tests.guards.checkout import ROOT

MINE = Filter("celery", "Celery's own", modules=("celery.*",))


def test_names_are_plain_and_each_is_told() -> None:
    names = [one.name for one in NOISE]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)
    assert all(one.about for one in NOISE)


def test_the_noise_of_the_issue_is_there() -> None:
    assert {"module-dicts", "outlive", "imports", "linecache", "pytest"} <= {one.name for one in NOISE}


def test_chosen() -> None:
    assert chosen(()) == ()
    assert chosen("types") == chosen(["types"]) == (NOISE[0],)
    assert chosen((*NOISE, MINE, MINE)) == (*NOISE, MINE)


def test_a_filter_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="no filter 'linecash'; did you mean linecache"):
        chosen(["linecash"])
    with pytest.raises(UsageError, match="there are types, "):
        chosen(["x" * 50])


def test_each_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "holder-paths.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == [one.name for one in NOISE]
