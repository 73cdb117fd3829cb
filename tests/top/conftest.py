"""A process to watch."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.top.recorded import Sleeper


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Sleeper]:
    sleeper = Sleeper(tmp_path)
    yield sleeper
    sleeper.kill()
