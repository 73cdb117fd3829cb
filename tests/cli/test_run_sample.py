"""`outlive run --sample`: the program runs as ever, is recorded meanwhile, and its sites end the run."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from outlive.recording import reader
from outlive.report.folded import folded
from tests.cli.conftest import Home

LEAK = """
import sys
kept = []

def leak():
    kept.append(bytearray(20_000_000))  # line 6

leak()
print("ran", *sys.argv[1:])
"""


@pytest.fixture(autouse=True)
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that programs record to."""
    folder = tmp_path / "recordings"
    monkeypatch.setenv("OUTLIVE_RECORDING", str(folder))
    return folder


def test_the_end_shows_the_sites_and_where_the_recording_lies(home: Home, recordings: Path) -> None:
    home.write("job.py", LEAK)
    ended = home.run("--sample", "job.py", "one", "two")
    assert ended.code == 0
    out = ended.out.splitlines()
    assert out[0] == "ran one two"
    (site,) = (line for line in out if "leak" in line and "MiB" in line)
    assert re.match(r" +19\.1 MiB  19\.1 MiB to 19\.1 MiB ", site)
    assert "job.py:6" in site
    (state,) = (line for line in out if line.startswith("State"))
    assert "exit (status 0); recorded for " in state
    (file,) = recordings.iterdir()
    (summary,) = ended.err.splitlines()
    assert summary.endswith(f" · recording: {file}")
    assert "no profiled function ran" not in ended.err
    recorded = reader.read(file)
    assert (recorded.process.state, recorded.process.status) == ("exited", 0)
    assert recorded.process.notes["program"] == "job.py"


def test_the_json_document_has_sites_and_breakdown(home: Home, recordings: Path) -> None:
    home.write("job.py", LEAK)
    document = home.profile("--sample", "job.py")
    assert document["schema"] == 1
    (found,) = document["findings"]  # no scope has a name
    assert (found["verdict"], found["scope"], found["runs"]) == ("not enough data", "", 0)
    top = document["sites"][0]
    assert top["in_use_bytes"]["low"] <= 20_000_001 <= top["in_use_bytes"]["high"]
    assert 0.5 < top["blocks"] < 1.5
    assert {key: top["stack"][0][key] for key in ("function", "file", "line")} == {
        "function": "leak",
        "file": str(home.path / "job.py"),
        "line": 6,
    }
    assert document["in_use_bytes"]["estimate"] >= 20_000_000
    parts = document["breakdown"]
    rss = parts["rss"]
    assert rss > 20_000_000
    names = ("python_in_use", "python_free", "malloc_in_use", "malloc_free", "anonymous", "file", "stacks")
    assert sum(parts[name] or 0 for name in names) + parts["unexplained"] == rss
    assert Path(document["recording"]).parent == recordings


def test_without_it_nothing_is_recorded_and_the_document_is_as_it_was(home: Home, recordings: Path) -> None:
    home.write("job.py", LEAK)
    document = home.profile("job.py")
    assert not {"sites", "findings", "breakdown", "recording"} & document.keys()
    assert not recordings.exists()


def test_profiled_lines_and_sites_in_one_run(home: Home) -> None:
    home.write("job.py", LEAK.replace("def leak", "import outlive\n@outlive.profile\ndef leak"))
    ended = home.run("--sample", "-o", "table.txt", "job.py")
    text = (home.path / "table.txt").read_text()
    assert "Function: leak (1 call)" in text
    assert re.search(r"^ +19\.1 MiB  19\.1 MiB to 19\.1 MiB .*leak", text, re.MULTILINE)
    assert ended.out == "ran\n"


def test_exit_code_and_traceback_are_the_programs_own(home: Home) -> None:
    home.write("job.py", LEAK + "raise SystemExit(7)\n")
    ended = home.run("--sample", "job.py")
    assert ended.code == 7
    assert "exit (status 7); recorded for " in ended.out
    home.write("job.py", LEAK + "1 / 0\n")
    ended = home.run("--sample", "job.py")
    assert ended.code == 1
    assert "outlive" not in ended.err.partition("ZeroDivisionError")[0]
    assert "MiB to " in ended.out


