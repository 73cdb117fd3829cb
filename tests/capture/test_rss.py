"""Mappings told apart: heaps, stacks, files and the rest, on older kernels too."""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import TYPE_CHECKING

from outlive.capture import mappings, rss

if TYPE_CHECKING:
    import pytest

KIB = 1024
MIB = 1024 * KIB
PAGE = os.sysconf("SC_PAGE_SIZE")
HEAP = 0x7F00_0000_0000  # a multiple of 64 MiB


def mapping(  # noqa: PLR0913 - what a line of maps holds
    start: int,
    size: int,
    permissions: str = "rw-p",
    name: str = "",
    *,
    resident: int | None = None,
    anonymous: int | None = None,
    flags: str = "rd wr mr mw me ac",
) -> str:
    """Return a mapping as smaps has it; all of it is resident and anonymous unless said otherwise."""
    resident = (0 if permissions == "---p" else size) if resident is None else resident
    anonymous = resident if anonymous is None else anonymous
    inode = 77 if name.startswith("/") else 0
    return (
        f"{start:x}-{start + size:x} {permissions} 00000000 00:00 {inode} {name}\n"
        f"Size: {size // KIB} kB\nRss: {resident // KIB} kB\nPss: {resident // KIB} kB\n"
        f"Private_Clean: 0 kB\nPrivate_Dirty: {anonymous // KIB} kB\n"
        f"Anonymous: {anonymous // KIB} kB\nAnonHugePages: 0 kB\nSwap: 8 kB\nSwapPss: 4 kB\n"
        f"VmFlags: {flags} \n"
    )


def areas(*parts: str) -> dict[str, int]:
    lines = "".join(parts).encode().splitlines(keepends=True)
    found = rss.sum_areas(list(mappings.parse(lines)), "self")
    assert found["heap"] + found["stacks"] + found["file"] + found["anonymous"] == found["rss"]
    return found


def test_the_main_heap_and_stack_and_files() -> None:
    found = areas(
        mapping(0x5000_0000, 2 * MIB, "r-xp", "/usr/bin/python3.12", anonymous=0),
        mapping(0x5100_0000, MIB, "rw-p", "/usr/bin/python3.12", anonymous=256 * KIB),  # written to: own
        mapping(0x5200_0000, 8 * MIB, name="[heap]", resident=5 * MIB),
        mapping(0x6000_0000, 3 * MIB, "rw-s", "/dev/zero (deleted)", anonymous=0),
        mapping(0x7000_0000, 4 * MIB),
        mapping(0x7FFF_0000, 128 * KIB, name="[stack]"),
    )
    assert found["heap"] == 5 * MIB
    assert found["heap_mapped"] == 8 * MIB
    assert found["file"] == (2 + 1 + 3) * MIB - 256 * KIB
    assert found["anonymous"] == 4 * MIB + 256 * KIB
    assert found["stacks"] == 128 * KIB
    assert found["swapped"] == 6 * 8 * KIB


def test_a_thread_s_heap_is_known_by_where_it_lies() -> None:
    opened = mapping(HEAP, 5 * MIB, resident=3 * MIB)
    reserved = mapping(HEAP + 5 * MIB, 59 * MIB, "---p")
    assert areas(opened, reserved)["heap"] == 3 * MIB
    assert areas(opened)["heap"] == 0
    elsewhere = mapping(HEAP + MIB, 4 * MIB), mapping(HEAP + 5 * MIB, 59 * MIB, "---p")
    assert areas(*elsewhere)["heap"] == 0
    too_short = mapping(HEAP, 5 * MIB), mapping(HEAP + 5 * MIB, 10 * MIB, "---p")
    assert areas(*too_short)["heap"] == 0


def test_full_heaps_before_one_belong_to_it() -> None:
    found = areas(mapping(HEAP, 70 * MIB), mapping(HEAP + 70 * MIB, 58 * MIB, "---p"))
    assert found["heap"] == found["heap_mapped"] == 70 * MIB


def test_what_follows_a_heap_is_no_stack() -> None:
    found = areas(
        mapping(HEAP, 5 * MIB),
        mapping(HEAP + 5 * MIB, 59 * MIB, "---p"),
        mapping(HEAP + 64 * MIB, 8 * MIB),
    )
    assert (found["heap"], found["stacks"], found["anonymous"]) == (5 * MIB, 0, 8 * MIB)


def test_a_guard_that_joined_a_heap_s_rest_is_still_one() -> None:
    found = areas(
        mapping(HEAP, 5 * MIB),
        mapping(HEAP + 5 * MIB, 59 * MIB, "---p"),
        mapping(HEAP + 64 * MIB, 4 * KIB, "---p"),
        mapping(HEAP + 64 * MIB + 4 * KIB, 8 * MIB, resident=64 * KIB),
    )
    assert (found["heap"], found["stacks"]) == (5 * MIB, 64 * KIB)


def test_a_stack_without_a_guard_that_is_a_mapping() -> None:
    assert areas(mapping(HEAP + MIB, 8 * MIB, flags="rd wr mr mw me ac nh"))["stacks"] == 8 * MIB


def test_reserved_memory_is_no_guard() -> None:
    found = areas(mapping(HEAP + MIB, 2 * MIB, "---p"), mapping(HEAP + 3 * MIB, 8 * MIB))
    assert found["stacks"] == 0


def test_names_that_glibc_gives() -> None:
    found = areas(
        mapping(HEAP + MIB, 2 * MIB, name="[anon: glibc: malloc arena]"),
        mapping(HEAP + 9 * MIB, 8 * MIB, name="[anon: glibc: pthread stack: 77]"),
    )
    assert (found["heap"], found["stacks"]) == (2 * MIB, 8 * MIB)


def test_a_stack_that_the_kernel_joined_with_what_lies_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []

    def resident(_pid: object, start: int, end: int) -> int:
        counted.append((start, end))
        return 64 * KIB

    monkeypatch.setattr(mappings, "resident_bytes", resident)
    monkeypatch.setattr(rss, "_stack_bytes", lambda _pid: 8 * MIB)
    start = HEAP + MIB
    found = areas(mapping(start, 4 * KIB, "---p"), mapping(start + 4 * KIB, 30 * MIB))
    assert counted == [(start + 4 * KIB, start + 4 * KIB + 8 * MIB)]
    assert (found["stacks"], found["anonymous"]) == (64 * KIB, 30 * MIB - 64 * KIB)


def test_pages_are_counted() -> None:
    with mmap.mmap(-1, 64 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        for number in range(3, 13):
            pages[number * PAGE] = 1
        view = ctypes.c_char.from_buffer(pages)
        start = ctypes.addressof(view)
        del view  # it would keep the mapping open
        assert mappings.resident_bytes("self", start, start + 64 * PAGE) == 10 * PAGE
        assert mappings.resident_bytes("self", start + 4 * PAGE, start + 6 * PAGE) == 2 * PAGE


def test_a_file_that_says_nothing() -> None:
    assert not list(mappings.parse([]))
    assert set(areas().values()) == {0}
