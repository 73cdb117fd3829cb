import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import files
from app.files import published, sweep
from tests.app.child import run_python


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _write_half_and_fail(directory: Path) -> None:
    with published(directory, "a.csv") as file:
        file.write(b"half")
        file.flush()
        raise ZeroDivisionError


def _write_and_lose(directory: Path) -> None:
    with published(directory, "a.csv") as file:
        file.write(b"all")
        shutil.rmtree(directory)


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        _write_half_and_fail(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_error_keeps_the_file_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"before")
    with pytest.raises(ZeroDivisionError):
        _write_half_and_fail(tmp_path)
    assert (tmp_path / "a.csv").read_bytes() == b"before"


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), published(tmp_path / "none", "a.csv"):
        pytest.fail("nothing to write to")


def test_a_directory_removed_while_writing_is_an_error(tmp_path: Path) -> None:
    directory = tmp_path / "files"
    directory.mkdir()
    with pytest.raises(FileNotFoundError):
        _write_and_lose(directory)


def test_a_disk_that_takes_no_more_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    program = """
import resource, sys
from pathlib import Path
from app import files
from app.files import published

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
with published(Path(sys.argv[1]), "a.csv") as file:
    for _ in range(50):
        file.write(bytes(3_000))
"""
    child = run_python(program, tmp_path)
    assert child.returncode == 1
    assert "File too large" in child.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    with published(tmp_path, "a.csv"):
        pass
    with pytest.raises(ZeroDivisionError):
        _write_half_and_fail(tmp_path)
    assert len(list(descriptors.iterdir())) == before


def test_the_name_appears_with_the_last_byte_only(tmp_path: Path) -> None:
    with published(tmp_path, "a.csv") as file:
        file.write(b"all")
        file.flush()
        assert not (tmp_path / "a.csv").exists()
        (part,) = tmp_path.iterdir()
        assert part.read_bytes() == b"all"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"all"


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_may_read(tmp_path: Path) -> None:
    with published(tmp_path, "a.csv"):
        (part,) = tmp_path.iterdir()
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o600


def test_a_symlink_laid_at_the_name_is_replaced_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "a.csv").symlink_to(victim)
    with published(tmp_path, "a.csv") as file:
        file.write(b"all")
    assert victim.read_bytes() == b"precious"
    assert (tmp_path / "a.csv").read_bytes() == b"all"
    assert not (tmp_path / "a.csv").is_symlink()


def test_a_symlink_laid_where_the_file_is_written_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "token_hex", lambda _size: "guessed")
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / ".a.csv.guessed.part").symlink_to(victim)
    with pytest.raises(FileExistsError):
        _write_half_and_fail(tmp_path)
    assert victim.read_bytes() == b"precious"


def test_two_writers_of_one_name_do_not_meet(tmp_path: Path) -> None:
    with published(tmp_path, "a.csv") as first:
        first.write(b"first")
        with published(tmp_path, "a.csv") as second:
            second.write(b"second")
        assert (tmp_path / "a.csv").read_bytes() == b"second"
    assert (tmp_path / "a.csv").read_bytes() == b"first"


def test_sweep_removes_what_is_unfinished_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "done.csv").write_bytes(b"all")
    left = published(tmp_path, "a.csv")
    left.__enter__()
    assert len(list(tmp_path.iterdir())) == 2
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["done.csv"]
    with pytest.raises(FileNotFoundError):
        left.__exit__(None, None, None)
