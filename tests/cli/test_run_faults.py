"""What goes wrong under `outlive run`: usage errors are one line, the program's own ends are its own."""

import os
import signal
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Home

# ---- bad usage: one line, exit 2, nothing written ----


@pytest.fixture
def files(home: "Home") -> "Home":
    home.write("good.py", "print('ran')\n")
    home.write("bad.py", "total = 1\nprint((total\n")
    home.write("deep.py", "x = " + "-" * 20_000 + "1\n")
    home.write("cookie.py", "# coding: klingon\n")
    (home.path / "latin.py").write_bytes(b"name = '\xe9'\n")
    (home.path / "nul.py").write_bytes(b"x = 1\0\n")
    home.write("folder/__main__.py", "print('ran')\n")
    home.write("package/__init__.py", "print = None\n")
    home.write("package/broken.py", "def f(:\n")
    home.write("quiet.py", "")
    home.write("taken.txt", "old\n")
    with zipfile.ZipFile(home.path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", "print('ran')\n")
    return home


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.py"], "can't run missing.py: No such file or directory"),
        (["missing/job.py"], "can't run missing/job.py: No such file or directory"),
        (["good.py/job.py"], "can't run good.py/job.py: Not a directory"),
        ([""], "can't run : it is a directory"),
        (["folder"], "can't run folder: it is a directory; name the script in it"),
        (["bad.py"], "can't run bad.py: line 2: '(' was never closed"),
        (["deep.py"], "can't run deep.py: "),
        (["cookie.py"], "can't run cookie.py: unknown encoding: klingon"),
        (["latin.py"], "can't run latin.py: "),
        (["nul.py"], "can't run nul.py: "),
        (["app.pyz"], "can't run app.pyz: "),
        (["-m", "nowhere"], "can't run module nowhere: there is no such module"),
        (["-m", "nowhere.deeper"], "can't run module nowhere.deeper: No module named 'nowhere'"),
        (["-m", "package.nowhere"], "can't run module package.nowhere: there is no such module"),
        (["-m", "package"], "can't run module package.__main__: there is no such module"),
        (["-m", "package.broken"], "broken.py, line 1: "),
        (["-m", "bad"], "can't run module bad: "),
        (["-m", "quiet.py"], "can't run module 'quiet.py': "),
        (["-m", "math"], "can't run module math: there is no such module with Python code"),
        (["-m", "sys"], "can't run module sys: there is no such module with Python code"),
        (["-m", ".package"], "can't run module "),
        (["-m", ""], "can't run module "),
        (["-m"], "Option '-m' requires an argument"),
        ([], "nothing to run; name a script, or a module with -m: outlive run job.py"),
        (["--"], "nothing to run"),
        (["--josn", "good.py"], "No such option '--josn'"),
        (["--lines", "nothing/*.py", "good.py"], "--lines 'nothing/*.py' matches no file: looked from "),
        (["--lines", "folder", "good.py"], "--lines 'folder' matches no file"),
        (["-o", "folder", "good.py"], "can't write folder: it is a directory; name a file in it"),
        (["-o", "", "good.py"], "can't write .: it is a directory"),
        (["-o", "missing/table.txt", "good.py"], "can't write missing/table.txt: No such file or directory"),
        (["-o", "good.py/table.txt", "good.py"], "can't write good.py/table.txt: Not a directory"),
        (["-o", "/proc/table.txt", "good.py"], "can't write /proc/table.txt: "),
        (["-o", "x" * 300, "good.py"], "File name too long"),
        (["--json", "missing/p.json", "good.py"], "can't write missing/p.json: No such file or directory"),
        (["--json", "same", "-o", "./same", "good.py"], "-o and --json both name same"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(files: "Home", words: list[str], said: str) -> None:
    there = sorted(files.path.rglob("*"))
    ended = files.run(*words, PYTHONDONTWRITEBYTECODE="1")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("outlive: ")
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert sorted(files.path.rglob("*")) == there


def test_a_usage_error_leaves_the_old_files_alone(files: "Home") -> None:
    assert files.run("-o", "taken.txt", "--json", "missing/p.json", "good.py").code == 2
    assert files.run("-o", "taken.txt", "missing.py").code == 2
    assert (files.path / "taken.txt").read_text() == "old\n"


def test_a_read_only_file_is_refused_though_its_folder_is_writable(files: "Home") -> None:
    (files.path / "taken.txt").chmod(0o444)
    # Root may write everything: PR_CAPBSET_DROP of CAP_DAC_OVERRIDE makes it one like others over exec.
    humble = (
        "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 1, 0, 0, 0); "
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    ended = files.plain("-c", humble, "-m", "outlive", "run", "-o", "taken.txt", "good.py")
    assert (ended.code, ended.err) == (2, "outlive: can't write taken.txt: Permission denied\n")
    assert (files.path / "taken.txt").read_text() == "old\n"


def test_profiling_what_has_no_python_code_is_the_programs_own_error(home: "Home") -> None:
    home.write("job.py", "import outlive\noutlive.profile(len)\n")
    ended = home.run("job.py")
    assert ended.code == 1
    assert (
        "TypeError: outlive.profile needs a function written in Python; len has no lines to show" in ended.err
    )


def test_an_outlive_error_that_the_program_raises_is_the_programs_own(home: "Home") -> None:
    home.write("job.py", "import outlive\noutlive.start('a lot')\n")
    plain, ours = home.plain("job.py"), home.run("job.py")
    assert plain.code == 1
    assert ours.own == plain.own


# ---- how the program ends ----

_PROFILED = """
import outlive
@outlive.profile
def fill():
    return bytes(1 << 20)
fill()
"""


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("", 0),
        ("raise SystemExit", 0),
        ("import sys; sys.exit(0)", 0),
        ("import sys; sys.exit(None)", 0),
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit(-1)", 255),
        ("import sys; sys.exit(256)", 0),
        ("import sys; sys.exit(257)", 1),
        ("import sys; sys.exit(True)", 1),
        ("import sys; sys.exit('no rows')", 1),
        ("import sys; sys.exit(('no', 'rows'))", 1),
        ("raise SystemExit(1.5)", 1),
        ("class Stop(SystemExit): pass\nraise Stop(4)", 4),
        ("import sys; sys.stdout.write('half a line'); sys.exit('bye')", 1),
        ("raise GeneratorExit", 1),
        ("class Mine(BaseException): pass\nraise Mine('x')", 1),
        ("class K(KeyboardInterrupt): pass\nraise K", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)\nwhile True: pass", -signal.SIGINT),
        ("import threading; threading.Thread(target=lambda: 1 / 0).start()", 0),
        ("import threading; threading.Thread(target=lambda: print('late')).start(); raise SystemExit(5)", 5),
    ],
)
def test_the_end_is_the_programs_own_and_the_table_still_prints(home: "Home", ending: str, code: int) -> None:
    home.write("job.py", f"{_PROFILED}{ending}\n")
    home.write("bare.py", f"{_PROFILED.replace('@outlive.profile', '')}{ending}\n")
    plain, ours = home.plain("bare.py"), home.run("job.py")
    assert plain.code == code
    assert _named(ours.own) == _named(plain.own)
    assert ours.out.count("Filename: ") == 1
    assert [line.split(" · ")[0][:13] for line in ours.report] == ["outlive: peak"]


def _named(own: tuple[int, str, str]) -> tuple[int, str, str]:
    """Make two ends comparable: one script for both would have to import outlive in plain Python."""
    code, out, err = own
    return code, out, err.replace("bare.py", "job.py")


@pytest.mark.parametrize("ending", ["import sys; sys.exit(1 << 70)", "raise SystemExit(-(1 << 70))"])
def test_an_exit_code_too_large_for_c(home: "Home", ending: str) -> None:
    home.write("job.py", ending)
    assert home.plain("job.py").code == 255
    assert home.run("job.py").code == 255
    assert home.profile("job.py")["exit_code"] == 255


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    raise ValueError('x')\nf()",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise KeyError('k')",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise KeyError('k') from None",
        "raise ExceptionGroup('both', [ValueError(1), ExceptionGroup('inner', [TypeError(2)])])",
        "error = ValueError('x')\nerror.add_note('seen at\\nnoon')\nraise error",
        "exec('a b')",
        "compile('x = (', 'template', 'exec')",
        "import nowhere",
        "raise OSError(2, 'No rows', 'rows.db')",
        "raise ValueError('\\udc80')",
        "raise BaseExceptionGroup('g', [KeyboardInterrupt(), ValueError()])",
        "rows = {}\nrows['a']['b'] + (\n    1\n)",
        "import asyncio\nasync def main():\n    raise ValueError('x')\nasyncio.run(main())",
        "import sys\nprint('half', end='')\nraise ValueError",
        "import sys\nsys.stdout = None\nraise ValueError",
        "import sys\nsys.stderr = None\nraise ValueError",
        "def f():\n    f()\nimport sys\nsys.tracebacklimit = 2\nf()",
        "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd",
        "raise __import__('outlive').OutliveError('what', 'why', 'hint')",
        "import click\nraise click.UsageError('mine')",
        "raise EOFError",
        "import errno\nraise BrokenPipeError(errno.EPIPE, 'gone')",
    ],
)
def test_the_traceback_is_byte_identical(home: "Home", source: str) -> None:
    home.write("job.py", f"{source}\n")
    plain, ours = home.plain("job.py"), home.run("job.py")
    assert plain.code == 1
    assert ours.own == plain.own


