"""Sizes as people write them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlive.errors import UsageError
from outlive.model.size import mib, parse_size


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("1", 1),
        ("512", 512),
        ("64 KiB", 65_536),
        ("64kib", 65_536),
        (" 1.5 MB ", 1_500_000),
        ("2GiB", 2 << 30),
        (7, 7),
    ],
)
def test_sizes_are_read(text: str | int, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    "text", ["", "KiB", "1 parsec", "-1", "1e9", "nan", "1_000", "1.2.3", "0", 0, -5, "0.1", "٣ x", 1.5, None]
)
def test_what_is_no_positive_size_is_refused(text: str | int) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        parse_size(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert parse_size(text) >= 1


def test_mib() -> None:
    assert mib(12.5 * (1 << 20)) == "12.5 MiB"
    assert mib(-1 << 20) == "-1.0 MiB"
    assert mib(-100) == "0.0 MiB"
