"""What becomes of a test by what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from outlive.model.growth import Growth


def of_growth(config: pytest.Config, growth: Growth, name: str) -> None:
    """Fail a test that grows, with who made and holds what; skip or fail one of which that can't be told."""
    from outlive.report.growth_text import growth_text, reason

    if growth.fails:
        pytest.fail(growth_text(growth, name), pytrace=False)
    if growth.verdict == "not enough data":
        unknown(config, reason(growth))


def unknown(config: pytest.Config, why: str) -> None:
    """Skip a test that can't be judged, or fail it, as was chosen."""
    if config.getini("outlive_not_enough_data") == "skip":
        raise pytest.skip.Exception(why, _use_item_location=True)
    pytest.fail(why, pytrace=False)
