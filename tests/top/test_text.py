"""The picture as text."""

from dataclasses import replace

from outlive.report.style import Style
from outlive.top.text import picture
from outlive.top.watch import Watch
from tests.recording.synthetic import BEGAN
from tests.top.recorded import Sleeper, blocks, shop

GOLDEN = """\
shop.py, pid {pid}, Python 3.12.1 · up 1 min 40 s · running
RSS 150.0 MiB · in use 9.0 MiB (8.9\N{EN DASH}9.1) · 50.0 MiB left of 200.0 MiB
one sample in 128 KiB on average · 9 alive

RSS    ▁▁▁▁▁▂▂▂▂▂▂▂▂▃▃▃▃▃▃▃▃▃▄▄▄▄▄▄▄▄▅▅▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇▇█████  150.0 MiB (51.0 MiB to 150.0 MiB)
Python ▁▁▁▁▁▂▂▂▂▂▂▂▂▃▃▃▃▃▃▃▃▃▄▄▄▄▄▄▄▄▅▅▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇▇█████  120.0 MiB (21.0 MiB to 120.0 MiB)
       1 min 40 s ago                                           now

  MiB in use     95 %    blocks    age  line
         5.0  4.9\N{EN DASH}5.1         5   40 s  /srv/shop/cache.py:5 remember
         4.0  3.9\N{EN DASH}4.1         4  2 min  /srv/shop/export.py:41 rows

the first one's heaviest stack:
  /srv/shop/cache.py:5 remember
  /srv/shop/app.py:10 handle
"""


def test_the_picture(sleeper: Sleeper) -> None:
    samples = [*blocks(1, 3, born=40.0), *blocks(2, 2, born=90.0), *blocks(3, 4)]
    watch = Watch(sleeper.write(shop(samples)))
    assert picture(watch, Style(), BEGAN + 100) == GOLDEN.format(pid=sleeper.pid)


def test_no_line_is_wider_than_the_terminal(sleeper: Sleeper) -> None:
    watch = Watch(sleeper.write(shop(blocks(1, 3))))
    for width in (20, 60, 200):
        assert max(map(len, picture(watch, Style(width=width), BEGAN).splitlines())) <= width


def test_an_empty_recording(sleeper: Sleeper) -> None:
    text = picture(Watch(sleeper.write(shop([], uptime=0))), Style(), BEGAN)
    assert "nothing sampled is in use\n" in text
    assert "in use 0.0 MiB" in text


def test_a_dead_process_points_to_the_postmortem(sleeper: Sleeper) -> None:
    file = sleeper.write(shop(blocks(1, 3)))
    sleeper.kill()
    text = picture(Watch(file), Style(), BEGAN)
    assert " · ended\n" in text
    assert f"outlive postmortem {file}\n" in text


def test_a_silent_process_says_so(sleeper: Sleeper) -> None:
    text = picture(Watch(sleeper.write(shop(blocks(1, 3)))), Style(), BEGAN + 100 + 75)
    assert " · silent for 1 min 15 s\n" in text


def test_a_figure_that_is_measured_seldom_says_how_old_it_is(sleeper: Sleeper) -> None:
    recording = shop(blocks(1, 3))
    timeline = [
        replace(each, python_in_use=None) if each.uptime > 60 else each for each in recording.timeline
    ]
    text = picture(Watch(sleeper.write(replace(recording, timeline=tuple(timeline)))), Style(), BEGAN + 100)
    (python,) = (line for line in text.splitlines() if line.startswith("Python"))
    assert python.endswith("  80.0 MiB, 40 s ago (21.0 MiB to 80.0 MiB)")
    (rss,) = (line for line in text.splitlines() if line.startswith("RSS    "))
    assert " ago" not in rss


def test_more_rows_than_fit_are_counted(sleeper: Sleeper) -> None:
    from tests.recording import synthetic  # noqa: PLC0415

    stacks = {number: synthetic.stack(f"f m.py:{number}") for number in range(1, 31)}
    many = synthetic.recording(stacks, [synthetic.sample(number) for number in stacks])
    text = picture(Watch(sleeper.write(many)), Style(), BEGAN)
    assert f"and 10 more; outlive report {sleeper.file}\n" in text
