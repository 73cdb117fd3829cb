"""`outlive run` beside others: threads, other profilers, odd allocators, sources that change."""

import json
import re
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Home

MIB = 1 << 20
NEW = sys.version_info >= (3, 12)

_FILL = """
import outlive
@outlive.profile
def fill(rows=3):
    kept = [bytes(1 << 20) for _ in range(rows)]
    return len(kept)
"""


_LINE = "kept = [bytes(1 << 20) for _ in range(rows)]"


# ---- threads ----


def test_threads_that_profile_one_function(home: "Home") -> None:
    home.write(
        "job.py",
        f"""{_FILL}
import threading
barrier = threading.Barrier(4)
def work():
    barrier.wait()
    for _ in range(5):
        fill(2)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
    )
    line = home.line_of(home.profile("job.py"), "fill", _LINE)
    assert (line["calls"], line["occurrences"] % 20) == (20, 0)
    assert 40 * MIB <= line["increment_bytes"] <= 40.4 * MIB


@pytest.mark.parametrize("stack_kib", [64, 256, 1024])
def test_a_thread_with_a_small_stack_is_profiled(home: "Home", stack_kib: int) -> None:
    home.write(
        "job.py",
        f"""{_FILL}
import threading
threading.stack_size({stack_kib} * 1024)
thread = threading.Thread(target=fill)
thread.start()
thread.join()
""",
    )
    line = home.line_of(home.profile("job.py"), "fill", _LINE)
    assert 3 * MIB <= line["increment_bytes"] <= 3.03 * MIB


def test_a_daemon_thread_that_still_runs_at_the_end(home: "Home") -> None:
    home.write(
        "job.py",
        f"""{_FILL}
import threading
started = threading.Event()
def spin():
    while True:
        fill(1)
        started.set()
threading.Thread(target=spin, daemon=True).start()
started.wait()
raise SystemExit(3)
""",
    )
    ended = home.run("job.py")
    assert (ended.code, ended.err.count("\n")) == (3, 1)
    assert ended.out.count("Function: fill (") == 1


# ---- sources that aren't there ----


def test_generated_code_has_figures_but_no_contents(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import outlive
        names = {}
        exec("def made():\\n    kept = bytes(1 << 20)\\n    return kept\\n", names)
        outlive.profile(names["made"])()
        outlive.profile(eval("lambda: bytes(1 << 20)"))()
        """,
    )
    ended = home.run("job.py")
    assert ended.out.count("(no source: line contents can't be shown)") == 2
    document = home.profile("job.py")
    (made,) = (f for f in document["functions"] if f["function"] == "made")
    assert (made["file"], [line["source"] for line in made["lines"]]) == ("<string>", ["", "", ""])
    assert made["lines"][1]["increment_bytes"] >= MIB


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("open(__file__, 'a').write('# more\\n')", "(the file changed on disk since it was loaded"),
        ("os.unlink(__file__)", "(the file changed on disk since it was loaded"),
        ("os.unlink(__file__), os.mkdir(__file__)", "(the file changed on disk since it was loaded"),
        ("os.chmod(__file__, 0)", "    kept = [bytes(1 << 20)"),
    ],
)
def test_a_source_that_changed_during_the_run(home: "Home", deed: str, said: str) -> None:
    home.write("job.py", f"{_FILL}\nfill()\nimport os\n{deed}\n")
    ended = home.run("job.py")
    assert (ended.code, ended.err.count("\n")) == (0, 1)
    assert said in ended.out
    assert re.search(r"^ +5 +3\.0 MiB +3\.0 MiB", ended.out, re.MULTILINE)


# ---- other tools in the process ----

