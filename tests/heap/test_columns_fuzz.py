"""Damaged snapshots: either refused in a sentence, or read and worked out to the end, whatever is in them."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlive.errors import OutliveError
from outlive.heap.snapshot import Snapshot
from outlive.model import heap_layout as layout
from tests.heap.slow import random_heap
from tests.heap.test_columns import small

GOOD = small().encode()
BIG = random_heap(7, 200).encode()


def opened(data: bytes | bytearray) -> Snapshot:
    handle = os.memfd_create("x")
    try:
        os.write(handle, data)
        return Snapshot(handle)
    finally:
        os.close(handle)


def work_out(data: bytes | bytearray) -> bool:
    """Ask everything that takes its answer from arrays alone; whether the file was taken."""
    try:
        snapshot = opened(data)
    except OutliveError:
        return False
    index = snapshot.index
    assert len(snapshot.census()) <= len(index.type_names)
    assert len(snapshot.census("module")) <= len(index.type_names)
    assert int(index.retained.max(initial=0)) <= index.total_bytes
    assert len(index.parent) == len(index)
    texts = [snapshot.columns.text(row) for row in snapshot.columns.texts["text"]]
    assert len(texts) == len(snapshot.columns.texts)
    return True


def test_what_is_not_damaged_is_taken() -> None:
    assert work_out(GOOD)
    assert work_out(BIG)


@given(st.integers(0, len(GOOD) - 1))
@settings(max_examples=200, deadline=None)
def test_truncated(size: int) -> None:
    assert not work_out(GOOD[:size])


@given(
    st.sampled_from([GOOD, BIG]),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), min_size=1, max_size=4),
)
@settings(max_examples=400, deadline=None)
def test_bytes_flipped_anywhere(data: bytes, flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(data)
    body = len(data) - layout.HEADER_BYTES
    for at, bits in flips:
        damaged[layout.HEADER_BYTES + at % body] ^= bits
    work_out(damaged)


@given(
    st.lists(
        st.tuples(st.integers(0, layout.SECTIONS_OFFSET + 16 * len(layout.ROWS) - 1), st.integers(1, 255)),
        min_size=1,
        max_size=3,
    )
)
@settings(max_examples=400, deadline=None)
def test_bytes_flipped_in_the_header(flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(GOOD)
    for at, bits in flips:
        damaged[at] ^= bits
    work_out(damaged)


@given(st.binary(max_size=6000))
@settings(max_examples=100, deadline=None)
def test_noise_behind_the_magic(noise: bytes) -> None:
    assert not work_out(layout.MAGIC + noise)


@pytest.mark.parametrize("word", [0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF])
def test_each_word_of_the_body_set_to_an_extreme(word: int) -> None:
    for at in range(layout.HEADER_BYTES, len(GOOD) - 3, 4):
        work_out(GOOD[:at] + word.to_bytes(4, "little") + GOOD[at + 4 :])
