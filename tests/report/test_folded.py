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


def test_a_name_with_the_separator_stays_one_frame() -> None:
    text = folded(recording({1: stack("a;b /srv/x;y.py:1")}, [sample(1, interval=1024)]))
    assert text == f"a:b (/srv/x:y.py:1) {MIB}\n"


def test_nothing_alive_is_an_empty_file() -> None:
    assert folded(recording({1: stack("f /f.py:1", allocated=9.0)})) == ""
