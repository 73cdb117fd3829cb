"""`outlive run`: the program sees what it would see without us, the figures land where they were asked to."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Home

MIB = 1 << 20

_JOB = """
import outlive

@outlive.profile
def fill(rows):
    kept = []
    for _ in range(rows):
        kept.append(bytes(1 << 20))
    return kept

fill(3)
"""


# ---- the figures ----


def test_json_has_the_documented_shape_and_true_figures(home: "Home") -> None:
    home.write("job.py", _JOB)
    document = home.profile("job.py")
    keys = {"schema", "exit_code", "peak_python_bytes", "peak_rss_bytes", "seconds", "functions"}
    assert keys <= document.keys()
    assert (document["schema"], document["exit_code"]) == (1, 0)
    assert 3 * MIB <= document["peak_python_bytes"] < document["peak_rss_bytes"]
    assert isinstance(document["seconds"], float)
    assert 0 < document["seconds"] < 120
    (function,) = document["functions"]
    assert {key: function[key] for key in ("function", "file", "calls")} == {
        "function": "fill",
        "file": str(home.path / "job.py"),
        "calls": 1,
    }
    keys = {"line", "occurrences", "mem_bytes", "increment_bytes", "peak_bytes", "source"}
    assert all(keys <= line.keys() for line in function["lines"])
    lines = {line["source"]: line for line in function["lines"]}
    append = lines["kept.append(bytes(1 << 20))"]
    assert (append["line"], append["occurrences"]) == (8, 3)
    assert 3 * MIB <= append["increment_bytes"] <= 3 * MIB * 1.01 + 1024
    assert 3 * MIB <= append["mem_bytes"] <= append["peak_bytes"] <= document["peak_python_bytes"]
    assert lines["for _ in range(rows):"]["occurrences"] == 4


def test_the_table_has_a_row_for_each_line_in_the_order_of_the_source(home: "Home") -> None:
    home.write("job.py", _JOB)
    ended = home.run("job.py")
    table = ended.out.splitlines()
    assert table[:2] == [f"Filename: {home.path}/job.py", "Function: fill (1 call)"]
    assert table[3].split() == [
        "Line",
        "#",
        "Mem",
        "usage",
        "Increment",
        "Peak",
        "Occurrences",
        "Line",
        "Contents",
    ]
    numbers = [int(row.split()[0]) for row in table if re.match(r" +\d", row)]
    assert numbers == [4, 5, 6, 7, 8, 9]
    (append,) = (row for row in table if "kept.append" in row)
    assert append.split()[:6] == ["8", "3.0", "MiB", "3.0", "MiB", "3.0"]
    assert append.endswith("           3           kept.append(bytes(1 << 20))")


def test_the_end_tells_peaks_time_and_where_the_profile_lies(home: "Home") -> None:
    home.write("job.py", _JOB)
    ended = home.run("-o", "table.txt", "--json", "profile.json", "job.py")
    assert ended.out == ""
    size = r"\d+\.\d MiB"
    places = re.escape(f"{home.path}/table.txt, {home.path}/profile.json")
    assert re.fullmatch(
        rf"outlive: peak Python {size}, RSS {size} · \d+\.\d s · profile: {places}\n", ended.err
    )
    assert "Function: fill (1 call)" in (home.path / "table.txt").read_text()
    assert json.loads((home.path / "profile.json").read_bytes())["functions"]
    assert home.files() == ["job.py", "profile.json", "table.txt"]


def test_nothing_profiled_is_said_with_what_to_do(home: "Home") -> None:
    home.write("job.py", "print('ran')\n")
    ended = home.run("job.py")
    assert ended.own == (0, "ran\n", "")
    assert "mark one with @outlive.profile, or name files with --lines" in ended.report[0]
    assert home.profile("job.py")["functions"] == []


def test_lines_profiles_whole_files_without_a_decorator(home: "Home") -> None:
    home.write("jobs/__init__.py", "from jobs import load\n")
    home.write("jobs/load.py", "class Rows:\n    def read(self):\n        return bytes(1 << 20)\n")
    home.write(
        "jobs/main.py", "from jobs.load import Rows\nimport other\nkept = Rows().read()\nother.other()\n"
    )
    home.write("other.py", "def other():\n    return 1\n")
    document = home.profile("--lines", "jobs/**/*.py", "-m", "jobs.main")
    names = {(Path(f["file"]).name, f["function"]) for f in document["functions"]}
    assert names == {
        ("__init__.py", "<module>"),
        ("load.py", "<module>"),
        ("load.py", "Rows"),
        ("load.py", "Rows.read"),
        ("main.py", "<module>"),
    }
    (read,) = (f for f in document["functions"] if f["function"] == "Rows.read")
    assert read["lines"][-1]["increment_bytes"] >= MIB


def test_lines_may_name_the_script_itself_and_be_given_twice(home: "Home") -> None:
    home.write("job.py", "import other\nkept = bytes(1 << 20)\n")
    home.write("other.py", "def other():\n    return 1\nother()\n")
    document = home.profile("--lines", "j*.py", "--lines", "other.py", "job.py")
    assert [f["function"] for f in document["functions"]] == ["<module>", "<module>", "other"]
    assert document["functions"][0]["lines"][1]["increment_bytes"] >= MIB


# ---- where the files go ----


def test_a_program_that_changes_the_directory_does_not_move_the_files(home: "Home") -> None:
    home.write("job.py", f"{_JOB}import os; os.mkdir('away'); os.chdir('away')\n")
    assert home.run("-o", "table.txt", "--json", "p.json", "job.py").code == 0
    assert home.files() == ["away", "job.py", "p.json", "table.txt"]


def test_a_link_stays_a_link_and_permissions_follow_the_umask(home: "Home") -> None:
    home.write("job.py", _JOB)
    home.write("kept/old.txt", "old\n")
    (home.path / "table.txt").symlink_to("kept/old.txt")
    mask = os.umask(0o027)
    try:
        home.run("-o", "table.txt", "job.py")
    finally:
        os.umask(mask)
    assert (home.path / "table.txt").is_symlink()
    assert "Function: fill" in (home.path / "kept/old.txt").read_text()
    assert (home.path / "kept/old.txt").stat().st_mode & 0o777 == 0o640
    assert home.files() == ["job.py", "kept", "kept/old.txt", "table.txt"]


def test_a_device_is_written_to_not_replaced(home: "Home") -> None:
    home.write("job.py", _JOB)
    ended = home.run("-o", "/dev/stdout", "--json", "/dev/null", "job.py")
    assert ended.code == 0
    assert "Function: fill (1 call)" in ended.out
    assert Path("/dev/null").is_char_device()


# ---- what the program sees ----


@pytest.mark.parametrize(
    "source",
    [
        "import sys; print(sys.argv, sys.path, sys.flags)",
        "print(__name__, __file__, __spec__, __package__, __doc__, __builtins__, __annotations__)",
        "'''About.'''\nx: int = 1\nprint(__doc__, __annotations__, sorted(globals()))",
        "print(type(__loader__).__name__, __loader__.name, __loader__.path == __file__)",
        "import sys, __main__; print(__main__.__dict__ is globals(), sys.modules['__main__'])",
        "import pickle\nclass Row: pass\nprint(pickle.loads(pickle.dumps(Row)) is Row)",
        "import inspect\ndef f(): pass\nprint(inspect.getsource(f), inspect.getmodule(f))",
        "import sys; print(repr(sys.stdin.readline()), repr(sys.stdin.read()))",
        "from __future__ import annotations\ndef f(a: Unknown): pass\nprint(f.__annotations__)",
        "def f(a: int): pass\nprint(f.__annotations__)",
        "import threading; print(threading.active_count(), threading.current_thread().name)",
        "import os\ntry:\n    print(os.wait())\nexcept ChildProcessError as error:\n    print(error)",
        "import os; print(sorted(os.listdir('/proc/self/fd'))[:3], len(os.listdir('/proc/self/fd')))",
        "import signal; print([signal.getsignal(s) for s in (2, 15, 17)], signal.pthread_sigmask(0, []))",
        "import atexit\nclass Kept:\n    def __del__(self): print('end')\nk = Kept()\natexit.register(print)",
        "class Kept:\n    def __del__(self): print('gone')\nkept = Kept()\nraise SystemExit(2)",
        "import warnings; warnings.warn('careful')",
        "print('\\d')",
        "import gc, sys; print(gc.isenabled(), gc.get_threshold(), sys.gettrace(), sys.getprofile())",
        "import sys; print(sys.meta_path, [type(hook) for hook in sys.path_hooks], sys.getrecursionlimit())",
        "import click; print(click.get_current_context(silent=True))",
        "import runpy; print(runpy.run_path('other.py')['__name__'])",
    ],
)
def test_the_program_cannot_tell(home: "Home", source: str) -> None:
    home.write("other.py", "x = 1\n")
    home.write("job.py", f"{source}\n")
    plain, ours = home.plain("job.py", "--days", "3"), home.run("job.py", "--days", "3")
    assert _unplaced(ours.own) == _unplaced(plain.own)


def _unplaced(own: tuple[int, str, str]) -> tuple[int, str, str]:
    """Editable installs put finders of their own at random addresses."""
    code, out, err = own
    return code, re.sub(r"0x[0-9a-f]+", "0x", out), re.sub(r"0x[0-9a-f]+", "0x", err)


@pytest.mark.parametrize("option", ["-P", "-I", "-E", "-s", "-O", "-B"])
def test_the_interpreters_own_options_stay_in_force(home: "Home", option: str) -> None:
    home.write("job.py", "import sys; print(sys.path, sys.flags, __debug__)\n")
    plain = home.plain(option, "job.py")
    ours = home.plain(option, "-m", "outlive", "run", "job.py")
    assert ours.own == plain.own


def test_a_module_sees_what_python_dash_m_shows_it(home: "Home") -> None:
    home.write("package/__init__.py", "import sys; early = sys.argv[:], sys.path[0]\n")
    home.write("package/near.py", "x = 1\n")
    home.write(
        "package/job.py",
        """
        import sys
        from . import early
        from .near import x
        print(early, sys.argv, sys.path[0], __name__, __package__, __spec__.name, __file__, __cached__, x)
        """,
    )
    words = ["-m", "package.job", "-o", "x", "--help", "--", "-m"]
    assert home.run(*words).own == home.plain(*words).own


def test_a_packages_main_is_run(home: "Home") -> None:
    home.write("package/__init__.py", "")
    home.write("package/__main__.py", "import sys; print(__name__, __spec__.name, sys.argv)\n")
    assert home.run("-m", "package", "x").own == home.plain("-m", "package", "x").own


def test_all_after_the_module_is_the_modules(home: "Home") -> None:
    ended = home.run("-m", "http.server", "--help")
    assert ended.own == home.plain("-m", "http.server", "--help").own
    assert "--bind" in ended.out


@pytest.mark.parametrize(
    "before", [["job.py"], ["--", "job.py"], ["-m", "job"], ["-mjob"], ["-o", "t.txt", "-m", "job"]]
)
@pytest.mark.parametrize(
    "after", [["--help"], ["-m", "x", "-o", "y", "--json"], ["--", "a"], ["a", "--"], ["--", "--"]]
)
def test_our_options_end_where_the_program_begins(home: "Home", before: list[str], after: list[str]) -> None:
    home.write("job.py", "import sys; print(sys.argv[1:])\n")
    assert home.run(*before, *after).out == f"{after}\n"


def test_every_door_leads_to_the_same_run(home: "Home") -> None:
    home.write("job.py", f"{_JOB}import sys; print(sys.argv, file=sys.stderr)\n")
    command = str(Path(sys.executable).parent / "outlive")
    doors = [
        [sys.executable, "-m", "outlive", "run"],
        [sys.executable, "-m", "outlive"],
        [command, "run"],
        [command],
    ]
    for door in doors:
        words = [*door, "job.py", "x"]
        ended = subprocess.run(words, cwd=home.path, capture_output=True, text=True, check=True)
        assert "Function: fill (1 call)" in ended.stdout
        assert ended.stderr.startswith("['job.py', 'x']\noutlive: peak ")


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["run", "-h"], []])
def test_help_has_examples(home: "Home", words: list[str]) -> None:
    ended = home.plain("-m", "outlive", *words)
    assert (ended.code, ended.err) == (0, "")
    assert "Examples:\n" in ended.out
    assert "outlive run job.py --days 3" in ended.out


def test_recursion_goes_as_deep_as_in_plain_python(home: "Home") -> None:
    source = """
        import sys
        sys.setrecursionlimit(200_000)
        def down(n):
            return down(n - 1) + 1 if n else 0
        print(down(100_000))
        sys.setrecursionlimit(1_000)
        try:
            down(1_000)
        except RecursionError as error:
            print(error)
        """
    marked = source.replace("def down", "@__import__('outlive').profile\n        def down")
    home.write("job.py", source)
    plain = home.plain("job.py")
    assert plain.out == "100000\nmaximum recursion depth exceeded\n"
    assert home.run("job.py").own == plain.own
    home.write("job.py", marked)
    ended = home.run("job.py")
    assert ended.own == plain.own
    home.write("job.py", source)
    assert home.run("--lines", "job.py", "job.py").own == plain.own


def test_deep_unprofiled_recursion_below_a_profiled_function(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import sys, outlive
        sys.setrecursionlimit(100_000)
        def down(n):
            return down(n - 1) + 1 if n else 0
        @outlive.profile
        def work():
            kept = bytes(1 << 20)
            return down(50_000)
        print(work(), work())
        """,
    )
    ended = home.run("job.py")
    assert ended.own == (0, "50000 50000\n", "")
    assert "Function: work (2 calls)" in ended.out