_WITH = {
    "settrace": """
        import sys
        seen = []
        def trace(frame, event, arg):
            if frame.f_code.co_name == "fill":
                seen.append(event)
            return trace
        sys.settrace(trace)
        fill()
        sys.settrace(None)
        print({"call", "line", "return"} <= set(seen), sys.gettrace())
        """,
    "setprofile": """
        import sys
        seen = []
        sys.setprofile(lambda frame, event, arg: seen.append((event, frame.f_code.co_name)))
        fill()
        sys.setprofile(None)
        print(("call", "fill") in seen and ("return", "fill") in seen, sys.getprofile())
        """,
    "threading": """
        import threading
        seen = set()
        threading.setprofile(lambda frame, event, arg: seen.add(frame.f_code.co_name))
        threading.settrace(lambda frame, event, arg: seen.add(frame.f_lineno))
        thread = threading.Thread(target=fill)
        thread.start()
        thread.join()
        print("fill" in seen, None)
        """,
    "cProfile": """
        import cProfile, pstats
        profiler = cProfile.Profile()
        profiler.enable()
        fill()
        profiler.disable()
        calls = {key[2]: value[0] for key, value in pstats.Stats(profiler).stats.items()}
        print(calls["fill"] == 1, None)
        """,
    "tracemalloc": """
        import tracemalloc
        tracemalloc.start()
        fill()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(3 << 20 <= peak < 4 << 20, None)
        """,
    "bdb": """
        import bdb
        class Debugger(bdb.Bdb):
            lines = []
            def user_line(self, frame):
                self.lines.append(frame.f_lineno)
        debugger = Debugger()
        debugger.runcall(fill)
        print(len(debugger.lines) >= 2, None)
        """,
    "trace": """
        import trace
        tracer = trace.Trace(count=True, trace=False)
        tracer.runfunc(fill)
        lines = {line for (file, line) in tracer.results().counts if file == __file__}
        print({5, 6} <= lines, None)
        """,
    "sampler": """
        outlive.start("4 KiB")
        fill()
        outlive.sites()
        outlive.stop()
        print(True, None)
        """,
}
if NEW:
    _WITH["monitoring"] = """
        import sys
        seen = []
        monitoring, tool, event = sys.monitoring, sys.monitoring.COVERAGE_ID, sys.monitoring.events.LINE
        monitoring.use_tool_id(tool, "another")
        monitoring.register_callback(tool, event, lambda code, line: seen.append(line))
        monitoring.set_events(tool, event)
        fill()
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
        print({5, 6} <= set(seen), None)
        """


@pytest.mark.parametrize("tool", _WITH)
def test_another_tool_in_the_program_and_ours_both_work(home: "Home", tool: str) -> None:
    home.write("job.py", f"{_FILL}{textwrap.dedent(_WITH[tool])}\nfill()\n")
    ended = home.run("job.py")
    assert ended.own == (0, "True None\n", "")
    line = home.line_of(home.profile("job.py"), "fill", _LINE)
    assert line["calls"] == 2
    assert 6 * MIB <= line["increment_bytes"] <= 6.06 * MIB + 1024