def test_killed_it_leaves_its_recording(home: Home, recordings: Path) -> None:
    home.write("job.py", LEAK + "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    ended = home.run("--sample", "job.py")
    assert ended.code == -signal.SIGKILL
    (file,) = recordings.iterdir()
    recorded = reader.read(file)
    assert sum(block.size for block in recorded.samples) >= 20_000_000


def test_an_interrupted_program_s_state(home: Home) -> None:
    home.write("job.py", LEAK + "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    ended = home.run("--sample", "job.py")
    assert ended.code == -signal.SIGINT
    assert "signal 2 (SIGINT); recorded for " in ended.out


@pytest.mark.parametrize("words", [["job.py"], ["-m", "job"]])
def test_stacks_begin_with_the_program(home: Home, recordings: Path, words: list[str]) -> None:
    """Neither with what ran it, nor with what ran that."""
    home.write("job.py", LEAK)
    assert home.run("--sample", *words).code == 0
    (file,) = recordings.iterdir()
    recorded = reader.read(file)
    (line,) = (line for line in folded(recorded).splitlines() if "leak" in line)
    assert re.fullmatch(r"<module> \(\S*job\.py:8\);leak \(\S*job\.py:6\) \d+", line)
    # The recording itself has it all.
    files = {frame.file for stack in recorded.stacks.values() for frame in stack.frames}
    assert any(name.endswith("outlive/cli/run.py") for name in files)


def test_stacks_of_python_m_begin_with_the_module(home: Home, recordings: Path) -> None:
    home.write("job.py", "import outlive\noutlive.start()\n" + LEAK)
    subprocess.run([sys.executable, "-m", "job"], cwd=home.path, check=True, capture_output=True)
    (file,) = recordings.iterdir()
    (line,) = (line for line in folded(reader.read(file)).splitlines() if "leak" in line)
    assert re.fullmatch(r"<module> \(\S*job\.py:10\);leak \(\S*job\.py:8\) \d+", line)


def test_a_program_that_stops_outlive_itself(home: Home) -> None:
    home.write("job.py", LEAK + "import outlive\noutlive.start()\noutlive.stop()\n")
    ended = home.run("--sample", "job.py")
    assert ended.code == 0
    assert "Note: nothing was recorded" in ended.out


def test_a_recording_that_the_program_removed(home: Home, recordings: Path) -> None:
    home.write("job.py", LEAK + f"import shutil\nshutil.rmtree({str(recordings)!r})\n")
    ended = home.run("--sample", "job.py")
    assert ended.code == 0
    assert "Note: there is no file " in ended.out


def test_native_goes_with_sample_only(home: Home) -> None:
    home.write("job.py", LEAK)
    ended = home.run("--native", "job.py")
    assert (ended.code, ended.err) == (2, "outlive: --native goes with --sample; add --sample\n")


# ---- words that are no file ----


def console_script(folder: Path, name: str, shebang: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"{shebang}\nimport sys\nprint('command', __name__, *sys.argv[1:])\n")
    (folder / name).chmod(0o755)


def test_a_python_command_on_the_path(home: Home) -> None:
    console_script(home.path / "bin", "serve", f"#!{sys.executable}")
    path = f"{home.path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    ended = home.run("--sample", "serve", "app.main:app", "--port", "0", PATH=path)
    assert ended.out.splitlines()[0] == "command __main__ app.main:app --port 0"


def test_a_command_in_another_language_is_not_run(home: Home) -> None:
    console_script(home.path / "bin", "other", "#!/bin/sh")
    ended = home.run("--sample", "other", PATH=str(home.path / "bin"))
    assert (ended.code, ended.err) == (2, "outlive: can't run other: No such file or directory\n")


def test_a_module_or_a_package_with_a_main(home: Home) -> None:
    home.write("service/__init__.py", "")
    home.write("service/__main__.py", "import sys\nprint(__spec__.name, sys.argv[1:])\n")
    ended = home.run("--sample", "service", "--port", "0")
    assert ended.out.splitlines()[0] == "service.__main__ ['--port', '0']"


def test_a_file_comes_before_a_command(home: Home) -> None:
    console_script(home.path / "bin", "serve", f"#!{sys.executable}")
    home.write("serve", "print('the file')\n")
    ended = home.run("serve", PATH=str(home.path / "bin"))
    assert ended.out.splitlines()[0] == "the file"


def test_the_issues_own_example(home: Home, recordings: Path) -> None:
    """`outlive run --sample uvicorn app.main:app`, ended with Ctrl-C."""
    pytest.importorskip("uvicorn")
    home.write("app/__init__.py", "")
    home.write(
        "app/main.py",
        """
        import os, signal
        kept = [bytearray(20_000_000)]
        async def app(scope, receive, send):
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
                os.kill(os.getpid(), signal.SIGINT)
            await send({"type": "lifespan.shutdown.complete"})
        """,
    )
    words = ["uvicorn", "app.main:app", "--uds", "socket"]
    ended = subprocess.run(
        [sys.executable, "-m", "outlive", "run", "--sample", "--json", "p.json", *words],
        cwd=home.path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    document = json.loads((home.path / "p.json").read_text())
    top = document["sites"][0]
    assert (top["stack"][0]["file"], top["stack"][0]["line"]) == (str(home.path / "app" / "main.py"), 3)
    assert "Uvicorn running" in ended.stderr
    assert len(list(recordings.iterdir())) == 1