@pytest.mark.parametrize(
    "hook",
    [
        "def hook(*what): print('hook', *what[:2], what[2].tb_frame.f_code.co_name, what[2].tb_next)",
        "def hook(*what): raise KeyError(1)",
        "def hook(*what): sys.exit(7)",
        "def hook(*what): print(sys.exc_info(), sys.last_value, sys.last_traceback is what[2])",
        "hook = None",
    ],
)
def test_the_programs_excepthook_is_called_as_by_the_interpreter(home: "Home", hook: str) -> None:
    home.write("job.py", f"import sys\n{hook}\nsys.excepthook = hook\n1 / 0\n")
    plain, ours = home.plain("job.py"), home.run("job.py")
    assert ours.own == plain.own
    assert home.profile("job.py")["exit_code"] == plain.code


def test_a_deleted_excepthook(home: "Home") -> None:
    home.write("job.py", "import sys\ndel sys.excepthook\n1 / 0\n")
    assert home.run("job.py").own == home.plain("job.py").own


def test_a_modules_traceback_shows_no_frame_of_ours(home: "Home") -> None:
    home.write("package/__init__.py", "")
    home.write("package/job.py", "1 / 0\n")
    ended = home.run("-m", "package.job")
    assert (ended.code, ended.err.count("File ")) == (1, 1)
    assert f'File "{home.path}/package/job.py", line 1, in <module>' in ended.err


