from pathlib import Path

import pytest

from app.jobs.lock import OwnedError, directory_owner, queue_owner
from tests.app.child import run_python


def test_a_queue_has_one_owner(tmp_path: Path) -> None:
    with (
        queue_owner(tmp_path / "a.sqlite"),
        queue_owner(tmp_path / "b.sqlite"),
        pytest.raises(OwnedError, match=r"a\.sqlite: stop it, or set EXPORTS_DATABASE"),
        queue_owner(tmp_path / "a.sqlite"),
    ):
        pytest.fail("two owners")
    with queue_owner(tmp_path / "a.sqlite"):
        pass


def test_a_directory_has_one_owner(tmp_path: Path) -> None:
    with (
        directory_owner(tmp_path / "files"),
        pytest.raises(OwnedError, match=r"files: stop it, or set EXPORTS_DIRECTORY"),
        directory_owner(tmp_path / "files"),
    ):
        pytest.fail("two owners")
    with directory_owner(tmp_path / "files"):
        pass


def test_an_owner_that_is_killed_owns_nothing(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from app.jobs.lock import queue_owner
from tests.app.child import run_python

with queue_owner(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    child = run_python(program, tmp_path / "a.sqlite")
    assert child.returncode == -9
    with queue_owner(tmp_path / "a.sqlite"):
        pass
