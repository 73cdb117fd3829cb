"""Known noise: what tools around a test leave behind, by name. It is told, and does not count as growth."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from outlive.diagnose.lines import is_standard
from outlive.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from outlive.model.recording import Frame


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
        if self.anywhere:
            return any(self._is_in(frame) for frame in frames)
        first = next((frame for frame in frames if not is_standard(frame)), None)
        return first is not None and self._is_in(first)

    def _is_in(self, frame: Frame) -> bool:
        return any(fnmatch(frame.file, pattern) for pattern in self.files)


IGNORES = (
    Ignore("logging capture", ("*/_pytest/logging.py",)),
    Ignore("kept tracebacks", ("*/_pytest/_code/*", "*/_pytest/reports.py", "*/_pytest/runner.py")),
    Ignore("pytest", ("*/_pytest/*", "*/pluggy/*", "*/pytest_asyncio/*", "*/anyio/pytest_plugin.py")),
    Ignore("outlive", ("*/outlive/pytest_plugin/*", "*/outlive/diagnose/*", "*/outlive/capture/*")),
    Ignore("hypothesis", ("*/hypothesis/*",)),
    Ignore("coverage", ("*/coverage/*", "*/pytest_cov/*")),
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
