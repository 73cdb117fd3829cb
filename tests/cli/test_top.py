"""`outlive top`: what it chooses to watch, what it prints in a pipe, how it leaves a terminal."""

import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest

from tests.top.recorded import MIB, Sleeper, blocks, shop

_PATIENCE_SECONDS = 60
_ALTERNATE_SCREEN, _BACK = "\x1b[?1049h", "\x1b[?1049l"


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Sleeper]:
    sleeper = Sleeper(tmp_path)
    sleeper.write(shop(blocks(1, 5)))
    yield sleeper
    sleeper.kill()


def top(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "outlive", "top", *words],
        env={**os.environ, "OUTLIVE_RECORDING": str(folder), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_PATIENCE_SECONDS,
        check=False,
    )


class Terminal:
    """`outlive top` on a pseudo-terminal of 80 by 24."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.master, self.slave = pty.openpty()
        ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.settings = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            ["setsid", "-c", "-w", sys.executable, "-m", "outlive", "top", *words],
            env={**os.environ, "OUTLIVE_RECORDING": str(folder), "TERM": "xterm-256color"},
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
        )
        self.seen = ""

    def read_until(self, text: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen[-5000:]
            assert select.select([self.master], [], [], _PATIENCE_SECONDS)[0], self.seen
            self.seen += os.read(self.master, 65536).decode(errors="replace")

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        """Wait for the end, and see the terminal as it was."""
        self.read_until(_BACK)
        code = self.process.wait(_PATIENCE_SECONDS)
        after = termios.tcgetattr(self.slave)
        os.close(self.master)
        os.close(self.slave)
        assert after == self.settings
        assert "Traceback" not in self.seen
        return code

    def child(self) -> int:
        """Return the pid of outlive itself, below setsid."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children or self.process.pid)


def test_the_only_process_that_records(sleeper: Sleeper, tmp_path: Path) -> None:
    for words in ([], ["--once"], [str(sleeper.pid)], [str(sleeper.file)]):
        ended = top(tmp_path, *words)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert f"shop.py, pid {sleeper.pid}," in ended.stdout
        assert "  /srv/shop/cache.py:5 remember\n" in ended.stdout
        assert "\x1b" not in ended.stdout


def test_one_picture_needs_no_textual(sleeper: Sleeper) -> None:
    program = "import sys; sys.argv[1:] = ['top', '--once', {!r}]; sys.modules['textual'] = None\n"
    program += "from outlive.cli import main; main()"
    code = [sys.executable, "-c", program.format(str(sleeper.file))]
    assert b"remember" in subprocess.check_output(code)


def test_a_report_of_a_process_names_its_recording(sleeper: Sleeper, tmp_path: Path) -> None:
    for words in ([], ["--tree"]):
        asked = [sys.executable, "-m", "outlive", "report", *words]
        of_process = subprocess.check_output(
            [*asked, str(sleeper.pid)], env={**os.environ, "OUTLIVE_RECORDING": str(tmp_path)}, text=True
        )
        assert f"\nFile      {sleeper.file}\n" in of_process
        assert "\nFile " not in subprocess.check_output([*asked, sleeper.file], text=True)


def test_json_is_the_recordings_own(sleeper: Sleeper, tmp_path: Path) -> None:
    for words in (["--json"], ["--once", "--json"]):
        document: dict[str, Any] = json.loads(top(tmp_path, *words).stdout)
        assert (document["schema"], document["pid"], document["dropped"]) == (1, sleeper.pid, 0)
        (site,) = (site for site in document["sites"] if site["blocks"])
        assert site["in_use_bytes"]["low"] < 5 * MIB < site["in_use_bytes"]["high"]
        assert site["stack"][0]["file"] == "/srv/shop/cache.py"
        assert len(document["timeline"]) == 101


def test_a_locale_without_blocks_gets_a_picture_too(sleeper: Sleeper, tmp_path: Path) -> None:
    ended = top(tmp_path, "--once", PYTHONIOENCODING="ascii")
    assert ended.returncode == 0
    assert f"shop.py, pid {sleeper.pid}," in ended.stdout


def test_nothing_records(tmp_path: Path) -> None:
    ended = top(tmp_path)
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert ended.stderr.startswith(
        "outlive: no process of yours records; start one with: outlive run --sample"
    )
    assert ended.stderr.count("\n") == 1


