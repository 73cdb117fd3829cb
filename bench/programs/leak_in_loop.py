"""A test for pytest-memray: its body in a loop, as its documentation recommends."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from programs.leak_rounds import RUNS

if TYPE_CHECKING:
    from programs.leak_families import Body


def test_body(body: Body) -> None:
    """Run it as often as other tools do, and collect garbage as they do."""
    for _ in range(RUNS):
        body()
    gc.collect()
