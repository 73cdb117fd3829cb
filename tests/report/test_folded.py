"""Collapsed stacks."""

from outlive.report.folded import folded
from tests.recording.synthetic import recording, sample, stack

MIB = 1 << 20


def test_a_line_is_a_stack_from_the_outermost_frame_and_its_bytes() -> None:
    stacks = {
        0: stack(),
        1: stack("remember /srv/cache.py:5", "<module> /srv/app.py:9"),
        2: stack("load /srv/rows.py:2", cut=True),
        3: stack("freed /srv/rows.py:3", allocated=5.0),
    }
    samples = [
        sample(1, interval=1024),
        sample(1, interval=1024),
        sample(2, 5 * MIB, interval=1024),
        sample(0, 9 * MIB, interval=1024),
    ]
    assert folded(recording(stacks, samples)).splitlines() == [
        f"(no Python line known) {9 * MIB}",
        f"(outer frames not kept);load (/srv/rows.py:2) {5 * MIB}",
        f"<module> (/srv/app.py:9);remember (/srv/cache.py:5) {2 * MIB}",
    ]


def test_what_started_the_program_is_no_frame_of_it() -> None:
    runpy = ("_run_code <frozen runpy>:88", "_run_module_as_main <frozen runpy>:198")
    ours = "run /venv/lib/python3.12/site-packages/outlive/capture/program.py:164"
    click = "main /venv/lib/python3.12/site-packages/click/core.py:1082"
    hook = "_watched_get_code /venv/lib/python3.12/site-packages/outlive/capture/imports.py:50"
    stacks = {
        1: stack("f /srv/a.py:1", *runpy),
        2: stack("f /srv/a.py:2", ours, click, *runpy),
        3: stack("f /srv/a.py:3", ours, click, cut=True),
        4: stack("f /srv/a.py:4", "run_module <frozen runpy>:226", "main /srv/a.py:9", *runpy),
        5: stack("f /srv/a.py:5", hook, "main /srv/a.py:9"),
        6: stack(*runpy),
        7: stack("f /srv/a.py:7", runpy[0], cut=True),
    }
    text = folded(recording(stacks, [sample(number, interval=1024) for number in stacks]))
    assert sorted(line.rpartition(" ")[0] for line in text.splitlines()) == [
        "(outer frames not kept);_run_code (<frozen runpy>:88);f (/srv/a.py:7)",
        "_run_code (<frozen runpy>:88)",
        "f (/srv/a.py:1)",
        "f (/srv/a.py:2)",
        "f (/srv/a.py:3)",
        "main (/srv/a.py:9);_watched_get_code (outlive/capture/imports.py:50);f (/srv/a.py:5)",
        "main (/srv/a.py:9);run_module (<frozen runpy>:226);f (/srv/a.py:4)",
    ]


def test_a_name_with_the_separator_stays_one_frame() -> None:
    text = folded(recording({1: stack("a;b /srv/x;y.py:1")}, [sample(1, interval=1024)]))
    assert text == f"a:b (/srv/x:y.py:1) {MIB}\n"


def test_nothing_alive_is_an_empty_file() -> None:
    assert folded(recording({1: stack("f /f.py:1", allocated=9.0)})) == ""
