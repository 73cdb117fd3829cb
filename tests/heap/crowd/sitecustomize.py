"""Stands beside a planted leak: as many objects as OUTLIVE_CROWD says that have nothing to do with it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Innocent:
    def __init__(self, number: int) -> None:
        self.rows = [number, str(number)]
        self.me = self
        self.seen = (self, {"u42": self.rows})


def stream(innocent: Innocent) -> Iterator[int]:
    rows = [innocent]
    yield len(rows)


OBJECTS_EACH = 8  # of one turn
CACHE: list[object] = []
for number in range(int(os.environ["OUTLIVE_CROWD"]) // OBJECTS_EACH):
    CACHE.append(stream(Innocent(number)))
    assert next(CACHE[-1])  # type: ignore[call-overload]
