"""A revision of a git repository as files, in a temporary worktree that is gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

import outlive
from outlive.demo.interruption import held_signals
from outlive.errors import OutliveError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHER_WAY = "or name what to run before: --before 'COMMAND'"
# In a hook, git says of these where it is; they would turn a worktree into that place.
_WHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


@dataclass(frozen=True, slots=True)
class Worktree:
    """A revision checked out at `root`, of the repository whose files are at `top`."""

    root: Path
    top: Path
    revision: str  # as asked for
    commit: str  # short

    def folder(self) -> Path:
        """Return what the current folder is there.

        Raises:
            UsageError: the revision does not have it.

        """
        here = self.there(Path.cwd())
        if not here.is_dir():
            inside = Path.cwd().relative_to(self.top)
            raise UsageError(f"{self.revision} has no folder {inside}", hint=_OTHER_WAY)
        return here

    def there(self, path: Path) -> Path:
        """Return the place in the worktree of what lies in the repository."""
        return self.root / Path(os.path.realpath(path)).relative_to(self.top)

    def has(self, path: Path) -> bool:
        """Return whether something in the repository's files is in the worktree too."""
        return Path(os.path.realpath(path)).is_relative_to(self.top) and self.there(path).exists()

    def import_path(self) -> str:
        """Return a PYTHONPATH that leads to the worktree where Python's leads to the repository."""
        own = Path(outlive.__file__).parents[1]
        folders = [
            str(self.there(Path(entry)))
            for entry in sys.path
            if entry
            and self.has(Path(entry))
            and Path(entry).is_dir()
            and os.path.realpath(entry) not in {os.path.realpath(own), os.path.realpath(Path.cwd())}
        ]
        return os.pathsep.join([*folders, *filter(None, [os.environ.get("PYTHONPATH")])])


@contextmanager
def checked_out(revision: str, root: Path) -> Iterator[Worktree]:
    """Check a revision of the repository around the current folder out, for the time of the block.

    Args:
        revision: a commit, a branch, a tag: whatever git takes.
        root: where to; nothing is there yet.

    Raises:
        OutliveError: git is not there, or fails.
        UsageError: here is no repository, the revision is unknown, or nothing differs from it.

    """
    top = Path(_git("rev-parse", "--show-toplevel", why_not="here is no git repository"))
    unknown = f"git knows no commit {revision}"
    commit = _git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}", why_not=unknown)
    if not _git("diff", "--stat", commit, "--", str(top)) and not _git("status", "--porcelain", str(top)):
        hint = "compare with an earlier one: --rev HEAD~1"
        raise UsageError(f"nothing differs from {revision}", "before and after would be the same", hint)
    try:
        _git("-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", str(root), commit)
        yield Worktree(root, top, revision, commit[:10])
    finally:
        with held_signals():
            _remove(root, top)


def _remove(root: Path, top: Path) -> None:
    """Remove a worktree, even one that was interrupted while it was made."""
    try:
        if f"worktree {os.path.realpath(root)}\n" in _git("-C", str(top), "worktree", "list", "--porcelain"):
            _git("-C", str(top), "worktree", "remove", "--force", "--force", str(root))
    except OutliveError as error:
        click.echo(f"outlive: {error}; git worktree prune forgets what is left of it", err=True)


def _git(*words: str, why_not: str = "") -> str:
    """Return what git prints. It is let finish, or tidies up, when it is interrupted.

    Raises:
        OutliveError: it can't, and what it says; a UsageError if `why_not` says what is wrong then.

    """
    process = None
    try:
        with held_signals():
            process = subprocess.Popen(  # noqa: S603 - words of our own
                ["git", *words],  # noqa: S607 - found on PATH, as users have it
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={name: value for name, value in os.environ.items() if name not in _WHERE},
                process_group=0,  # Ctrl-C is ours to pass on
            )
        out, trouble = process.communicate()
    except FileNotFoundError:
        raise OutliveError("there is no git", "it is to fetch the code as it was", _OTHER_WAY) from None
    finally:
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)  # filters that it runs, too
            process.wait()
    if process.returncode:
        said = trouble.decode(errors="replace").strip().replace("\n", " ").removeprefix("fatal: ")
        if why_not:
            raise UsageError(why_not, said, _OTHER_WAY)
        raise OutliveError(f"git {words[0]} failed", said)
    return os.fsdecode(out).removesuffix("\n")
