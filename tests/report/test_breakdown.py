"""A breakdown in words: what can be given back is said, and what isn't known is not made up."""

from __future__ import annotations

import dataclasses
import json

import pytest

from outlive.model.breakdown import Breakdown, Trimmed
from outlive.report.breakdown import Subject, breakdown_json, breakdown_text

MIB = 1 << 20
KNOWN = Breakdown(
    rss=200 * MIB,
    python_in_use=50 * MIB,
    python_free=40 * MIB,
    malloc_in_use=20 * MIB,
    malloc_free=60 * MIB,
    anonymous=5 * MIB,
    file=20 * MIB,
    stacks=4 * MIB,
    unexplained=MIB,
    limit=256 * MIB,
    limit_usage=240 * MIB,
    python_large=10 * MIB,
    swapped=0,
)
OUTSIDE = dataclasses.replace(
    KNOWN, python_in_use=None, python_free=None, malloc_in_use=None, malloc_free=None, heap=170 * MIB
)
SUBJECT = Subject(77, "job.py, pid 77")


def row(text: str, name: str) -> str:
    (found,) = [line for line in text.splitlines() if line.startswith(f"  {name}")]
    return found


def test_each_part_has_its_row() -> None:
    text = breakdown_text(KNOWN, SUBJECT)
    assert text.startswith("job.py, pid 77 · RSS 200.0 MiB\n")
    assert "50.0 MiB" in row(text, "Python in use")
    assert "25%" in row(text, "Python in use")
    assert row(text, "Python in use").count("█") == 8  # of 30
    assert "60.0 MiB" in row(text, "malloc free")
    assert "1.0 MiB" in row(text, "unexplained")
    assert "small objects" not in text


def test_what_can_be_given_back_and_what_can_t() -> None:
    can, _, cant = breakdown_text(KNOWN, SUBJECT).partition("Can't:")
    assert "malloc free, 60.0 MiB: by trimming" in can
    assert "outlive diagnose --trim 77" in can
    assert "Python free, 40.0 MiB" in can
    assert "Python in use" in cant
    assert "malloc in use: blocks of C extensions and libraries, until" in cant


def test_python_s_large_blocks_are_named_where_they_are_counted() -> None:
    text = breakdown_text(dataclasses.replace(KNOWN, python_large=None), SUBJECT)
    assert "small objects" in row(text, "Python in use")
    assert "Python's large too" in row(text, "malloc in use")
    assert "Python's blocks of more than 512 bytes" in text


def test_what_is_not_known_is_not_made_up() -> None:
    text = breakdown_text(OUTSIDE, dataclasses.replace(SUBJECT, unknown="Only itself could tell."))
    assert row(text, "Python in use").endswith("unknown")
    assert "170.0 MiB" in row(text, "malloc's heaps, in use and free")
    assert "malloc free" not in text
    assert text.endswith("Only itself could tell.\n")


def test_the_limit() -> None:
    assert "256.0 MiB, 240.0 MiB charged by all in the group, 16.0 MiB left" in breakdown_text(KNOWN, SUBJECT)
    assert "That is close" in breakdown_text(KNOWN, SUBJECT)
    far = breakdown_text(dataclasses.replace(KNOWN, limit=1024 * MIB), SUBJECT)
    assert "784.0 MiB left" in far
    assert "That is close" not in far
    assert "none in sight" in breakdown_text(dataclasses.replace(KNOWN, limit=None), SUBJECT)


def test_less_than_nothing_and_swap_are_explained() -> None:
    text = breakdown_text(dataclasses.replace(KNOWN, unexplained=-3 * MIB, swapped=7 * MIB), SUBJECT)
    assert "-3.0 MiB" in row(text, "unexplained")
    assert "below zero" in text
    assert "Swapped out, and not part of RSS: 7.0 MiB" in text


def test_old_figures_say_their_age() -> None:
    old = dataclasses.replace(SUBJECT, age_seconds=40.3, silent="process 77 did not answer")
    text = breakdown_text(KNOWN, old)
    assert "5.0 MiB" in row(text, "other anonymous, growth of 40 s")
    assert "the allocators' figures are 40 s old, and what Python and malloc have taken since" in text
    assert "\nProcess 77 did not answer.\n" in text
    assert "growth of 1 s" in breakdown_text(KNOWN, dataclasses.replace(SUBJECT, age_seconds=0.2))


@pytest.mark.parametrize("age", [0.0, None])
def test_figures_of_one_moment_have_no_age(age: float | None) -> None:
    subject = dataclasses.replace(SUBJECT, age_seconds=age)
    text = breakdown_text(KNOWN, subject)
    assert "old" not in text
    assert "other anonymous mappings: memory that code took with mmap" in text
    assert json.loads(breakdown_json(KNOWN, subject))["figures_age_seconds"] == age


def test_what_trimming_gave() -> None:
    trimmed = dataclasses.replace(SUBJECT, trimmed=Trimmed(300 * MIB, 200 * MIB))
    assert "Trimming gave back 100.0 MiB: RSS was 300.0 MiB, then 200.0 MiB." in breakdown_text(
        KNOWN, trimmed
    )
    assert "outlive diagnose --trim" not in breakdown_text(KNOWN, trimmed)
    document = json.loads(breakdown_json(KNOWN, trimmed))
    assert document["trimmed"] == {"rss_before": 300 * MIB, "rss_after": 200 * MIB}


def test_json() -> None:
    document = json.loads(breakdown_json(OUTSIDE, SUBJECT))
    assert (document["schema"], document["pid"], document["findings"]) == (1, 77, [])
    assert document["breakdown"] == dataclasses.asdict(OUTSIDE)
    assert "trimmed" not in document


def test_a_process_without_memory_divides_by_nothing() -> None:
    nothing = Breakdown(0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert "RSS 0.0 MiB" in breakdown_text(nothing, SUBJECT)
