"""Known noise: what tools around a test leave behind, by name. It is told, and does not count as growth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.diagnose.lines import is_standard
from outlive.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from outlive.model.recording import Frame


OWN = str(Path(__file__).parents[1])
_IS_RUNNER = re.compile(rf"-packages/_pytest/|^{re.escape(OWN)}/(pytest_plugin|diagnose)/")


@dataclass(frozen=True, slots=True)
class Ignore:
    """Noise by where it was made: the innermost code outside the standard library is in a file like `files`.

    With `anywhere`, any code of the stack.
    """

    name: str
    files: tuple[str, ...]
    anywhere: bool = False

    def matches(self, frames: Sequence[Frame]) -> bool:
        """Return whether what this stack made is such noise."""
        if self.anywhere:  # of what the test called: all of pytest may run within such code
            called = takewhile(lambda frame: not _IS_RUNNER.search(frame.file), frames)
            return any(self._is_in(frame) for frame in called)
        first = next((frame for frame in frames if not is_standard(frame)), None)
        return first is not None and self._is_in(first)

    def _is_in(self, frame: Frame) -> bool:
        return any(fnmatch(frame.file, pattern) for pattern in self.files)


def installed(*files: str) -> tuple[str, ...]:
    """Return patterns for files of installed packages, and not of a project's own of the same name."""
    return tuple(f"*/{folder}/{file}" for folder in ("site-packages", "dist-packages") for file in files)


IGNORES = (
    Ignore("logging capture", installed("_pytest/logging.py")),
    Ignore("kept tracebacks", installed("_pytest/_code/*", "_pytest/reports.py", "_pytest/runner.py")),
    Ignore("pytest", installed("_pytest/*", "pluggy/*", "pytest_asyncio/*", "anyio/pytest_plugin.py")),
    Ignore("outlive", tuple(f"{OWN}/{room}/*" for room in ("pytest_plugin", "diagnose", "capture"))),
    Ignore("hypothesis", installed("hypothesis/*")),
    Ignore("coverage", installed("coverage/*", "pytest_cov/*")),
    Ignore("lazy imports", ("<frozen importlib*",), anywhere=True),
)


def parse_ignores(lines: Iterable[str]) -> tuple[Ignore, ...]:
    """Return the known noise and what these lines add to it, each "name: file pattern [file pattern ...]".

    Raises:
        UsageError: a line has no such form.

    """
    added = []
    for line in lines:
        name, colon, files = line.partition(":")
        if not (name.strip() and colon and files.split()):
            hint = 'write a name and file patterns: "our cache: */app/cache.py"'
            raise UsageError(f"{line!r} does not say what to ignore", hint=hint)
        added.append(Ignore(name.strip(), tuple(files.split())))
    return (*IGNORES, *added)


def of_stack(ignores: Iterable[Ignore], frames: Sequence[Frame]) -> str:
    """Return the name of the noise that a stack is, "" if it is none."""
    return next((ignore.name for ignore in ignores if ignore.matches(frames)), "")
