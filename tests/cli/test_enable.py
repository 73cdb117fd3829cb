"""`outlive enable` and `disable`, and what OUTLIVE=1 then does to the programs of an environment."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.environments import Environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "venv")


# ---- on and off ----


def test_enable_twice_and_disable_twice(environment: Environment) -> None:
    environment.enable()
    first = environment.file.read_text()
    environment.enable()
    assert environment.file.read_text() == first
    done = environment.run("-m", "outlive", "disable")
    assert (done.returncode, environment.file.exists()) == (0, False)
    done = environment.run("-m", "outlive", "disable")
    assert done.returncode == 0
    assert "it was not enabled" in done.stdout


def test_another_active_environment_is_refused_with_the_command_to_type(
    environment: Environment, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for word in ("enable", "disable"):
        done = environment.run("-m", "outlive", word, VIRTUAL_ENV=str(other))
        assert done.returncode == 3
        assert done.stderr.endswith(f"; type: {other}/bin/python -m outlive {word}\n")
        assert f"belongs to {environment.path}" in done.stderr
    assert not environment.file.exists()
    done = environment.run("-m", "outlive", "enable", VIRTUAL_ENV=str(environment.path))
    assert done.returncode == 0


def test_where_it_can_not_write_it_says_so(environment: Environment) -> None:
    environment.file.mkdir()
    for word in ("enable", "disable"):
        done = environment.run("-m", "outlive", word)
        assert done.returncode == 3
        (line,) = done.stderr.splitlines()
        assert line.startswith("outlive: can't ")
        assert str(environment.file) in line
        assert "Is a directory; " in line


def test_an_installation_of_the_users_own_is_enabled_there(tmp_path: Path) -> None:
    """Seen through a Python that is no virtual environment, with outlive among the user's packages."""
    home = tmp_path / "home"
    program = (
        "import site, sys, sysconfig\n"
        "sys.base_prefix = sys.prefix\n"
        "site.ENABLE_USER_SITE = True\n"
        "from pathlib import Path\n"
        "users = Path(site.getusersitepackages())\n"
        "import outlive\n"
        "from outlive.cli import enable\n"
        "assert enable.startup_file() == Path(sysconfig.get_path('purelib')) / 'outlive.pth'\n"
        "outlive.__file__ = str(users / 'outlive' / '__init__.py')\n"
        "assert enable.startup_file() == users / 'outlive.pth'\n"
        "assert str(users).startswith(sys.argv[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, home],
        env={**os.environ, "HOME": str(home), "PYTHONUSERBASE": str(home / ".local")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# ---- without OUTLIVE ----


@pytest.mark.parametrize("said", [None, "", "0", "false", "No", "off"])
def test_unless_asked_for_nothing_of_ours_is_imported(environment: Environment, said: str | None) -> None:
    environment.enable()
    variables = {} if said is None else {"OUTLIVE": said}
    program = "import sys; print([m for m in sys.modules if m.startswith('outlive.capture.samp')])"
    done = environment.run("-c", program, **variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
    if not said:
        done = environment.run("-c", program.replace(".capture.samp", ""))
        assert done.stdout == "[]\n"
    assert environment.recordings() == []


@pytest.mark.parametrize("option", ["-S", "-I", "-E", "-IS"])
def test_a_python_told_to_ignore_its_environment_does(environment: Environment, option: str) -> None:
    environment.enable()
    done = environment.run(option, "-c", "print('ran')", OUTLIVE="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")
    assert environment.recordings() == []


# ---- with it ----


def test_a_script_a_command_and_a_module_record(environment: Environment) -> None:
    environment.enable()
    script = environment.path / "job.py"
    script.write_text("kept = [bytes(100_000) for _ in range(100)]\n")
    for words in ([script], ["-c", "pass"], ["-m", "json.tool", "--help"]):
        done = environment.run(*words, OUTLIVE="1", OUTLIVE_INTERVAL="32 KiB", OUTLIVE_SIZE="4 MiB")
        assert (done.returncode, done.stderr) == (0, "")
    found = {str(each.process.notes["program"]): each for each in environment.recordings()}
    assert found.keys() == {str(script), "-c", "json.tool"}
    assert {each.interval_bytes for each in found.values()} == {32 << 10}
    assert {each.process.state for each in found.values()} == {"exited"}
    assert {file.stat().st_size for file in environment.recordings_folder.iterdir()} == {4 << 20}


def test_what_the_program_asks_for_later_does_not_fail_it(environment: Environment) -> None:
    environment.enable()
    program = "import outlive; outlive.start('1 MiB'); assert outlive.sites() is not None"
    done = environment.run("-c", program, OUTLIVE="1", OUTLIVE_INTERVAL="64 KiB")
    assert (done.returncode, done.stderr) == (0, "")
    (found,) = environment.recordings()
    assert found.interval_bytes == 64 << 10


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OUTLIVE": "maybe"}, "OUTLIVE=maybe is neither true (1) nor false (0)"),
        ({"OUTLIVE": "1", "OUTLIVE_INTERVAL": "often"}, "'often' is not a size"),
        ({"OUTLIVE": "1", "OUTLIVE_SIZE": "1 KiB"}, "a recording of"),
        ({"OUTLIVE": "1", "OUTLIVE_NATIVE": "some"}, "OUTLIVE_NATIVE=some"),
    ],
)
def test_a_mistake_in_the_environment_is_one_line_and_the_program_runs(
    environment: Environment, variables: dict[str, str], said: str
) -> None:
    environment.enable()
    done = environment.run("-c", "print('ran')", **variables)
    assert (done.returncode, done.stdout) == (0, "ran\n")
    (line,) = done.stderr.splitlines()
    assert line.startswith("outlive: ")
    assert said in line
    assert environment.recordings() == []


def test_after_outlive_was_uninstalled_the_programs_run(environment: Environment) -> None:
    environment.enable()
    (environment.packages / "a_suite.pth").unlink()
    done = environment.run("-c", "print('ran')", OUTLIVE="1")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    (line,) = done.stderr.splitlines()
    assert line.startswith("outlive: No module named 'outlive'")
    assert environment.run("-c", "print('ran')").stderr == ""


def test_a_program_without_stderr_runs(environment: Environment) -> None:
    environment.enable()
    words = f"exec {environment.python} -c 'print(1)' 2>&-"
    for variables in ({"OUTLIVE": "1"}, {"OUTLIVE": "maybe"}):
        done = subprocess.run(
            ["sh", "-c", words],
            env={**environment.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "1\n")


def test_the_tool_itself_does_not_record(environment: Environment) -> None:
    environment.enable()
    for words in (["-m", "outlive", "--version"], ["-m", "outlive", "disable"]):
        done = environment.run(*words, OUTLIVE="1")
        assert (done.returncode, done.stderr) == (0, "")
    assert environment.recordings() == []


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_record_however_they_start(environment: Environment, method: str) -> None:
    environment.enable()
    script = environment.path / "job.py"
    script.write_text(
        "import multiprocessing, os, time, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "def work(number):\n"
        "    time.sleep(0.2)\n"
        "    return os.getpid()\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(2) as pool:\n"
        "        print(*set(pool.map(work, range(4), chunksize=1)), os.getpid())\n"
        "        pool.close()\n"
        "        pool.join()\n"
    )
    done = environment.run(script, OUTLIVE="1")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    pids = {int(pid) for pid in done.stdout.split()}
    assert len(pids) >= 2
    assert pids <= {each.process.pid for each in environment.recordings()}


def test_a_sub_interpreter_of_a_recording_process_is_left_alone(environment: Environment) -> None:
    environment.enable()
    program = (
        "import sys\n"
        "if sys.version_info >= (3, 13): import _interpreters as interpreters\n"
        "else: import _xxsubinterpreters as interpreters\n"
        "assert interpreters.run_string(interpreters.create(), 'print(1, flush=True)') is None\n"
    )
    done = environment.run("-c", program, OUTLIVE="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
    assert len(environment.recordings()) == 1
