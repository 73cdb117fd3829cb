"""Whatever bytes a file holds: a recording or an OutliveError, for time and memory in proportion to it."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlive.errors import OutliveError
from outlive.model import layout
from outlive.model.recording import Frame, OpenRun, Recording, Sample, Scope, Stack
from outlive.recording import death, difference, notes, reader, totals
from tests.recording import synthetic

WHOLE = synthetic.encode(
    synthetic.recording(
        {
            number: synthetic.stack(
                *(f"f{number} app/{number}.py:{line}" for line in range(1, 6)), allocated=1e6
            )
            for number in range(1, 20)
        },
        [
            synthetic.sample(1 + number % 19, 1 << number % 30, scope=2 + number % 3, run=number % 20)
            for number in range(60)
        ],
        [synthetic.point(float(number), rss=number << 20) for number in range(30)],
        notes={"program": "app", "cgroup": {"path": "/x", "limit": 1 << 30, "oom_kills": 0}},
        scopes={number: Scope(f"job {number}", 2, 20, 18, 1e6, 2e6) for number in range(2, 5)},
        open_runs=(OpenRun(2, 7, 1.0), OpenRun(3, 19, 2.0)),
    ),
    slots=80,
    points=40,
)
HEADER = layout.SCOPES_OFFSET + layout.SCOPES.size
PLACES = synthetic.sections(WHOLE)


def read(data: bytes) -> Recording | None:
    """Read, and use all that was read as the reports do; None if it was refused."""
    try:
        found = reader.parse(data, "x.outlive")
    except OutliveError:
        return None
    assert all(sample.stack in found.stacks for sample in found.samples)
    assert len(found.samples) * layout.SLOT.size <= len(data)
    assert sum(len(stack.frames) for stack in found.stacks.values()) * layout.FRAME.size <= len(data)
    for by in ("line", "function", "file", "stack"):
        assert all(
            site.in_use.low <= site.in_use.estimate <= site.in_use.high for site in totals.grouped(found, by)
        )
    difference.difference(found, found)
    assert all(0 <= scope.ended <= scope.began for scope in found.scopes.values())
    assert death.death(found).text
    return found


def test_the_whole_one_is_read() -> None:
    assert read(WHOLE) is not None


@pytest.mark.parametrize("section", PLACES)
def test_cut_at_each_section(section: str) -> None:
    start, length = PLACES[section]
    for end in {start - 1, start, start + 1, start + length - 1} - {-1}:
        assert read(WHOLE[:end]) is None


@given(end=st.integers(0, len(WHOLE) - 1))
@settings(deadline=None)
def test_cut_anywhere(end: int) -> None:
    assert read(WHOLE[:end]) is None


@given(flips=st.lists(st.tuples(st.integers(0, HEADER - 1), st.integers(1, 255)), max_size=4))
@settings(deadline=None)
def test_bytes_flipped_in_the_header(flips: list[tuple[int, int]]) -> None:
    flipped = bytearray(WHOLE)
    for place, bits in flips:
        flipped[place] ^= bits
    read(bytes(flipped))


@given(flips=st.lists(st.tuples(st.integers(HEADER, len(WHOLE) - 1), st.integers(1, 255)), max_size=40))
@settings(deadline=None)
def test_bytes_flipped_behind_the_header_cost_no_more_than_themselves(flips: list[tuple[int, int]]) -> None:
    flipped = bytearray(WHOLE)
    for place, bits in flips:
        flipped[place] ^= bits
    found = read(bytes(flipped))
    assert found is not None
    assert len(found.samples) >= 60 - len(flips)
    assert len(found.timeline) >= 30 - len(flips)


@given(junk=st.binary(max_size=2000), start=st.integers(0, len(WHOLE)))
@settings(deadline=None)
def test_junk_written_over_it(junk: bytes, start: int) -> None:
    read((WHOLE[:start] + junk + WHOLE[start + len(junk) :])[: len(WHOLE)])


@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from([*range(24, 136, 8), *range(layout.SCOPES_OFFSET, HEADER, 8)]),
            st.one_of(st.integers(0, 2 * len(WHOLE)), st.integers(0, (1 << 64) - 1), st.just((1 << 64) - 1)),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=300, deadline=None)
def test_any_places_and_counts_overlapping_or_not(fields: list[tuple[int, int]]) -> None:
    changed = bytearray(WHOLE)
    for place, value in fields:
        struct.pack_into("<Q", changed, place, value)
    read(bytes(changed))


@given(data=st.binary(max_size=HEADER + 500))
@settings(deadline=None)
def test_anything_after_the_magic(data: bytes) -> None:
    read(layout.MAGIC + struct.pack("<I", layout.VERSION) + data)


def valid_slot(size_word: int, stack: int, address: int = 0x7F00_0000_1000) -> bytes:
    fields = (size_word, stack, 5, 6, 7)
    return layout.SLOT.pack(address | layout.slot_check(address, *fields) << 48, *fields)


@pytest.mark.parametrize(
    ("slot", "kept"),
    [
        (valid_slot(100, 1), True),
        (valid_slot(0, 1), True),
        (valid_slot((1 << 48) - 1 | 48 << 48 | 255 << 56, 1), True),
        (valid_slot(100 | 49 << 48, 1), False),
        (valid_slot(100, 20), False),
        (valid_slot(100, (1 << 32) - 1), False),
    ],
)
def test_slots_that_are_whole_but_make_no_sense(slot: bytes, *, kept: bool) -> None:
    data = bytearray(WHOLE)
    start, length = PLACES["slots"]
    data[start : start + length] = slot.ljust(length, b"\0")
    found = read(bytes(data))
    assert found is not None
    assert (len(found.samples), found.torn) == ((1, 0) if kept else (0, 1))


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -1.0, 1e18])
@pytest.mark.parametrize("field", [0, 1])
def test_points_that_are_whole_but_at_no_time(time: float, field: int) -> None:
    data = bytearray(WHOLE)
    start, _ = PLACES["timeline"]
    body = bytearray(data[start : start + layout.POINT.size - 4])
    struct.pack_into("<d", body, 8 * field, time)
    data[start : start + layout.POINT.size] = body + struct.pack("<I", zlib.crc32(body))
    found = read(bytes(data))
    assert found is not None
    assert (len(found.timeline), found.torn) == (29, 1)


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), -1.0, 1e300])
def test_totals_that_no_process_comes_to(figure: float) -> None:
    data = bytearray(WHOLE)
    start, _ = PLACES["totals"]
    struct.pack_into("<d", data, start + layout.TOTAL.size, figure)
    found = read(bytes(data))
    assert found is not None
    assert (found.stacks[1].allocated_bytes, found.torn) == (0.0, 1)
    assert len(found.stacks[1].frames) == 5


@pytest.mark.parametrize(
    ("first", "length"),
    [(0, 0), (0, layout.STACK_CUT), (0, 1 << 30), ((1 << 32) - 1, 1), ((1 << 32) - 1, (1 << 32) - 1)],
)
def test_a_stack_outside_of_its_frames_has_none(first: int, length: int) -> None:
    data = bytearray(WHOLE)
    layout.STACK.pack_into(data, PLACES["half 0"][0] + layout.STACK.size, first, length)
    found = read(bytes(data))
    assert found is not None
    assert found.stacks[1] == Stack((), 1e6, 0.0, cut=False)
    assert found.torn == 1


def hostile() -> bytes:
    """Make every stack have all frames, every frame a function of its own, every function the whole text."""
    count = 3000
    stacks = layout.STACK.pack(0, count) * count
    functions = b"".join(layout.FUNCTION.pack(number, number, 1) for number in range(count))
    frames = b"".join(layout.FRAME.pack(number, 1) for number in range(count))
    text = b"x" * 50_000
    half = stacks + functions + frames + text
    slots = b"".join(valid_slot(100, number, 0x7F00_0000_0000 + 64 * number) for number in range(count))
    totals_ = layout.TOTAL.pack(1.0, 1.0, 0.0, 0.0) * count
    at = [
        layout.HEADER_BYTES,
        layout.HEADER_BYTES + len(slots),
        layout.HEADER_BYTES + len(slots) + len(totals_),
    ]
    header = layout.DIRECTORY.pack(
        *(layout.MAGIC, layout.VERSION, layout.HEADER_BYTES, at[2] + 2 * len(half)),
        *(0, 0, 0, 0),
        *(at[0], count, at[1], count),
        *(at[2], at[2] + len(half), len(half), count, count, len(text)),
    )
    header += layout.LIVE.pack(1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1, 0, 0)
    return header.ljust(layout.HEADER_BYTES, b"\0") + slots + totals_ + half + half


def test_stacks_that_share_all_frames_and_text_cost_what_the_file_has() -> None:
    """Decoded as written they would be 9 million frames and 150 MB of names."""
    data = hostile()
    tracemalloc.start()
    try:
        found = reader.parse(data, "x")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found.samples) == 3000
    assert peak < 20 * len(data)


@pytest.mark.parametrize("field", [4, 6, 8, 10, 12, 13])
def test_a_section_over_another_is_refused(field: int) -> None:
    """A file that is mostly holes could else cost many times its length."""
    places = list(layout.DIRECTORY.unpack_from(WHOLE))
    for other in (0, *(places[number] for number in (4, 6, 8, 10, 12, 13) if number != field)):
        bad = bytearray(WHOLE)
        layout.DIRECTORY.pack_into(bad, 0, *places[:field], other, *places[field + 1 :])
        with pytest.raises(OutliveError, match="its header makes no sense"):
            reader.parse(bytes(bad), "x")


def test_deep_notes_end_in_none() -> None:
    text = b'{"a":' * 3000 + b"1" + b"}" * 3000
    page = layout.NOTE.pack(1, len(text), zlib.crc32(text)) + text
    assert isinstance(notes.newest(page.ljust(20_000, b"\0") * 2), dict)


scope_names = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=80)
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Any recording that a process may write."""
    interval = draw(st.integers(1, 1 << 30))
    frames = st.lists(st.tuples(names, names, st.integers(0, 1 << 31)), min_size=1, max_size=5)
    stacks = {
        number: Stack(
            tuple(Frame(function, file, line) for function, file, line in found),
            draw(st.floats(1, 1e15)),
            draw(st.floats(0, 1e12)),
            draw(st.booleans()),
            draw(st.floats(0, 1e12)),
            draw(st.integers(0, 1 << 50)),
        )
        for number, found in draw(st.dictionaries(st.integers(1, 50), frames, max_size=6)).items()
    }
    samples = [
        Sample(
            0x1000 + 16 * number,
            draw(st.integers(0, (1 << 48) - 1)),
            interval << draw(st.integers(0, 48)),
            stack,
            draw(st.integers(0, (1 << 32) - 1)) / 10,
            draw(st.integers(0, (1 << 22) - 1)),
            draw(st.integers(0, (1 << 32) - 1)),
            draw(st.booleans()),
            draw(st.integers(0, 1023)),
        )
        for number, stack in enumerate(
            draw(st.lists(st.sampled_from(sorted(stacks)), max_size=20)) if stacks else ()
        )
    ]
    ended = st.integers(0, 1 << 40)
    scopes = {
        number: Scope(name, 2, 1 + ended_runs + still_open, ended_runs, draw(st.floats(0, 1e15)), 1e15)
        for number, (name, ended_runs, still_open) in draw(
            st.dictionaries(st.integers(2, 30), st.tuples(scope_names, ended, st.integers(0, 9)), max_size=4)
        ).items()
    }
    return synthetic.recording(
        stacks,
        samples,
        interval_bytes=interval,
        current_interval_bytes=interval << draw(st.integers(0, 48)),
        scopes=scopes,
        open_runs=tuple(OpenRun(number, 1 + number, float(number)) for number in sorted(scopes)),
        runs_untracked=draw(st.integers(0, (1 << 64) - 1)),
    )


@given(described=recordings(), half=st.integers(0, 1))
@settings(max_examples=60, deadline=None)
def test_every_recording_comes_back_as_it_was(described: Recording, half: int) -> None:
    assert read(synthetic.encode(described, points=3, half=half)) == described
