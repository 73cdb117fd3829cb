"""A recording's file is read back as it was described; what can't be read is refused in one clear line."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outlive.errors import OutliveError
from outlive.model import layout
from outlive.model.breakdown import Breakdown
from outlive.recording import reader
from tests.recording import synthetic

if TYPE_CHECKING:
    from outlive.model.recording import Recording

BREAKDOWN = Breakdown(100, 40, 5, 20, 10, 15, 5, 3, 2, limit=512 << 20, limit_usage=90)
STACKS = {
    1: synthetic.stack("remember app/cache.py:5", "serve app/main.py:40", allocated=5e6, blocks=3.0),
    7: synthetic.stack("größe tëst.py:9", cut=True),
    8: synthetic.stack("freed app/all.py:1", allocated=1.5, blocks=1.0),
}
SAMPLES = [
    synthetic.sample(1, 3 << 20, born=12.5),
    synthetic.sample(7, 100, interval=1 << 19),
    synthetic.sample(7, 64 << 20, native=True),
]


def described() -> Recording:
    """Everything a recording can say."""
    return synthetic.recording(
        STACKS,
        SAMPLES,
        [
            synthetic.point(1.0, rss=5 << 20),
            synthetic.point(2.0, rss=6 << 20, rss_peak=7 << 20, uss=1, python_in_use=2, python_free=3),
            synthetic.point(
                3.0,
                malloc_in_use=4,
                malloc_free=5,
                gc_counts=(6, 7, 8),
                gc_collections=9,
                tasks=10,
                threads=11,
            ),
        ],
        notes={"program": "serve.py", "native": True},
        breakdown=BREAKDOWN,
        process={"parent_pid": 4000, "state": "signalled", "status": 15, "ended": synthetic.BEGAN + 60},
        current_interval_bytes=1 << 19,
        sampled=1000,
        dropped=4,
        forgotten_bytes=2.5e9,
        forgotten_blocks=17.0,
    )


@pytest.mark.parametrize("half", [0, 1])
def test_what_was_written_is_read(half: int, tmp_path: Path) -> None:
    file = synthetic.write(tmp_path / "a.outlive", described(), slots=100, stacks=50, half=half)
    assert reader.read(file) == described()


@pytest.mark.parametrize("state", ["running", "stopped", "exited", "signalled"])
def test_each_state_is_read(state: str) -> None:
    data = synthetic.encode(synthetic.recording(process={"state": state}), points=0)
    assert reader.parse(data, "x").process.state == state


def test_a_week_of_points_comes_from_three_rings_in_order() -> None:
    """The coarse rings hold the near past too; each moment is told once, by the finest."""
    fine = [synthetic.point(700_000.0 + second, rss=1) for second in range(1200)]
    middle = [synthetic.point(700_000.0 - 10 * number, rss=10) for number in range(3500, 0, -1)]
    again = [synthetic.point(700_000.0 + 10 * number, rss=10) for number in range(100)]
    coarse = [synthetic.point(60.0 * number, rss=60) for number in range(11520)]
    data = bytearray(synthetic.encode(synthetic.recording()))
    start, _ = synthetic.sections(bytes(data))["timeline"]
    for (_, count), ring in zip(layout.TIERS, (fine, middle + again, coarse), strict=True):
        packed = b"".join(map(synthetic._point, ring))
        assert len(ring) <= count
        data[start : start + len(packed)] = packed
        start += count * layout.POINT.size
    timeline = reader.parse(bytes(data), "x").timeline
    uptimes = [point.uptime for point in timeline]
    assert uptimes == sorted(set(uptimes))
    assert uptimes[0] == 0.0
    assert uptimes[-1] == 701_199.0
    assert [point.rss for point in timeline if point.uptime >= 700_000.0] == [1] * 1200
    assert {point.rss for point in timeline if 665_000 <= point.uptime < 700_000} == {10}


def test_the_clock_may_be_set_back() -> None:
    timeline = [synthetic.point(1.0, time=2000.0), synthetic.point(2.0, time=1000.0)]
    data = synthetic.encode(synthetic.recording(timeline=timeline), points=10)
    assert [point.time for point in reader.parse(data, "x").timeline] == [2000.0, 1000.0]


def test_torn_slots_and_points_are_left_out_and_counted() -> None:
    data = bytearray(synthetic.encode(described(), points=10))
    places = synthetic.sections(bytes(data))
    data[places["slots"][0] + 17] ^= 1  # in the first slot's fields
    data[places["timeline"][0] + 40] ^= 1
    read = reader.parse(bytes(data), "x")
    assert read.torn == 2
    assert [block.size for block in read.samples] == [100, 64 << 20]
    assert [point.uptime for point in read.timeline] == [1.0, 3.0]  # the ring has turned: 2, 3, 1


def test_a_slot_whose_address_is_cleared_is_empty_whatever_else_it_holds() -> None:
    data = bytearray(synthetic.encode(described(), points=0))
    start, _ = synthetic.sections(bytes(data))["slots"]
    data[start : start + 8] = bytes(8)
    read = reader.parse(bytes(data), "x")
    assert (len(read.samples), read.torn) == (2, 0)


def test_a_block_seen_twice_counts_once_by_its_later_birth() -> None:
    old, new = (synthetic.sample(1, born=born, address=0x7F00_1234_5000) for born in (1.0, 9.0))
    read = reader.parse(synthetic.encode(synthetic.recording(STACKS, [new, old]), points=0), "x")
    assert [block.born for block in read.samples] == [9.0]


def test_only_stacks_that_are_used_are_decoded() -> None:
    unused = {**STACKS, 9: synthetic.stack("unused app/x.py:1")}
    read = reader.parse(synthetic.encode(synthetic.recording(unused, SAMPLES), points=0), "x")
    assert set(read.stacks) == {1, 7, 8}


def test_the_newest_whole_page_of_notes_counts() -> None:
    data = bytearray(synthetic.encode(described(), points=0))
    start, length = synthetic.sections(bytes(data))["notes"]
    assert reader.parse(bytes(data), "x").process.notes["program"] == "serve.py"
    data[start + length // 2 + layout.NOTE.size + 2] ^= 1
    read = reader.parse(bytes(data), "x")
    assert read.process.notes == {"stale": True}
    assert read.breakdown is None


def with_notes(text: bytes) -> bytes:
    data = bytearray(synthetic.encode(synthetic.recording(), points=0))
    start, _ = synthetic.sections(bytes(data))["notes"]
    page = layout.NOTE.pack(9, len(text), zlib.crc32(text)) + text
    data[start : start + len(page)] = page
    return bytes(data)


# Of them, what is time ago or a share of could not be told without an error.
NUMBERS = [b'{"a": %s}' % number for number in (b"1" + b"0" * 400, b"-1e30", b"1e999", b"NaN", b"-Infinity")]


TEXTS = [b"[1]", b"{", b"[" * 5000, b"\xff\xfe\xfd", b'{"a": ' + b"9" * 5000 + b"}"]


@pytest.mark.parametrize("text", [*TEXTS, *NUMBERS])
def test_notes_that_are_no_object_fall_back_to_the_page_before(text: bytes) -> None:
    assert reader.parse(with_notes(text), "x").process.notes in ({}, {"stale": True})


@pytest.mark.parametrize(
    "text", [b'{"breakdown": 3}', b'{"breakdown": {"rss": "x"}}', b'{"breakdown": {"rss": 1e9}}']
)
def test_a_breakdown_that_is_none_is_left_out(text: bytes) -> None:
    assert reader.parse(with_notes(text), "x").breakdown is None


def test_names_can_not_steer_a_terminal() -> None:
    evil = {1: synthetic.stack("\x1b[2Jf\x07 a\x9b.py:1")}
    (frame,) = (
        reader.parse(synthetic.encode(synthetic.recording(evil, SAMPLES[:1]), points=0), "x").stacks[1].frames
    )
    assert frame.function == "\N{REPLACEMENT CHARACTER}[2Jf\N{REPLACEMENT CHARACTER}"
    assert frame.file == "a\N{REPLACEMENT CHARACTER}.py"


def header_with(place: int, packed: bytes) -> bytes:
    data = bytearray(synthetic.encode(described(), points=0))
    data[place : place + len(packed)] = packed
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is no recording: it is empty"),
        (bytes(8 << 20), "is no recording: it does not begin as one"),
        (b"%PDF-1.7 and so on", "is no recording: it does not begin as one"),
        (layout.MAGIC, "is cut short: it has 8 of 4096 bytes"),
        (
            header_with(8, struct.pack("<I", 2)),
            "it has format version 2, this outlive reads 1; pip install --upgrade",
        ),
        (header_with(8, struct.pack("<I", 0)), "is damaged"),
        (header_with(16, struct.pack("<Q", 1 << 62)), "is damaged"),
        (header_with(24, struct.pack("<Q", 1 << 63)), "is damaged"),
        (header_with(64, struct.pack("<Q", 1 << 59)), "is damaged"),
        (header_with(layout.LIVE_OFFSET + 24, struct.pack("<Q", 0)), "is damaged"),
        (synthetic.encode(described(), points=0)[:-1], "is cut short: it has "),
    ],
)
def test_what_is_no_recording_is_refused_in_words(data: bytes, says: str, tmp_path: Path) -> None:
    file = tmp_path / "a.outlive"
    file.write_bytes(data)
    for read in (reader.read, reader.outline):
        with pytest.raises(OutliveError) as refused:
            read(file)
        assert says in str(refused.value)
        assert str(file) in str(refused.value)
        assert "\n" not in str(refused.value)


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.outlive")
    for path, says in [
        (tmp_path / "missing.outlive", "there is no file"),
        (tmp_path, "it is not a regular file"),
        (tmp_path / "pipe.outlive", "it is not a regular file"),
        (Path("/dev/zero"), "it is not a regular file"),
        (tmp_path / "nul\0.outlive", "can't read"),
    ]:
        with pytest.raises(OutliveError, match=says):
            reader.read(path)


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    file = synthetic.write(tmp_path / "a.outlive", described())
    file.chmod(0)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.geteuid() == 0:  # root reads everything
                os.setuid(65534)
            reader.read(file)
        except OutliveError as refused:
            status = 0 if "Permission denied; ask as the user whose process it is" in str(refused) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_outline_is_the_recording_without_its_samples(tmp_path: Path) -> None:
    file = synthetic.write(tmp_path / "a.outlive", described())
    brief, whole = reader.outline(file), described()
    assert (brief.process, brief.timeline, brief.breakdown) == (
        whole.process,
        whole.timeline,
        whole.breakdown,
    )
    assert (brief.samples, dict(brief.stacks)) == ((), {})


def test_a_file_whose_stacks_move_while_it_is_copied_is_copied_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the process moved its stacks just before the header is looked at again, three times."""
    file = synthetic.write(tmp_path / "a.outlive", described(), generation=1)
    pread, moves = os.pread, iter([3, 5, 7])
    copies: list[int] = []

    def moving(handle: int, size: int, start: int) -> bytes:
        if size == layout.HEADER_BYTES and copies and (generation := next(moves, None)):
            file.write_bytes(synthetic.encode(described(), generation=generation))
        copies.append(size)
        return pread(handle, size, start)

    monkeypatch.setattr(os, "pread", moving)
    assert reader.read(file) == described()
    assert sum(size > layout.HEADER_BYTES for size in copies) >= 3


