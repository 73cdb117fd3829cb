"""What outlive.census() and why() show of themselves: nothing that they import is in their answer."""

from __future__ import annotations

from tests.capture.sampled import run


def test_the_first_look_is_without_what_it_needs() -> None:
    run(
        """
import sys
import outlive
assert "numpy" not in sys.modules
found = {total.name: total.count for total in outlive.census(None)}
assert "numpy" in sys.modules
assert not [name for name in found if name.startswith("numpy")]
assert found["module"] < 150, found["module"]
"""
    )
