"""Objects held alike: hashes over ways, and the ways themselves compared one by one."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from outlive.heap.classes import class_of_units
from outlive.heap.columns import Columns
from outlive.model.heap_layout import NONE
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.heap.ways import Ways

COMPARED = 64  # objects at the end of a way


def tree(seed: int, count: int) -> tuple[list[int], list[int], list[str]]:
    """Each object's holder (itself: a root; an earlier one), its kind of reference, and its type."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    deep = chance.choice((0.0, 0.5, 0.97))
    above = [
        row
        if not row or chance.random() < 0.02
        else row - 1
        if chance.random() < deep
        else chance.randrange(row)
        for row in range(count)
    ]
    return above, [chance.randrange(2) for _ in above], [chance.choice("AB") for _ in above]


@pytest.mark.parametrize("seed", range(30))
def test_alike_are_those_whose_ways_are_the_same(seed: int, tmp_path: Path) -> None:
    above, kinds, types = tree(seed, 400)
    heap = Heap()
    for name in types:
        heap.add(f"app.{name}")
    columns = Columns(heap.write(tmp_path / "x.heap"))
    ways = cast("Ways", SimpleNamespace(parent=np.array(above, np.uint32)))

    def units_of(rows: Any) -> Any:  # noqa: ANN401 - arrays
        return np.array([-1 if above[row] == row else above[row] << 32 | kinds[row] for row in rows])

    def way(row: int) -> tuple[object, ...]:
        said = list[object]()
        while len(said) < COMPARED:
            is_root = above[row] == row
            said.append((types[row], None if is_root else kinds[row]))
            if is_root:
                break
            row = above[row]
        return tuple(said)

    units = np.unique(units_of(range(len(above))))
    held = [(way(unit >> 32), unit & 0xFFFF_FFFF) if unit >= 0 else unit for unit in units.tolist()]
    classes = class_of_units(columns, ways, units, units_of).tolist()
    assert len(set(zip(classes, held, strict=True))) == len(set(classes)) == len(set(held))


def test_without_holders_each_is_its_own() -> None:
    ways = cast("Ways", SimpleNamespace(parent=np.array([NONE], np.uint32)))
    units = np.array([-3, -2, -1])
    assert len(set(class_of_units(cast("Columns", None), ways, units, lambda rows: rows).tolist())) == 3