def test_what_a_package_raises_on_import_is_the_programs_own(home: "Home") -> None:
    home.write("package/__init__.py", "def check():\n    raise ValueError('no licence')\ncheck()\n")
    home.write("package/job.py", "print('never')\n")
    ended = home.run("-m", "package.job")
    assert (ended.code, ended.out, ended.err.count("File ")) == (1, "", 2)
    assert "ValueError: no licence\noutlive: " in ended.err


@pytest.mark.parametrize("missing", ["nowhere_to_be_found", "package.nowhere"])
def test_a_package_that_misses_something_else_is_the_programs_own(home: "Home", missing: str) -> None:
    home.write("package/__init__.py", f"import {missing}\n")
    home.write("package/job.py", "print('never')\n")
    ended = home.run("-m", "package.job")
    assert ended.code == 1
    assert f"ModuleNotFoundError: No module named '{missing}'\n" in ended.err


def test_ctrl_c_ends_the_program_as_without_us_and_the_table_prints(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import outlive
        @outlive.profile
        def wait():
            print("ready", flush=True)
            while True:
                pass
        wait()
        """,
    )
    with subprocess.Popen(
        [sys.executable, "-m", "outlive", "run", "job.py"],
        cwd=home.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGINT
    assert "Function: wait (1 call)" in out
    assert "\nKeyboardInterrupt\n" in err
    assert err.count("Traceback") == 1


def test_a_handled_ctrl_c_is_the_programs_own(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import os, signal
        try:
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                pass
        except KeyboardInterrupt:
            print("cleaned up")
            raise SystemExit(9)
        """,
    )
    assert home.run("job.py").own == (9, "cleaned up\n", "")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGABRT", "SIGHUP"])
def test_a_signal_that_kills_kills(home: "Home", name: str) -> None:
    home.write("job.py", f"import os, signal\nos.kill(os.getpid(), signal.{name})\n")
    ended = home.run("job.py")
    assert (ended.code, ended.out, ended.err) == (-getattr(signal, name), "", "")


@pytest.mark.parametrize(
    ("source", "own"),
    [
        ("import os; os._exit(9)", (9, "", "")),
        ("import os, sys; os.execv(sys.executable, [sys.executable, '-c', 'print(1)'])", (0, "1\n", "")),
    ],
)
def test_a_process_that_leaves_without_an_end_reports_nothing(
    home: "Home", source: str, own: tuple[int, str, str]
) -> None:
    home.write("job.py", source)
    ended = home.run("job.py")
    assert (ended.code, ended.out, ended.err) == own


