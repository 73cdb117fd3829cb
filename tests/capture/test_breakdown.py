"""Where RSS goes, measured in child processes that hold 50 MB of one known kind of memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from outlive.capture import breakdown
from outlive.capture.breakdown import divide

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
SIZE = 50 * MIB
PARTS = (
    "python_in_use",
    "python_free",
    "malloc_in_use",
    "malloc_free",
    "anonymous",
    "file",
    "stacks",
    "unexplained",
)

FRAME = """
import ctypes, json, mmap, os, re, sys, threading
from outlive.capture import breakdown
SIZE = {size}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def blocks(size, count):
    array = (ctypes.c_void_p * count)()
    for i in range(count):
        array[i] = libc.malloc(size)
        ctypes.memset(array[i], 1, size)
    return array

def rss():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024

{setup}
breakdown.measure(None)  # what the first one loads
before = breakdown.measure(None)
{make}
after, rss_after = breakdown.measure({large}), rss()
print(json.dumps([before, after, rss_after]))
"""


@pytest.fixture(autouse=True)
def _recordings_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTLIVE_RECORDING", str(tmp_path))


def measured(make: str, setup: str = "", large: str = "None", **variables: str) -> Any:  # noqa: ANN401 - JSON
    """Run `make` in a process of its own: what was measured before and after, and VmRSS."""
    program = FRAME.format(size=SIZE, setup=textwrap.dedent(setup), make=textwrap.dedent(make), large=large)
    return json.loads(
        subprocess.check_output([sys.executable, "-c", program], env=os.environ | variables, timeout=120)
    )


def grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {part: after[part] - before[part] for part in PARTS}


# Blocks of 128 bytes, and the list that holds them.
SMALL = {"python_in_use": SIZE, "malloc_in_use": SIZE // 16}
TRUTHS = {
    "small objects": ("kept = [bytes(95) for _ in range(SIZE // 128)]", SMALL),
    "small objects, sampled": (
        "import outlive; outlive.start('16 KiB'); kept = [bytes(95) for _ in range(SIZE // 128)]",
        {**SMALL, "malloc_in_use": SIZE // 16 + SIZE // (16 << 10) * 528},  # a sample is a block of malloc's
    ),
    "pools with one object left": (
        # a pool of 16 KiB holds 127 blocks of 128 bytes
        "kept = [bytes(95) for _ in range(SIZE // 128)]; kept = kept[::127]",
        {"python_free": SIZE * 126 // 127},
    ),
    "small blocks of malloc's": ("kept = blocks(1000, SIZE // 1008)", {"malloc_in_use": SIZE}),
    "a large block of malloc's": ("kept = blocks(SIZE, 1)", {"malloc_in_use": SIZE}),
    "a block that nobody touched": ("kept = libc.malloc(SIZE)", {}),
    "freed under a pin": (
        """
        array = blocks(1000, SIZE // 1008)
        pin = libc.malloc(2000)
        for block in array: libc.free(block)
        """,
        {"malloc_free": SIZE},
    ),
    "freed and trimmed": (
        """
        from outlive.capture.core import native
        array = blocks(1000, SIZE // 1008)
        pin = libc.malloc(2000)
        for block in array: libc.free(block)
        assert native.trim()
        """,
        {},
    ),
    "an anonymous mapping": (
        "kept = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); kept.write(b'x' * SIZE)",
        {"anonymous": SIZE},
    ),
    "shared memory": ("kept = mmap.mmap(-1, SIZE); kept.write(b'x' * SIZE)", {"file": SIZE}),
    "a mapped file": (
        """
        import tempfile
        file = tempfile.TemporaryFile()
        for _ in range(SIZE >> 20): file.write(b"x" * (1 << 20))
        file.flush()
        kept = mmap.mmap(file.fileno(), SIZE, access=mmap.ACCESS_READ)
        for offset in range(0, SIZE, 4096): kept[offset]
        """,
        {"file": SIZE},
    ),
    "blocks of threads": (
        """
        started, done = threading.Barrier(9), threading.Event()
        def work():
            kept = blocks(1000, SIZE // 8 // 1008)
            started.wait()
            done.wait()
        threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        for thread in threads: thread.start()
        started.wait()
        """,
        {"malloc_in_use": SIZE},
    ),
    "blocks beside 64 threads": (
        """
        done = threading.Event()
        for _ in range(64): threading.Thread(target=done.wait, daemon=True).start()
        kept = [bytes(95) for _ in range(SIZE // 256)]
        array = blocks(1000, SIZE // 2 // 1008)
        """,
        {"python_in_use": SIZE // 2, "malloc_in_use": SIZE // 2},
    ),
    "stacks": (
        """
        class Attributes(ctypes.Structure):
            _fields_ = [("bytes", ctypes.c_char * 64)]
        libc.pthread_self.restype = ctypes.c_ulong
        libc.pthread_getattr_np.argtypes = [ctypes.c_ulong, ctypes.c_void_p]
        started, done = threading.Barrier(21), threading.Event()
        def work():
            attributes, address, size = Attributes(), ctypes.c_void_p(), ctypes.c_size_t()
            assert libc.pthread_getattr_np(libc.pthread_self(), ctypes.byref(attributes)) == 0
            libc.pthread_attr_getstack(ctypes.byref(attributes), ctypes.byref(address), ctypes.byref(size))
            ctypes.memset(address.value + (64 << 10), 1, SIZE // 20)  # far below what it uses itself
            started.wait()
            done.wait()
        threading.stack_size(4 << 20)
        for _ in range(20): threading.Thread(target=work, daemon=True).start()
        started.wait()
        """,
        {"stacks": SIZE},
    ),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_each_kind_of_memory_is_found_where_it_is(name: str) -> None:
    make, expected = TRUTHS[name]
    before, after, rss = measured(make)
    changes = grown(before, after)
    for part in PARTS:
        # what goes with it: threads, modules, room to grow
        assert changes[part] == pytest.approx(expected.get(part, 0), abs=0.05 * SIZE), (part, changes)
    # The parts sum to rss; the kernel's own figure, from another file, agrees.
    assert sum(after[part] for part in PARTS) == after["rss"]
    assert after["rss"] == pytest.approx(rss, rel=0.02)
    assert abs(after["unexplained"]) <= 0.05 * after["rss"], after


@pytest.mark.parametrize("allocator", ["pymalloc", "debug", "malloc", "malloc_debug"])
def test_a_small_process_is_explained(allocator: str) -> None:
    _, after, rss = measured("", PYTHONMALLOC=allocator)
    known = [after[part] for part in PARTS if after[part] is not None]
    assert sum(known) == after["rss"] == pytest.approx(rss, rel=0.05)
    assert abs(after["unexplained"]) <= 0.05 * after["rss"], after


def test_python_s_large_blocks_are_python_s_when_their_size_is_known() -> None:
    before, after, _ = measured("kept = [bytearray(100_000) for _ in range(500)]", large="500 * 100_000")
    changes = grown(before, after)
    assert changes["python_in_use"] == pytest.approx(50_000_000, rel=0.01)
    assert changes["malloc_in_use"] == pytest.approx(0, abs=1_000_000)
    assert (before["python_large"], after["python_large"]) == (None, 50_000_000)


def test_all_blocks_from_malloc() -> None:
    _, unknown, _ = measured("kept = [bytes(95) for _ in range(SIZE // 128)]", PYTHONMALLOC="malloc")
    assert (unknown["python_in_use"], unknown["python_free"]) == (None, 0)
    assert unknown["malloc_in_use"] > SIZE
    _, known, _ = measured(
        "kept = [bytes(95) for _ in range(SIZE // 128)]", PYTHONMALLOC="malloc", large="SIZE"
    )
    assert known["python_in_use"] == SIZE


def test_pymalloc_answers_under_hooks_and_writes_to_nobody_s_stream() -> None:
    program = """
import tracemalloc
tracemalloc.start()
import outlive
from outlive.capture import breakdown
hidden = breakdown.heaps(None)
tracemalloc.stop()
plain = breakdown.heaps(None)
outlive.start(1)
tracemalloc.start()
hooked = breakdown.heaps(None)
assert hidden["pymalloc_in_use"] is None, hidden
assert plain["pymalloc_in_use"] > 500_000, plain
assert hooked["pymalloc_in_use"] is None, hooked  # outlive came second: tracemalloc was all it could remember
"""
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")


def test_an_allocator_in_malloc_s_place_is_not_taken_for_glibc_s(tmp_path: Path) -> None:
    source = tmp_path / "other.c"
    source.write_text(
        "#include <stddef.h>\n"
        "extern void *__libc_malloc(size_t);\n"
        "void *malloc(size_t n) { return __libc_malloc(n); }\n"
    )
    library = tmp_path / "other.so"
    try:
        subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    except FileNotFoundError:
        pytest.skip("no C compiler")
    _, after, _ = measured("", LD_PRELOAD=str(library))
    assert after["malloc_in_use"] is after["malloc_free"] is None
    assert after["heap"] > 0
    assert sum(after[part] or 0 for part in (*PARTS, "heap")) == after["rss"]
    assert abs(after["unexplained"]) <= 0.05 * after["rss"], after


AREA = {
    "rss": 100 * MIB,
    "heap": 30 * MIB,
    "heap_mapped": 40 * MIB,
    "stacks": 2 * MIB,
    "file": 8 * MIB,
    "anonymous": 60 * MIB,
    "uss": 90 * MIB,
    "swapped": 0,
}
HEAPS = {
    "pymalloc_in_use": 20 * MIB,
    "pymalloc_free": 10 * MIB,
    "heaps_taken": 40 * MIB,
    "heaps_in_use": 25 * MIB,
    "heaps_free": 15 * MIB,
    "mapped": 12 * MIB,
    "python_large": 7 * MIB,
    "heaps_spilled": 0,
}


@pytest.mark.parametrize(
    ("area", "said", "expected"),
    [
        ({}, {}, (27, 10, 30, 5, 18, None)),
        # Not all touched: of an arena, then of mapped blocks.
        ({}, {"mapped": 500 * MIB}, (27, 9, 49, 5, 0, None)),
        ({}, {"pymalloc_free": 31 * MIB}, (27, 30, 28, 5, 0, None)),
        ({}, {"heaps_spilled": 3 * MIB}, (27, 10, 30, 8, 15, None)),
        ({}, {"python_large": None}, (20, 10, 37, 5, 18, None)),
        ({}, {"python_large": 900 * MIB}, (57, 10, 0, 5, 18, None)),
        ({}, {"heaps_in_use": 39 * MIB}, (27, 10, 35, 0, 18, None)),  # more than is resident
        ({}, dict.fromkeys(HEAPS), (None, None, None, None, 60, 30)),  # seen from outside
    ],
)
def test_division(
    area: dict[str, int], said: dict[str, int | None], expected: tuple[int | None, ...]
) -> None:
    parts = divide(AREA | area, HEAPS | said)
    names = ("python_in_use", "python_free", "malloc_in_use", "malloc_free", "anonymous", "heap")
    found = tuple(None if parts[name] is None else (parts[name] or 0) // MIB for name in names)
    assert found == expected
    assert sum(parts[name] or 0 for name in (*names, "file", "stacks", "unexplained")) == 100 * MIB


def test_what_is_swapped_out_shows_as_less_than_nothing() -> None:
    parts = divide(AREA | {"rss": 50 * MIB, "anonymous": 10 * MIB, "swapped": 50 * MIB}, HEAPS)
    assert parts["unexplained"] is not None
    assert parts["unexplained"] < 0
    assert parts["swapped"] == 50 * MIB


def test_measuring_says_its_cost_and_has_all_that_a_breakdown_needs() -> None:
    figures = breakdown.measure(None)
    assert figures["seconds"] is not None
    assert figures["seconds"] > 0
    assert breakdown.breakdown(figures).rss == figures["rss"]