def test_a_huge_function(home: "Home") -> None:
    body = "".join(f"    x{i} = [{i}] * 10\n" for i in range(5_000))
    home.write("job.py", f"import outlive\n@outlive.profile\ndef huge():\n{body}huge()\n")
    (function,) = home.profile("job.py")["functions"]
    assert len(function["lines"]) == 5_001
    assert function["lines"][-1]["source"] == "x4999 = [4999] * 10"
    assert all(line["occurrences"] == 1 for line in function["lines"])


# ---- sources of all kinds ----

_ACCENTED = "import outlive\n@outlive.profile\ndef größe():\n    return 'é' * 2\nprint(ascii(größe()))\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("größe ü.py", _ACCENTED.encode()),
        ("with space.py", _ACCENTED.encode()),
        ("latin.py", b"# -*- coding: latin-1 -*-\n" + _ACCENTED.encode("latin-1")),
        ("crlf.py", _ACCENTED.replace("\n", "\r\n").encode()),
        ("bom.py", b"\xef\xbb\xbf" + _ACCENTED.encode()),
        ("noend.py", _ACCENTED.encode().rstrip()),
        ("noextension", _ACCENTED.encode()),
    ],
)
def test_sources_of_any_encoding(home: "Home", name: str, content: bytes) -> None:
    (home.path / name).write_bytes(content)
    ended = home.run(name)
    assert ended.own == (0, r"'\xe9\xe9'" + "\n", "")
    assert f"Filename: {home.path}/{name}\nFunction: größe (1 call)" in ended.out
    (function,) = home.profile(name)["functions"]
    assert function["lines"][-1]["source"] == "return 'é' * 2"


def test_a_file_name_that_is_not_utf8(home: "Home") -> None:
    name = os.fsdecode(b"caf\xe9.py")
    (home.path / name).write_text(_JOB)
    ended = home.run("-o", "table.txt", name)
    assert ended.code == 0
    assert "caf\\udce9.py" in (home.path / "table.txt").read_text()
    assert "Function: fill (1 call)" in home.run(name).out


@pytest.mark.parametrize(
    "words", ["../job.py", "./../job.py", "./other.py", "../sub/../job.py", "/proc/self/cwd/../job.py"]
)
def test_file_is_what_plain_python_makes_of_the_path(home: "Home", words: str) -> None:
    home.write("job.py", "import sys\nprint(__file__, sys.argv)\n1 / 0\n")
    home.write("sub/other.py", "print(__file__)\n")
    below = type(home)(home.path / "sub", home.results)
    assert below.run(words).own == below.plain(words).own


def test_a_linked_script_finds_its_neighbours(home: "Home") -> None:
    home.write("real/neighbour.py", "print('found')\n")
    home.write("real/job.py", "import neighbour, sys\nprint(__file__, sys.path[0])\n")
    (home.path / "job.py").symlink_to("real/job.py")
    assert home.run("job.py").own == home.plain("job.py").own
