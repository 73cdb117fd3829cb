"""The live line: on a terminal, during long runs only, gone before the table, invisible to the program."""

import os
import pty
import re
import select
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Home

_JOB = """
import outlive

@outlive.profile
def fill():
    return bytes(1 << 20)

fill()
"""


class Terminal:
    """A program under outlive on a pseudo-terminal, spoken to through a pipe."""

    def __init__(self, home: "Home", *words: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "outlive", "run", *words],
            cwd=home.path,
            stdin=subprocess.PIPE,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self.seen = ""

    def read_until(self, text: str) -> None:
        """Read the screen until it shows `text`; "": until all who could write have ended."""
        while not text or text not in self.seen:
            assert select.select([self.master], [], [], 60)[0], self.seen
            try:
                chunk = os.read(self.master, 65536)
            except OSError:  # EIO: no writer is left
                chunk = b""
            if not chunk:
                assert not text, self.seen
                return
            self.seen += chunk.decode()

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def end(self) -> int:
        self.read_until("")
        code = self.process.wait(60)
        if self.process.stdin is not None:
            self.process.stdin.close()
        os.close(self.master)
        return code


_LINE = re.compile(r"\r\x1b\[Koutlive: \d+ s · RSS \d+\.\d MiB · peak \d+\.\d MiB")


def test_a_long_run_shows_a_live_line_and_wipes_it_before_the_table(home: "Home") -> None:
    home.write("job.py", f"{_JOB}input()\n")
    terminal = Terminal(home, "job.py")
    terminal.read_until("MiB · peak ")
    terminal.tell("go on")
    assert terminal.end() == 0
    before, table = terminal.seen.split("Filename: ")
    assert _LINE.match(before)
    assert before.endswith("\r\x1b[K")
    assert "Function: fill (1 call)" in table
    assert "\x1b" not in table


def test_a_short_run_shows_none(home: "Home") -> None:
    home.write("job.py", _JOB)
    terminal = Terminal(home, "job.py")
    assert terminal.end() == 0
    assert "\x1b" not in terminal.seen


def test_the_live_line_is_neither_a_child_nor_a_thread(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import os, threading
        input()
        print(threading.active_count(), [t for t in os.listdir("/proc/self/task")] == [str(os.getpid())])
        try:
            os.wait()
        except ChildProcessError:
            print("no child")
        """,
    )
    terminal = Terminal(home, "job.py")
    terminal.read_until("MiB · peak ")
    terminal.tell("go on")
    assert terminal.end() == 0
    assert "1 True\r\nno child\r\n" in terminal.seen


def test_a_child_left_behind_does_not_hang_the_end(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import os
        input()
        if os.fork() == 0:
            os.closerange(1, 3)
            input()
            os._exit(0)
        """,
    )
    terminal = Terminal(home, "job.py")
    terminal.read_until("MiB · peak ")
    terminal.tell("fork")
    assert terminal.process.wait(60) == 0
    terminal.read_until("outlive: no profiled function ran")
    terminal.tell("child: go on")
    terminal.end()


def test_a_program_that_closes_and_reuses_all_files_keeps_its_own(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import os
        input()
        os.closerange(3, 64)
        files = [os.open(f"rows{i}.db", os.O_CREAT | os.O_RDWR) for i in range(20)]
        """,
    )
    terminal = Terminal(home, "job.py")
    terminal.read_until("MiB · peak ")
    terminal.tell("go on")
    assert terminal.end() == 0
    assert {file.stat().st_size for file in home.path.glob("rows*.db")} == {0}


def test_a_killed_program_takes_its_live_line_along(home: "Home") -> None:
    home.write("job.py", "import os; input(); os.kill(os.getpid(), 9)\n")
    terminal = Terminal(home, "job.py")
    terminal.read_until("MiB · peak ")
    terminal.tell("die")
    assert terminal.end() == -9  # the screen is at its end only when the ticker has gone, too
    assert terminal.seen.endswith("\r\x1b[K")


def test_ctrl_c_on_the_terminal_is_for_the_program_alone(home: "Home") -> None:
    home.write("job.py", _JOB + "print('ready')\ninput()\n")
    master, slave = pty.openpty()
    with subprocess.Popen(
        ["setsid", "-c", "-w", sys.executable, "-m", "outlive", "run", "job.py"],
        cwd=home.path,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    ) as process:
        os.close(slave)
        seen = ""
        while "MiB · peak " not in seen:
            assert select.select([master], [], [], 60)[0], seen
            seen += os.read(master, 65536).decode()
        os.write(master, b"\x03")
        try:
            while select.select([master], [], [], 60)[0]:
                seen += os.read(master, 65536).decode()
        except OSError:  # EIO: all have ended
            pass
        process.wait(60)
    os.close(master)
    assert seen.count("KeyboardInterrupt") == 1
    assert seen.count("Function: fill (1 call)") == 1
