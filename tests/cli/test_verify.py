"""`outlive verify`: programs before and after, of which the bytes that a run leaves are known."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from outlive.recording import reader
from tests.cli.recorded import on_a_terminal, outlive

if TYPE_CHECKING:
    from tests.cli.conftest import Home

RUNS = 40
KEPT_BYTES = 100_000
PER_RUN = KEPT_BYTES + 1 + sys.getsizeof(bytearray())  # the bytes, their end, and the object

JOB = """
    import outlive
    KEPT = [None] * {runs}

    def job(number):
        page = bytearray({size})
        KEPT[{place}] = page
        print("page", number)

    for number in range({runs}):
        with outlive.scope("job"):
            job(number)
"""


def program(home: Home, name: str, *, leaks: bool, size: int = KEPT_BYTES, runs: int = RUNS) -> Path:
    return home.write(name, JOB.format(runs=runs, size=size, place="number" if leaks else "0"))


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files; each test leaves it as it was."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def home(home: Home, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a generator
    monkeypatch.chdir(home.path)
    yield home
    assert not list(temporary.iterdir())


def verify(*words: str) -> tuple[int, dict[str, Any], str]:
    done = outlive("verify", "--json", "-", *words)
    assert done.stdout, done.stderr.decode()
    document: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, document, done.stderr.decode()


def test_fixed_to_the_byte_where_every_block_is_known(home: Home) -> None:
    program(home, "leaky.py", leaks=True)
    program(home, "fixed.py", leaks=False)
    words = ("--interval", "1", "--limit", "1 KiB", "--before", "leaky.py", "--", "fixed.py")
    code, document, trouble = verify(*words)
    assert (code, document["verdict"], trouble) == (0, "fixed", "")
    (scope,) = document["scopes"]
    assert (scope["scope"], scope["verdict"], scope["before"]["verdict"]) == ("job", "fixed", "leak")
    assert scope["before"]["runs"] == scope["after"]["runs"] == RUNS
    assert scope["before"]["per_run_bytes"] == {"estimate": PER_RUN, "low": PER_RUN, "high": PER_RUN}
    assert scope["after"]["per_run_bytes"] == {"estimate": 0, "low": 0, "high": 0}


def test_fixed_by_samples_with_truth_in_the_interval(home: Home) -> None:
    program(home, "leaky.py", leaks=True, size=1_000_000)
    program(home, "fixed.py", leaks=False, size=1_000_000)
    code, document, _ = verify("--before", "leaky.py", "--rounds", "2", "--", "fixed.py")
    assert (code, document["verdict"], document["rounds"]) == (0, "fixed", 2)
    per_run = document["scopes"][0]["before"]["per_run_bytes"]
    assert per_run["low"] * 0.999 <= 1_000_057 <= per_run["high"] * 1.001  # the object itself is small
    after = document["scopes"][0]["after"]["per_run_bytes"]
    assert 0 == after["low"] <= after["high"] < document["limit_bytes"] == 10 << 10
    before, now = document["before"], document["after"]
    assert before["peak_rss_bytes"]["estimate"] > RUNS * 1_000_000 > 10 * now["peak_rss_bytes"]["estimate"]
    assert before["peak_python_bytes"]["low"] > RUNS * 1_000_000 > 10 * now["peak_python_bytes"]["high"]
    assert 0 < before["seconds"]["low"] <= before["seconds"]["estimate"] <= before["seconds"]["high"]


def test_not_fixed_and_better(home: Home) -> None:
    program(home, "leaky.py", leaks=True)
    program(home, "half.py", leaks=True, size=KEPT_BYTES // 2)
    program(home, "fixed.py", leaks=False)
    for before, after, verdict in (
        ("leaky.py", "leaky.py", "not fixed"),
        ("leaky.py", "half.py", "better, not fixed"),
        ("half.py", "leaky.py", "not fixed"),
        ("fixed.py", "leaky.py", "not fixed"),
        ("fixed.py", "fixed.py", "nothing to fix"),
    ):
        code, document, _ = verify("--interval", "4 KiB", "--before", before, "--", after)  # misses none
        assert (code, document["verdict"]) == (1, verdict), (before, after)


def test_too_few_runs_say_how_many_more(home: Home) -> None:
    program(home, "leaky.py", leaks=True, runs=5)
    program(home, "fixed.py", leaks=False, runs=5)
    done = outlive("verify", "--before", "leaky.py", "--", "fixed.py")
    assert done.returncode == 1
    text = done.stdout.decode()
    assert "not enough data" in text
    assert "5 runs have ended; it takes 20" in text
    assert "about 15 more runs of job would tell" in text


def test_a_limit_that_too_few_runs_can_prove_says_how_many_can(home: Home) -> None:
    program(home, "leaky.py", leaks=True)
    program(home, "fixed.py", leaks=False)
    few = ("--interval", "128 KiB", "--before", "leaky.py", "--", "fixed.py")
    code, document, _ = verify(*few)
    (scope,) = document["scopes"]
    assert (code, document["verdict"]) == (1, "not enough data")
    # No survivor in 25 measured runs: 3.69 intervals at most, so it takes twice as many to come below 10 KiB.
    least = scope["after"]["per_run_bytes"]["high"] / document["limit_bytes"] * RUNS - RUNS
    assert math.floor(least) < scope["more_runs"] < 2 * least + RUNS


def test_no_scope_says_what_to_do_and_compares_the_rest(home: Home) -> None:
    home.write("job.py", "kept = bytearray(30_000_000)\n")
    done = outlive("verify", "--before", "job.py", "--", "job.py")
    assert done.returncode == 1
    text = done.stdout.decode()
    assert "not enough data" in text
    assert "with outlive.scope(" in text
    assert "Peak Python 28." in text


def test_a_function_is_made_a_scope(home: Home) -> None:
    home.write("jobs.py", "KEPT = []\ndef export():\n    KEPT.append(bytearray(200_000))\n")
    home.write("leaky.py", f"import jobs\nfor _ in range({RUNS}):\n    jobs.export()\n")
    home.write(
        "fixed.py", f"import jobs\nfor _ in range({RUNS}):\n    jobs.export()\n    jobs.KEPT.clear()\n"
    )
    code, document, _ = verify("--scope", "jobs:export", "--before", "leaky.py", "--", "fixed.py")
    assert (code, document["verdict"]) == (0, "fixed")
    assert [scope["scope"] for scope in document["scopes"]] == ["export"]


def test_a_scope_that_only_one_side_has(home: Home) -> None:
    program(home, "leaky.py", leaks=True)
    home.write("other.py", (home.path / "leaky.py").read_text().replace('scope("job")', 'scope("task")'))
    code, document, _ = verify("--before", "leaky.py", "--scope", "job", "--", "other.py")
    assert (code, document["verdict"]) == (1, "not enough data")
    assert [(each["scope"], each["reason"]) for each in document["scopes"]] == [("job", "no run of it after")]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("print('almost there')\nraise RuntimeError('planted')\n", "RuntimeError: planted"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "ended by SIGKILL"),
        ("import sys\nsys.exit('no database')\n", "no database"),
        ("import os\nos._exit(0)\n", "left no"),
    ],
)
def test_a_program_that_fails_is_quoted(home: Home, source: str, said: str) -> None:
    program(home, "leaky.py", leaks=True, runs=1)
    home.write("fails.py", source)
    done = outlive("verify", "--before", "leaky.py", "--", "fails.py", "--days", "3")
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.decode().startswith("outlive: after ")
    assert "fails.py --days 3" in done.stderr.decode()
    assert said in done.stderr.decode()


def test_output_is_hidden_or_on_stderr(home: Home) -> None:
    program(home, "job.py", leaks=False, runs=2)
    words = ("--before", "job.py", "--", "job.py")
    assert b"page" not in (done := outlive("verify", *words)).stdout + done.stderr
    shown = outlive("verify", "--show-output", *words)
    assert shown.stderr.count(b"page 1\n") == 2
    assert b"page" not in shown.stdout


def test_json_to_a_file_beside_the_text(home: Home) -> None:
    program(home, "job.py", leaks=False)
    done = outlive("verify", "--json", "v.json", "--before", "python job.py", "--", "python3", "job.py")
    assert done.stdout.startswith(b"Before      job.py\n")
    assert json.loads((home.path / "v.json").read_text())["verdict"] == "nothing to fix"


def test_a_terminal_sees_what_runs(home: Home) -> None:
    program(home, "job.py", leaks=False)
    home.write("slow.py", (home.path / "job.py").read_text() + "import time\ntime.sleep(1.5)\n")
    code, shown = on_a_terminal("verify", "--rounds", "1", "--before", "job.py", "--", "slow.py")
    assert code == 1
    assert "running slow.py, after · 1 s" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to run"),
        (("--rev", "main", "--before", "x.py", "--", "y.py"), "exclude each other"),
        (("--before", "'x.py", "--", "y.py"), "can't read --before"),
        (("--before", "x.py", "--", "-u", "y.py"), "can't run -u y.py"),
        (("--rounds", "0", "--", "y.py"), "--rounds"),
        (("--interval", "many", "--before", "x.py", "--", "y.py"), "'many' is not a size"),
        (("--json", "/nowhere/v.json", "--", "y.py"), "can't write /nowhere/v.json"),
    ],
)
def test_bad_usage_is_one_clear_line(home: Home, words: tuple[str, ...], said: str) -> None:
    done = outlive("verify", *words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert home.files() == []


@pytest.mark.parametrize(("ending", "exit_code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_end_in_the_middle_leaves_nothing(home: Home, ending: str, exit_code: int) -> None:
    home.write(
        "waits.py",
        """
        import os, subprocess, sys
        helper = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        with open("fifo", "w") as out:
            print(os.getpid(), helper.pid, file=out)
        helper.wait()
        """,
    )
    os.mkfifo(home.path / "fifo")
    with subprocess.Popen(
        [sys.executable, "-m", "outlive", "verify", "--before", "waits.py", "--", "waits.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        pids = (home.path / "fifo").read_text().split()  # waits until it is written
        process.send_signal(signal.Signals[ending])
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (exit_code, b"")
    assert not any(is_running(pid) for pid in pids)


def is_running(pid: str) -> bool:
    """Return whether a process is there; one that nobody reaped yet has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


