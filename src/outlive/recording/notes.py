"""What the process wrote of itself: two pages of JSON, written in turn."""

from __future__ import annotations

import dataclasses
import json
import zlib
from typing import TYPE_CHECKING

from outlive.model import layout
from outlive.model.breakdown import Breakdown

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT_MAX = 1 << 20
_NUMBER_MAX = 1 << 63


def newest(section: bytes) -> dict[str, object]:
    """Return the newest page that is whole; {} if none is."""
    page_bytes = len(section) // layout.NOTES_PAGES
    best, found = -1, dict[str, object]()
    for start in range(0, page_bytes * layout.NOTES_PAGES, page_bytes or 1):
        page = section[start : start + page_bytes]
        if len(page) < layout.NOTE.size:
            continue
        number, length, check = layout.NOTE.unpack_from(page)
        text = page[layout.NOTE.size :][: min(length, _TEXT_MAX)]
        if number <= best or len(text) < length or zlib.crc32(text) != check:
            continue
        try:
            said = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_number)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            best, found = number, said
    return found


def _number(digits: str) -> int | float:
    """Return a number that arithmetic is ready for. Raises ValueError for others: our programs write none."""
    number = int(digits) if digits.removeprefix("-").isdecimal() else float(digits)
    if not abs(number) < _NUMBER_MAX:
        raise ValueError(digits)
    return number


def breakdown(notes: Mapping[str, object]) -> Breakdown | None:
    """Return how RSS divided when the process last looked; None if the notes don't say."""
    said = notes.get("breakdown")
    if not isinstance(said, dict):
        return None
    figures: dict[str, int | None] = {}
    for field in dataclasses.fields(Breakdown):
        figure = said.get(field.name)
        if isinstance(figure, int) and abs(figure) < 1 << 63:
            figures[field.name] = int(figure)
        elif figure is None and field.type == "int | None":
            figures[field.name] = None
        else:
            return None
    return Breakdown(**figures)  # type: ignore[arg-type] # None in optional fields only
