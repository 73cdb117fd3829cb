"""A test that leaves nothing behind, marked and plain; pytest runs them as `leak_cost.py` asks for."""

import json

import pytest

ROWS = [{"id": number, "text": f"row {number}", "parts": [number, number / 7]} for number in range(1100)]


def work() -> None:
    """Take some 2 ms."""
    assert json.loads(json.dumps(ROWS)) == ROWS  # noqa: S101 - a test


@pytest.mark.limit_growth("1 KiB")
def test_marked(number: int) -> None:  # noqa: ARG001 - there are many
    """Do it, again and again."""
    work()


def test_plain(number: int) -> None:  # noqa: ARG001
    """Do it once."""
    work()