# ---- outlive diff --verify ----


def test_two_recordings_or_two_documents(home: Home, tmp_path: Path) -> None:
    for name in ("leaky", "fixed"):
        program(home, f"{name}.py", leaks=name == "leaky")
        words = ("--sample", "--interval", "4 KiB", "--json", f"{name}.json", f"{name}.py")
        assert home.run(*words, OUTLIVE_RECORDING=str(tmp_path / f"{name}.outlive")).code == 0
    recordings = [str(tmp_path / f"{name}.outlive") for name in ("leaky", "fixed")]
    assert reader.read(Path(recordings[0])).interval_bytes == 4 << 10
    for before, after in (recordings, ["leaky.json", "fixed.json"], [recordings[0], "fixed.json"]):
        done = outlive("diff", "--verify", "--json", before, after)
        document = json.loads(done.stdout)
        assert (done.returncode, document["verdict"]) == (0, "fixed"), done
        per_run = document["scopes"][0]["before"]["per_run_bytes"]
        assert per_run["low"] * 0.99 <= PER_RUN <= per_run["high"] * 1.01
        assert (document["before"]["name"], document["after"]["name"]) == (before, after)
        back = outlive("diff", "--verify", after, before)
        assert back.returncode == 1
        assert b"not fixed\n" in back.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"schema": 1, "sites": []}', "it has no 'scopes'"),
        ('{"scopes": [{"scope": 1}]}', "can't compare other.json"),
        ('{"scopes": 3', "can't compare other.json"),
        ("[]", "is no recording"),
    ],
)
def test_a_document_that_says_something_else(home: Home, content: str, said: str) -> None:
    home.write("other.json", content)
    done = outlive("diff", "--verify", "other.json", "other.json")
    assert (done.returncode, done.stdout) == (3, b"")
    assert said in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_verify_goes_alone(home: Home) -> None:
    home.write("a.json", "{}")
    done = outlive("diff", "--verify", "--limit", "3", "a.json", "a.json")
    assert done.returncode == 2
    assert b"--verify takes neither" in done.stderr