def test_a_scripted_debugger_and_ours_both_work(home: "Home") -> None:
    home.write("job.py", f"{_FILL}\nimport pdb\npdb.set_trace()\nfill()\nprint('end')\n")
    commands = "step\nbreak 6\ncontinue\np rows\ncontinue\n"
    ended = subprocess.run(
        [sys.executable, "-m", "outlive", "run", "-o", "table.txt", "job.py"],
        cwd=home.path,
        input=commands,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended
    assert "(Pdb) 3\n" in ended.stdout
    assert ended.stdout.endswith("end\n")
    table = (home.path / "table.txt").read_text()
    assert "Function: fill (1 call)" in table
    assert "    return len(kept)" in table


def test_a_breakpoint_inside_a_profiled_function(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import outlive
        @outlive.profile
        def fill():
            breakpoint()
            kept = bytes(1 << 20)
            return kept
        fill()
        """,
    )
    ended = subprocess.run(
        [sys.executable, "-m", "outlive", "run", "--json", "p.json", "job.py"],
        cwd=home.path,
        input="next\np len(kept) if 'kept' in dir() else 'not yet'\ncontinue\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended
    line = home.line_of(json.loads((home.path / "p.json").read_bytes()), "fill", "kept = bytes(1 << 20)")
    assert (line["calls"], line["occurrences"]) == (1, 1)
    assert MIB <= line["increment_bytes"] <= 1.01 * MIB + 1024


@pytest.mark.skipif(not NEW, reason="sys.monitoring is new in 3.12")
def test_with_all_monitoring_ids_taken_ours_says_why_there_are_no_lines(home: "Home") -> None:
    home.write(
        "job.py",
        f"""
import sys
for tool in range(6):
    sys.monitoring.use_tool_id(tool, f"tool{{tool}}")
{_FILL}
print(fill())
print([sys.monitoring.get_tool(tool) for tool in range(6)])
""",
    )
    ended = home.run("job.py")
    assert ended.own[0] == 0
    assert ended.out.startswith("3\n['tool0', 'tool1', 'tool2', 'tool3', 'tool4', 'tool5']\n")
    assert "Note: no lines: all sys.monitoring tool ids are taken" in ended.out
    assert home.profile("job.py")["notes"]


@pytest.mark.skipif(not NEW, reason="sys.monitoring is new in 3.12")
def test_a_tool_that_frees_or_restarts_our_id_breaks_nothing(home: "Home") -> None:
    home.write(
        "job.py",
        f"""{_FILL}
import sys
fill()
ours = next(tool for tool in range(6) if sys.monitoring.get_tool(tool) == "outlive")
sys.monitoring.set_events(ours, 0)
sys.monitoring.restart_events()
sys.monitoring.free_tool_id(ours)
sys.monitoring.use_tool_id(ours, "thief")
print(fill())
""",
    )
    ended = home.run("job.py")
    assert ended.own == (0, "3\n", "")
    assert "Function: fill (" in ended.out


def test_a_trace_function_that_was_there_first_stays(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import sys
        lines = []
        def trace(frame, event, arg):
            if frame.f_code.co_filename == __file__:
                lines.append((event, frame.f_lineno))
            return trace
        sys.settrace(trace)
        import outlive
        @outlive.profile
        def fill():
            kept = bytes(1 << 20)
            return len(kept)
        def other():
            return fill()
        other()
        sys.settrace(None)
        print(("line", 12) in lines, ("line", 15) in lines, sum(event == "call" for event, _ in lines))
        """,
    )
    ended = home.run("job.py")
    assert ended.own == (0, "True True 2\n", "")
    assert home.line_of(home.profile("job.py"), "fill", "kept = bytes(1 << 20)")["increment_bytes"] >= MIB


# ---- allocators and interpreter modes ----


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONMALLOC": "debug"},
        {"PYTHONMALLOC": "malloc"},
        {"PYTHONMALLOC": "malloc_debug"},
        {"PYTHONMALLOC": "pymalloc"},
        {"PYTHONDEVMODE": "1"},
        {"PYTHONTRACEMALLOC": "5"},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONASYNCIODEBUG": "1"},
        {"PYTHONFAULTHANDLER": "1"},
        {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
        {"MALLOC_PERTURB_": "165"},
        {"PYTHONHOME": ""},
    ],
)
def test_any_allocator_and_mode_gives_the_same_figures(home: "Home", variables: dict[str, str]) -> None:
    home.write("job.py", f"{_FILL}fill()\nraise SystemExit(3)\n")
    ended = home.run("job.py", **variables)
    assert ended.own[0::2] == (3, "")
    line = home.line_of(home.profile("job.py", **variables), "fill", _LINE)
    assert 3 * MIB <= line["increment_bytes"] <= 3.03 * MIB + 1024


@pytest.mark.parametrize("options", [["-Xtracemalloc"], ["-Xdev"], ["-Werror"], ["-Ximporttime"], ["-bb"]])
def test_interpreter_options(home: "Home", options: list[str]) -> None:
    home.write("job.py", f"{_FILL}fill()\nprint('end')\n")
    ended = home.plain(*options, "-m", "outlive", "run", "job.py")
    assert ended.own[:2] == (0, "end\n")
    assert "Warning" not in ended.err
    assert "Traceback" not in ended.err
    assert ended.out.count("Function: fill (1 call)") == 1


def test_a_program_that_freezes_its_heap(home: "Home") -> None:
    home.write("job.py", f"{_FILL}import gc\nfill()\ngc.freeze()\nfill()\ngc.collect()\n")
    ended = home.run("job.py")
    assert ended.own == (0, "", "")
    assert "Function: fill (2 calls)" in ended.out


def test_a_profiled_function_that_is_redefined_and_collected(home: "Home") -> None:
    home.write(
        "job.py",
        """
        import gc, outlive
        for i in range(300):
            names = {}
            exec(f"def made():\\n    return {i}\\n", names)
            assert outlive.profile(names["made"])() == i
            del names
            gc.collect(0)
        print("end")
        """,
    )
    ended = home.run("-o", "table.txt", "job.py")
    assert ended.own == (0, "end\n", "")
    table = (home.path / "table.txt").read_text()
    assert sum(map(int, re.findall(r"Function: made \((\d+) calls?\)", table))) == 300
