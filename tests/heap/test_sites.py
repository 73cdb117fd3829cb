"""The join of samples and objects: which line made what is alive."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from outlive.errors import OutliveError
from outlive.heap.blocks import Blocks
from outlive.heap.snapshot import Snapshot
from tests.capture.sampled import run
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import outlive
from outlive.capture import snapshot

outlive.start("1 KiB")

class Leaked:
    __slots__ = ("a", "b")

class Plain:
    def __init__(self, n):
        self.n = n

def objects(): return [Leaked() for _ in range(10_000)]
def plain(): return [Plain(n) for n in range(5_000)]
def lists(): return [[None] * 100 for _ in range(1_000)]
def dicts(): return [dict.fromkeys(range(50)) for _ in range(500)]
def arrays(): return [bytearray(10_000) for _ in range(50)]
def texts(): return ["x" * 3_000 + str(n) for n in range(200)]
def gone(): return [bytes(1_000) for _ in range(1_000)]

kept = [objects(), plain(), lists(), dicts(), arrays(), texts()]
gone()
snapshot.take({path!r})
"""


def test_lines_of_a_real_heap(tmp_path: Path) -> None:
    path = tmp_path / "now.heap"
    run(textwrap.dedent(PROGRAM.format(path=str(path))))
    made: dict[str, tuple[int, int]] = {}
    for total in Snapshot(path).census(by="site"):
        name = total.name.partition(" ")[2].partition(".")[0]
        count, size = made.get(name, (0, 0))
        made[name] = (count + total.count, size + total.shallow_bytes)
    truths: dict[str, tuple[int | None, int]] = {  # a list that holds them is in it, of 8 bytes each
        "objects": (10_000, 10_000 * 56),
        "lists": (2_000, 1_000 * (56 + 16 + 800)),
        "arrays": (None, 50 * 10_058),  # few of their heads are sampled
        "texts": (200, 200 * 3_060),
    }
    for name, (blocks, held) in truths.items():
        assert blocks is None or made[name][0] == pytest.approx(blocks, rel=0.3), name
        assert made[name][1] == pytest.approx(held, rel=0.2), name
    assert made["dicts"][1] > 500 * 1_000
    assert made.get("gone", (0, 0))[1] < 20_000  # a free list may keep one, for the next to have


def test_a_buffer_is_of_the_object_that_owns_it_whatever_looks_at_it(tmp_path: Path) -> None:
    path = tmp_path / "now.heap"
    run(
        textwrap.dedent(f"""
        import gc, outlive
        from outlive.capture import snapshot
        outlive.start("1 KiB")
        class Body(bytearray): ...
        early = [memoryview(bytes(1)) for _ in range(200)]
        early.clear()  # what is made now lies before its bodies, or after
        kept = [memoryview(Body(50_000))[:8] for _ in range(50)]
        snapshot.take({str(path)!r})
    """)
    )
    blocks, samples = Blocks(taken := Snapshot(path)), taken.columns.samples
    large = samples[samples["bytes"] >= 50_000]
    assert len(large) == 50
    assert set(blocks.types(large["object"])) == {"__main__.Body"}


def test_without_a_sampler_there_is_a_word(tmp_path: Path) -> None:
    heap = Heap()
    heap.add("dict")
    heap.write(tmp_path / "none.heap")
    with pytest.raises(OutliveError, match="no sampler ran"):
        Snapshot(tmp_path / "none.heap").census(by="site")


def test_figures_of_lines_are_sums_of_their_samples(tmp_path: Path) -> None:
    heap = Heap()
    rows = [heap.add("app.Thing", size=100) for _ in range(3)]
    heap.sites = [("make", "/app/a.py", 5), ("other", "/app/b.py", 7)]
    own, further = (rows[0], 0, 1000.0, 1.0, 10.0), (rows[0], 0, 200.0, 1.0, 2.0)
    heap.samples = [own, further, (rows[2], 1, 50.0, 1.0, 1.0)]
    heap.write(tmp_path / "some.heap")
    snapshot = Snapshot(tmp_path / "some.heap")
    first, second = snapshot.census(by="site")
    assert (first.name, first.count, first.shallow_bytes, first.retained_bytes) == (
        "/app/a.py:5 make",
        12,
        1200,
        182,  # 100 / (1 - 0.9 * 0.5): of one block each tenth is seen, of the other each second
    )
    assert first.shallow is not None
    assert first.shallow.estimate == 1200
    assert 1190 < first.shallow.low < 1200 < first.shallow.high < 1210  # of a variance of 2
    assert (second.name, second.count, second.shallow_bytes) == ("/app/b.py:7 other", 1, 50)


@pytest.mark.parametrize(
    "sample",
    [
        (0, 5, 1.0, 1.0, 1.0),
        (99, 0, 1.0, 1.0, 1.0),
        (0, 0, float("nan"), 1.0, 1.0),
        (0, 0, -1.0, 1.0, 1.0),
    ],
)
def test_samples_that_can_not_be(sample: tuple[int, int, float, float, float], tmp_path: Path) -> None:
    heap = Heap()
    heap.add("dict")
    heap.sites = [("make", "/app/a.py", 5)]
    heap.samples = [sample]
    heap.write(tmp_path / "bad.heap")
    with pytest.raises(OutliveError, match="damaged"):
        Snapshot(tmp_path / "bad.heap")
