"""High-water marks, exact: what is allocated here is known."""

from __future__ import annotations

import contextlib
import sqlite3
import threading

import numpy as np
import pytest

from outlive.capture.core import native
from outlive.capture.peaks import Peak, Unseen

MIB = 1 << 20


def test_what_was_most_at_a_time() -> None:
    kept = []
    with Peak() as peak:
        for _ in range(10):
            bytearray(3 * MIB)
        kept.append(bytearray(2 * MIB))
        bytearray(3 * MIB)
    assert peak.size_bytes == pytest.approx(5 * MIB, rel=0.01)
    assert peak.left_bytes == pytest.approx(2 * MIB, rel=0.01)
    assert native.mode() == 0


def test_native_blocks_count_once() -> None:
    with Peak() as peak:
        np.ones(MIB)  # malloc's, and announced to tracemalloc too
    assert peak.size_bytes == pytest.approx(8 * MIB, rel=0.01)
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t(x)")
    with connection, Peak() as peak:
        connection.executemany("insert into t values (?)", ((bytes(1000),) for _ in range(5000)))
    assert peak.left_bytes == pytest.approx(5_100_000, rel=0.2)
    with Peak() as peak:
        connection.close()
    assert peak.size_bytes < MIB
    assert abs(peak.left_bytes) < MIB  # what is older than the stretch is not counted when it goes


def test_stretches_nest_and_follow() -> None:
    with Peak() as outer:
        bytearray(6 * MIB)
        with Peak() as inner:
            bytearray(2 * MIB)
        with Peak() as second:
            kept = bytearray(MIB)
        second_left, outer_now = second.left_bytes, outer.size_bytes
        outer.look()
    assert inner.size_bytes == pytest.approx(2 * MIB, rel=0.01)
    assert second.size_bytes == pytest.approx(MIB, rel=0.01)
    assert second_left == pytest.approx(MIB, rel=0.01)
    assert outer_now == 0  # as nobody had looked
    assert outer.size_bytes == pytest.approx(6 * MIB, rel=0.01)
    assert len(kept) == MIB


def test_what_outlive_does_itself_counts_nowhere() -> None:
    with Peak() as peak:
        bytearray(2 * MIB)
        with Unseen():
            kept = bytearray(9 * MIB)
        kept_more = bytearray(MIB)
    assert peak.size_bytes == pytest.approx(2 * MIB, rel=0.01)
    assert peak.left_bytes == pytest.approx(MIB, rel=0.01)
    assert len(kept) + len(kept_more) == 10 * MIB
    with Unseen():
        pass


def test_threads_count_together() -> None:
    barrier = threading.Barrier(4)

    def allocate() -> None:
        kept = bytearray(2 * MIB)
        barrier.wait()
        del kept

    with Peak() as peak:
        threads = [threading.Thread(target=allocate) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert peak.size_bytes == pytest.approx(8 * MIB, rel=0.02)


def test_an_error_ends_the_stretch() -> None:
    with contextlib.suppress(ZeroDivisionError), Peak() as peak:
        bytearray(MIB)
        raise ZeroDivisionError
    assert peak.size_bytes >= MIB
    assert native.mode() == 0
