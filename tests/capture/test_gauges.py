"""Readings of what this process has in use, against what is made and kept here."""

from __future__ import annotations

import asyncio
import ctypes
import mmap
import os
import threading

import pytest

from outlive.capture import gauges
from outlive.capture.gauges import BLOCKS, FILES, GAUGES, MAPPED, MEMORY, TASKS, THREADS

MIB = 1 << 20


def reading() -> dict[str, int]:
    return dict(zip(GAUGES, gauges.read(), strict=True))


def test_memory_is_what_is_in_use_whoever_asked() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    reading()
    before = reading()
    small = [object() for _ in range(100_000)]
    of_small = reading()
    assert of_small[MEMORY] - before[MEMORY] == pytest.approx(2_400_000, rel=0.1)
    assert of_small[BLOCKS] - before[BLOCKS] == pytest.approx(100_000, rel=0.01)
    large = bytearray(5 * MIB)
    native = libc.malloc(ctypes.c_size_t(20 * MIB))  # nothing touches it
    both = reading()
    assert both[MEMORY] - of_small[MEMORY] == pytest.approx(25 * MIB, rel=0.01)
    libc.free(native)
    del small, large
    assert reading()[MEMORY] - before[MEMORY] < MIB


def test_what_is_mapped_past_the_allocators() -> None:
    page = b"x" * 4096
    before = reading()
    with mmap.mmap(-1, 8 * MIB) as mapping:
        for _ in range(8 * MIB // len(page)):
            mapping.write(page)
        grown = reading()
    assert grown[MAPPED] - before[MAPPED] == pytest.approx(8 * MIB, abs=MIB)
    assert grown[MEMORY] - before[MEMORY] < MIB


def test_files_threads_and_tasks() -> None:
    async def waits() -> None:
        await asyncio.Event().wait()

    async def count() -> tuple[dict[str, int], list[str]]:
        kept = [asyncio.create_task(waits()) for _ in range(5)]
        await asyncio.sleep(0)
        found = reading(), gauges.names(TASKS)
        for task in kept:
            task.cancel()
        return found

    before = reading()
    end = threading.Event()
    threads = [threading.Thread(target=end.wait, name="stays") for _ in range(3)]
    for thread in threads:
        thread.start()
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(4)]
    try:
        found = reading()
        assert found[THREADS] - before[THREADS] == 3
        assert found[FILES] - before[FILES] == 4
        assert gauges.names(FILES).count(os.devnull) >= 4
        assert gauges.names(THREADS).count("stays") == 3
    finally:
        end.set()
        for file in files:
            os.close(file)
        for thread in threads:
            thread.join()
    found, names = asyncio.run(count())
    assert found[TASKS] - before[TASKS] == 6  # count() itself is one
    assert sum(name.endswith("waits") for name in names) == 5
    assert reading()[TASKS] == before[TASKS]


def test_reading_leaves_nothing_behind() -> None:
    column = [0] * 200
    for _ in range(2):
        for i in range(len(column)):
            gauges.read()
            column[i] = reading()[BLOCKS]
    assert column[-1] - column[20] <= 2 * 180  # an int each, in the column
