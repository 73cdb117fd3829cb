"""Real frameworks in programs of their own; where each block was made is read back from the recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.recorded import Place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
