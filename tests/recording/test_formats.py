"""docs/reference/formats.md describes the layout that the code has: each table's offsets and sizes."""

from __future__ import annotations

import re
import struct

import pytest

from outlive.model import layout
from tests.guards.checkout import ROOT

PAGE = (ROOT / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
TYPES = {"u32": "I", "i32": "i", "u64": "Q", "f64": "d", "8 bytes": "8s", "88 bytes": "88s"}


def described(title: str) -> str:
    """Return the struct format of the table of offsets in a section, which must leave no gap."""
    section = PAGE.split(f"### {title}", 1)[1].split("\n### ", 1)[0]
    formats = ""
    for offset, types in re.findall(r"^\| (\d+) \| ([^|]+) \|", section, re.MULTILINE):
        assert int(offset) == struct.calcsize(f"<{formats}"), (title, offset)
        for name in types.strip().split(", "):
            *count, what = re.split(r" \W ", name)  # "7 times u64"
            formats += TYPES[what] * int(*count or [1])
    return formats


def fields(*formats: struct.Struct) -> str:
    """Return the formats in a row, one letter a field."""
    return "".join(layout_.format.lstrip("<").replace(" ", "") for layout_ in formats)


@pytest.mark.parametrize(
    ("title", "formats"),
    [
        ("Header", (layout.DIRECTORY, layout.LIVE, layout.SCOPES)),
        ("Scopes", (layout.SCOPE,)),
        ("Timeline", (layout.POINT,)),
        ("Slots", (layout.SLOT,)),
    ],
)
def test_the_tables_are_the_layout(title: str, formats: tuple[struct.Struct, ...]) -> None:
    assert described(title) == fields(*formats)


def test_sizes_and_counts_are_the_layouts() -> None:
    for what, size in (("stack", layout.STACK), ("function", layout.FUNCTION), ("frame", layout.FRAME)):
        assert f"| {what} | {size.size} |" in PAGE
    (first, _), (_, second), (_, third) = layout.TIERS
    assert f"{layout.TIERS[0][1]} for a second each, {second} for 10 seconds each, {third} for a" in PAGE
    assert (first, f"points of {layout.POINT.size} bytes" in PAGE) == (1, True)
    assert f"### Header, {layout.HEADER_BYTES} bytes" in PAGE
    assert f"version {layout.VERSION}" in PAGE
