"""`outlive verify` in a git repository: before is a commit, after is what lies here."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.recorded import outlive
from tests.cli.test_verify import KEPT_BYTES, program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Home

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(*words: str) -> str:
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    return subprocess.run(["git", *who, *words], capture_output=True, text=True, check=True).stdout


def commit(message: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


@pytest.fixture
def repository(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a generator
    """Make a repository whose only commit has the leak; here it is fixed."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for name, value in (("TMPDIR", temporary), ("GIT_CONFIG_GLOBAL", os.devnull), ("HOME", tmp_path)):
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(home.path)
    git("init", "--quiet")
    home.write(".gitignore", "__pycache__\n")
    program(home, "jobs/job.py", leaks=True)
    commit("leaks")
    program(home, "jobs/job.py", leaks=False)
    yield home
    assert not list(temporary.iterdir())
    assert git("worktree", "list").count("\n") == 1
    assert not list((home.path / ".git").glob("worktrees/*"))


def verify(*words: str) -> dict[str, Any]:
    done = outlive("verify", "--json", "-", *words)
    assert done.stdout, done.stderr.decode()
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (document["verdict"] != "fixed")
    return document


def test_the_change_that_is_not_committed(repository: Home) -> None:
    files, status = repository.files(), git("status", "--porcelain")
    document = verify("--", "jobs/job.py")
    assert document["verdict"] == "fixed"
    known = document["scopes"][0]["before"]["per_run_bytes"]
    assert known["low"] * 0.99 <= KEPT_BYTES <= known["high"] * 1.01
    head = git("rev-parse", "--short=10", "HEAD").strip()
    assert document["before"]["name"] == f"jobs/job.py at HEAD ({head})"
    assert document["after"]["name"] == "jobs/job.py as it is here"
    assert (git("status", "--porcelain"), [f for f in repository.files() if ".git/" not in f]) == (
        status,
        [f for f in files if ".git/" not in f],
    )


def test_an_earlier_commit_from_a_folder_below(repository: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    git("tag", "leaky")
    commit("fixed")
    monkeypatch.chdir(repository.path / "jobs")
    assert verify("--rev", "leaky", "--", "-m", "job")["verdict"] == "fixed"
    assert verify("--rev", "HEAD~1", "--", str(repository.path / "jobs" / "job.py"))["verdict"] == "fixed"


def test_nothing_changed(repository: Home) -> None:
    commit("fixed")
    done = outlive("verify", "--", "jobs/job.py")
    assert done.returncode == 2
    assert b"nothing differs from HEAD" in done.stderr
    assert b"--rev HEAD~1" in done.stderr
    assert repository.files()


def test_code_that_the_python_path_leads_to(repository: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editable install or PYTHONPATH names a folder here; before, it is to be the one of the commit."""
    program(repository, "src/work.py", leaks=True)
    repository.write("start.py", "import work\n")
    commit("a package")
    program(repository, "src/work.py", leaks=False)
    monkeypatch.setenv("PYTHONPATH", str(repository.path / "src"))
    assert verify("--", "start.py")["verdict"] == "fixed"


def test_code_of_today_in_the_past_is_refused(repository: Home) -> None:
    repository.write(
        "start.py", f"import sys\nsys.path.insert(0, {str(repository.path / 'jobs')!r})\nimport job\n"
    )
    commit("leads back")
    program(repository, "jobs/job.py", leaks=True)
    done = outlive("verify", "--", "start.py")
    assert (done.returncode, done.stdout) == (3, b"")
    assert f"before ran code of today: {repository.path / 'jobs' / 'job.py'}" in done.stderr.decode()


def test_a_file_that_the_commit_lacks(repository: Home) -> None:
    program(repository, "new.py", leaks=False)
    done = outlive("verify", "--", "new.py")
    assert done.returncode == 3
    assert b"before failed: new.py" in done.stderr
    assert b"only the files that git tracks" in done.stderr


def test_a_folder_that_the_commit_lacks(repository: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    program(repository, "later/new.py", leaks=False)
    monkeypatch.chdir(repository.path / "later")
    done = outlive("verify", "--", "new.py")
    assert done.returncode == 2
    assert b"HEAD has no folder later" in done.stderr


@pytest.mark.parametrize("revision", ["no-such-branch", "--all", "HEAD:jobs"])
def test_an_unknown_revision(repository: Home, revision: str) -> None:
    done = outlive("verify", "--rev", revision, "--", "jobs/job.py")
    assert done.returncode == 2
    assert f"git knows no commit {revision}".encode() in done.stderr
    assert repository.files()


def test_a_hook_of_git_may_ask(repository: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write("hooked.txt", "in the index only\n")
    git("add", "hooked.txt")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert verify("--", "jobs/job.py")["verdict"] == "fixed"
    assert "A  hooked.txt" in git("status", "--porcelain")


def test_no_repository(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    program(home, "job.py", leaks=False)
    done = outlive("verify", "--", "job.py")
    assert done.returncode == 2
    assert b"here is no git repository" in done.stderr
    assert b"--before" in done.stderr


def test_no_git(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.path)
    monkeypatch.setenv("PATH", str(home.path))
    done = outlive("verify", "--", "job.py")
    assert done.returncode == 3
    assert b"there is no git" in done.stderr


def test_an_end_while_git_makes_the_worktree(repository: Home) -> None:
    fifo = repository.path / "fifo"
    repository.write(".gitattributes", "job.py filter=slow\n")
    commit("filtered")
    repository.write("other.py", "changed = True\n")
    os.mkfifo(fifo)
    git("config", "filter.slow.smudge", f"echo came > '{fifo}'; cat > /dev/null; exec sleep 1000")
    with subprocess.Popen(
        [sys.executable, "-m", "outlive", "verify", "--", "jobs/job.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert fifo.read_text() == "came\n"
        process.terminate()
        process.communicate(timeout=60)  # a filter that lives on would keep stderr open
    assert process.returncode == 143


@pytest.mark.parametrize(("ending", "exit_code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_end_in_the_middle_leaves_no_worktree(repository: Home, ending: str, exit_code: int) -> None:
    fifo = repository.path / "fifo"
    repository.write("jobs/job.py", f"import signal\nopen({str(fifo)!r}, 'w').close()\nsignal.pause()\n")
    commit("waits")
    program(repository, "jobs/job.py", leaks=False)
    os.mkfifo(fifo)
    with subprocess.Popen(
        [sys.executable, "-m", "outlive", "verify", "--", "jobs/job.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        fifo.read_text()  # waits until the program in the worktree has come to it
        assert git("worktree", "list").count("\n") == 2
        process.send_signal(signal.Signals[ending])
        process.communicate(timeout=60)
    assert process.returncode == exit_code