def test_threads_and_exit_functions_run_before_the_report(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import atexit, threading, outlive
        done = threading.Event()
        @outlive.profile
        def work(who):
            print(who)
        def late():
            done.wait()
            work("thread")
        atexit.register(work, "atexit")
        threading.Thread(target=late).start()
        threading._register_atexit(done.set)
        work("main")
        raise SystemExit(3)
        """,
    )
    ended = home.run("job.py")
    assert ended.own == (3, "main\nthread\natexit\n", "")
    assert "Function: work (3 calls)" in ended.out


def test_an_exit_function_that_fails_is_reported_as_by_the_interpreter(home: "Home") -> None:
    home.write("job.py", "import atexit\natexit.register(divmod, 1, 0)\n")
    ended = home.run("job.py")
    assert ended.own == home.plain("job.py").own
    assert len(ended.report) == 2


# ---- standard streams that the program did something to ----


@pytest.mark.parametrize(
    "source",
    [
        "import io, sys; sys.stdout = io.StringIO(); print('hidden')",
        "import io, sys; sys.stdout = io.TextIOWrapper(sys.stdout.detach(), 'utf-8'); print('é')",
        "import io, sys; sys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'utf-8'); print('é')",
        "import sys; sys.stdout = None",
        "import sys; del sys.stdout",
    ],
)
def test_the_table_reaches_stdout_whatever_the_program_put_there(home: "Home", source: str) -> None:
    home.write("job.py", f"{_PROFILED}{source}\n")
    ended = home.run("job.py", PYTHONIOENCODING="utf-8")
    assert ended.code == 0
    assert "Function: fill (1 call)" in ended.out
    assert len(ended.report) == 1
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("source", ["import sys; sys.stdout.close()", "import os; os.close(1)"])
def test_a_closed_stdout_is_said_and_other_files_are_safe(home: "Home", source: str) -> None:
    reuse = "import os; kept = os.open('rows.db', os.O_CREAT | os.O_WRONLY)" if "sys" in source else ""
    home.write("job.py", f"{_PROFILED}{source}\n{reuse}\n")
    ended = home.run("--json", "p.json", "job.py")
    assert (ended.code, ended.out) == (0, "")
    assert ended.report[0].startswith("outlive: can't write the line tables: ")
    assert len(ended.report) == 2
    assert '"function": "fill"' in (home.path / "p.json").read_text()
    assert not reuse or (home.path / "rows.db").read_bytes() == b""


@pytest.mark.parametrize(
    "source",
    [
        "import sys; sys.stderr.close()",
        "import sys; sys.stderr = None",
        "import os; os.close(2)",
        "import sys; sys.stdout.close(); sys.stderr.close()",
        "import os; os.closerange(0, 64)",
    ],
)
@pytest.mark.parametrize("ending", ["", "raise SystemExit(6)"])
def test_closed_streams_do_not_change_the_exit_code(home: "Home", source: str, ending: str) -> None:
    home.write("job.py", f"{_PROFILED}{source}\n{ending}\n")
    ended = home.run("-o", "table.txt", "job.py")
    assert ended.code == (6 if ending else 0)
    assert "Traceback" not in ended.err
    assert "Function: fill (1 call)" in (home.path / "table.txt").read_text()


def test_a_reader_that_went_away_does_not_change_the_exit_code(home: "Home") -> None:
    home.write("job.py", f"{_PROFILED}raise SystemExit(6)\n")
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "outlive", "run", "job.py"],
        cwd=home.path,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert ended.returncode == 6
    assert "outlive: can't write the line tables: Broken pipe\n" in ended.stderr
    assert "Exception ignored" not in ended.stderr


def test_a_folder_that_went_away_is_said_and_the_rest_is_written(home: "Home") -> None:
    (home.path / "out").mkdir()
    home.write("job.py", f"{_PROFILED}import shutil; shutil.rmtree('out')\nraise SystemExit(6)\n")
    ended = home.run("-o", "out/table.txt", "--json", "p.json", "job.py")
    assert ended.code == 6
    assert ended.report[0] == f"outlive: can't write {home.path}/out/table.txt: No such file or directory"
    assert (home.path / "p.json").exists()


def test_a_stdout_that_cannot_show_the_source_shows_what_it_can(home: "Home") -> None:
    home.write("job.py", _PROFILED.replace("fill", "füllen"))
    ended = home.run("job.py", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.code == 0
    assert "Function: f\\xfcllen (1 call)" in ended.out