def test_a_file_whose_stacks_never_rest_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = synthetic.write(tmp_path / "a.outlive", described(), points=0)
    pread, moves = os.pread, iter(range(10_000))

    def moving(handle: int, size: int, start: int) -> bytes:
        data = bytearray(pread(handle, size, start))
        if size == layout.HEADER_BYTES:
            struct.pack_into("<I", data, layout.LIVE_OFFSET + 40, next(moves))
        return bytes(data)

    monkeypatch.setattr(os, "pread", moving)
    with pytest.raises(OutliveError, match="moved each time"):
        reader.read(file)


def test_two_readers_and_a_writer_at_once(tmp_path: Path) -> None:
    file = synthetic.write(tmp_path / "a.outlive", described(), slots=1000)
    slots, _ = synthetic.sections(file.read_bytes())["slots"]
    seen: list[Recording] = []

    def look() -> None:
        seen.extend(reader.read(file) for _ in range(20))

    readers = [threading.Thread(target=look) for _ in range(2)]
    for thread in readers:
        thread.start()
    with file.open("r+b") as writer:
        while any(thread.is_alive() for thread in readers):
            for slot in range(1000):
                writer.seek(slots + (3 + slot) % 1000 * layout.SLOT.size)
                writer.write(os.urandom(layout.SLOT.size))
            writer.flush()
    for thread in readers:
        thread.join()
    assert len(seen) == 40
    assert all(read.timeline == described().timeline for read in seen)
