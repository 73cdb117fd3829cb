"""Known noise, by where it was made."""

from __future__ import annotations

import pytest

from outlive.diagnose.ignores import IGNORES, of_stack, parse_ignores
from outlive.errors import UsageError
from outlive.model.recording import Frame

TEST = Frame("test_it", "/srv/tests/test_it.py", 3)
JSON = Frame("dumps", "/usr/lib/python3.11/json/__init__.py", 3)


def frame(file: str) -> Frame:
    return Frame("f", file, 1)


@pytest.mark.parametrize(
    ("frames", "name"),
    [
        ([TEST, frame("/x/site-packages/_pytest/python.py")], ""),
        ([JSON, TEST, frame("/x/site-packages/_pytest/python.py")], ""),
        ([frame("/x/site-packages/_pytest/fixtures.py"), TEST], "pytest"),
        ([JSON, frame("/x/site-packages/_pytest/logging.py"), TEST], "logging capture"),
        ([frame("/x/site-packages/_pytest/runner.py")], "kept tracebacks"),
        ([frame("/x/site-packages/hypothesis/database.py"), TEST], "hypothesis"),
        ([TEST, frame("/x/site-packages/hypothesis/core.py")], ""),
        ([TEST, frame("<frozen importlib._bootstrap>"), TEST], "lazy imports"),
        ([JSON], ""),
        ([], ""),
    ],
)
def test_whose_noise_it_is(frames: list[Frame], name: str) -> None:
    assert of_stack(IGNORES, frames) == name


def test_more_can_be_named() -> None:
    ignores = parse_ignores(["our cache: */app/cache.py */app/memo.py", "  vendor :*/vendor/*"])
    assert of_stack(ignores, [JSON, frame("/srv/app/memo.py"), TEST]) == "our cache"
    assert of_stack(ignores, [frame("/srv/vendor/x/y.py")]) == "vendor"
    assert not of_stack(ignores, [TEST, frame("/srv/app/memo.py")])


@pytest.mark.parametrize("line", ["", "name", "name:", ": */x.py"])
def test_what_says_nothing(line: str) -> None:
    with pytest.raises(UsageError, match="write a name and file patterns"):
        parse_ignores([line])