def test_the_last_that_recorded_has_ended(sleeper: Sleeper, tmp_path: Path) -> None:
    sleeper.kill()
    for words in ([], [str(sleeper.pid)]):
        ended = top(tmp_path, *words)
        assert ended.returncode == 3
        assert f"outlive postmortem {sleeper.file}\n" in ended.stderr
    ended = top(tmp_path, str(sleeper.file))  # asked for by name, it is shown
    assert ended.returncode == 0
    assert " · ended\n" in ended.stdout


def test_several_that_record(sleeper: Sleeper, tmp_path: Path) -> None:
    other = Sleeper(tmp_path)
    try:
        other.write(shop(blocks(3, 2)))
        ended = top(tmp_path)
        assert ended.returncode == 2
        first, heading, *rows = ended.stderr.splitlines()
        assert first.startswith("outlive: 2 processes record; name one: outlive top ")
        assert heading.split() == ["PID", "RSS", "Uptime", "Program"]
        figures = ["150.0", "MiB", "1", "min", "40", "s", "shop.py"]
        assert sorted(map(str.split, rows)) == sorted(
            [str(pid), *figures] for pid in (sleeper.pid, other.pid)
        )
        assert top(tmp_path, "--once").stderr == ended.stderr
        assert f"pid {other.pid}," in top(tmp_path, str(other.pid)).stdout
    finally:
        other.kill()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--interval", "0"], 2, "--interval"),
        (["--interval", "often"], 2, "--interval"),
        (["no-such.outlive"], 3, "there is no file no-such.outlive"),
        (["4194305"], 3, "there is no process 4194305"),
    ],
)
def test_what_makes_no_sense(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    ended = top(tmp_path, *words)
    assert ended.returncode == code
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_file_that_is_no_recording(tmp_path: Path) -> None:
    file = tmp_path / "garbage.outlive"
    file.write_bytes(b"garbage")
    assert top(tmp_path, str(file)).returncode == 3


@pytest.mark.parametrize("keys", ["q", "\x03"])
def test_keys_that_end_it_leave_the_terminal_as_it_was(sleeper: Sleeper, tmp_path: Path, keys: str) -> None:
    terminal = Terminal(tmp_path, str(sleeper.pid))
    terminal.read_until("remember")
    assert _ALTERNATE_SCREEN in terminal.seen
    terminal.type(keys)
    assert terminal.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_leave_the_terminal_as_it_was(
    sleeper: Sleeper, tmp_path: Path, number: signal.Signals
) -> None:
    terminal = Terminal(tmp_path, str(sleeper.pid))
    terminal.read_until("remember")
    os.kill(terminal.child(), number)
    assert terminal.end() == 128 + number


def test_the_screen_says_that_the_process_was_killed(sleeper: Sleeper, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--interval", "0.1", str(sleeper.pid))
    terminal.read_until("remember")
    sleeper.kill()
    terminal.read_until("killed without a word")
    terminal.type("q")
    assert terminal.end() == 0


def test_with_several_the_screen_asks(sleeper: Sleeper, tmp_path: Path) -> None:
    other = Sleeper(tmp_path)
    try:
        other.write(shop(blocks(3, 2)))
        terminal = Terminal(tmp_path)
        terminal.read_until("Which process?")
        terminal.read_until(f"{sleeper.pid} shop.py")
        terminal.type("\r")
        terminal.read_until("MiB left of 200.0 MiB")
        terminal.type("q")
        assert terminal.end() == 0
    finally:
        other.kill()


def test_a_real_process_is_watched_until_it_is_killed(tmp_path: Path) -> None:
    program = """
        import outlive
        outlive.start("1 KiB")
        kept = [bytes(1000) for _ in range(20_000)]
        print("ready", flush=True)
        input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "OUTLIVE_RECORDING": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        document = json.loads(top(tmp_path, "--json").stdout)
        in_use = document["sites"][0]["in_use_bytes"]
        assert in_use["low"] * 0.9 < 20_000 * 1033 < in_use["high"] * 1.1  # 1 time in 20 the interval misses
        assert document["sites"][0]["stack"][0]["line"] == 4
        terminal = Terminal(tmp_path, "--interval", "0.1")
        terminal.read_until("running")
        process.kill()
        terminal.read_until("killed without a word")
        terminal.type("q")
        assert terminal.end() == 0
