"""How triggers are written, when their figures are past a bound, and how often they may act."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from outlive.capture.trigger_watch import Growth
from outlive.capture.trigger_window import Window
from outlive.capture.triggers import Rule, parse
from outlive.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB, HOUR = 1 << 20, 3600


def only(text: str) -> Rule:
    (rule,) = parse([text])
    return rule


# ---- what is written ----


@pytest.mark.parametrize(
    ("text", "metric", "bound", "share", "holds_for", "every"),
    [
        ("rss > 800 MiB: snapshot", "rss", 800 * MIB, 0.0, 0.0, HOUR),
        ("RSS>1.5GiB for 30s:log", "rss", 3 << 29, 0.0, 30.0, HOUR),
        ("rss > 80 % for 2 min every 6 h: log", "rss", 0, 0.8, 120.0, 6 * HOUR),
        ("left < 100 MiB every 1 d: snapshot, report", "left", 100 * MIB, 0.0, 0.0, 24 * HOUR),
        ("left < 12.5%: log", "left", 0, 0.125, 0.0, HOUR),
        ("growth > 50 MiB/h: log", "growth", 50 * MIB, 0.0, 0.0, HOUR),
        ("SIGUSR2: log", "SIGUSR2", 0, 0.0, 0.0, 0.0),
        ("sigusr2 every 5 min: log", "SIGUSR2", 0, 0.0, 0.0, 300.0),
    ],
)
def test_what_a_trigger_says(  # noqa: PLR0913, PLR0917 - each word of it
    text: str, metric: str, bound: int, share: float, holds_for: float, every: float
) -> None:
    rule = only(text)
    said = (rule.metric, rule.bound, rule.share, rule.holds_for, rule.every)
    assert said == (metric, bound, share, holds_for, every)


@pytest.mark.parametrize(
    "name", ["export", "GET /exports/{id}", "app.jobs:export_user", "f(x)", "a > b", "for every", "ночь"]
)
def test_a_scope_may_be_called_anything(name: str) -> None:
    rule = only(f"survivors({name}) > 10 MiB for 5 s: log")
    assert (rule.scope, rule.bound, rule.holds_for) == (name, 10 * MIB, 5.0)


def test_growth_has_a_window_of_its_own() -> None:
    assert only("growth > 1 MiB/h: log").window == 600
    assert only("growth(30 min) > 1 MiB/h: log").window == 1800


def test_actions_are_parted_by_commas_that_no_quotes_enclose() -> None:
    rule = only("rss > 1 MiB: log, webhook https://example.com/a?b=c:d, command notify 'a, b; c' \"d\"")
    assert rule.actions == (
        ("log", ()),
        ("webhook", ("https://example.com/a?b=c:d",)),
        ("command", ("notify", "a, b; c", "d")),
    )


def test_several_in_one_text() -> None:
    rules = parse(["rss > 1 MiB: log; left < 5 %: report\n\nSIGUSR2: command 'a;b'", "growth > 1 MiB/h: log"])
    assert [rule.metric for rule in rules] == ["rss", "left", "SIGUSR2", "growth"]
    assert rules[2].actions == (("command", ("a;b",)),)


def test_the_name_shows_no_address_and_no_command_and_is_no_other_ones() -> None:
    text = "rss  > 1 MiB : webhook https://example.com/secret, command notify --token secret"
    one, two = parse([text, text])
    assert one.name == "rss > 1 MiB: webhook, command"
    assert two.name != one.name
    assert "secret" not in one.name + two.name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rss > 800 MiB", "it says nothing to do"),
        ("rss > 800 MiB:", "it says nothing to do"),
        ("rss: log", "rss is compared by >"),
        ("rss < 800 MiB: log", "rss is compared by >"),
        ("rss >= 800 MiB: log", "rss is compared by >"),
        ("left > 10 %: log", "left is compared by <"),
        ("rss > 800 parsecs: log", "is not a size"),
        ("rss > -1: log", "is not a size"),
        ("rss > 0 %: log", "is no number above 0"),
        ("rss > 101 %: log", "is no bound of rss"),
        ("rss > nan %: log", "is no number above 0"),
        ("growth > 10 %/h: log", "is no bound of growth"),
        ("growth > 10 MiB: log", "growth is in bytes an hour"),
        ("growth(1 s) > 10 MiB/h: log", "10 s at least"),
        ("survivors > 10 MiB: log", "whose survivors"),
        ("survivors() > 10 MiB: log", "whose survivors"),
        ("survivors(export > 10 MiB: log", "there is no"),
        ("rss(export) > 10 MiB: log", "takes nothing in brackets"),
        ("uss > 10 MiB: log", "'uss' is no metric; there are rss, left, growth, survivors and SIGUSR2"),
        ("SIGUSR1: log", "is no metric"),
        ("SIGUSR2 for 10 s: log", "is not understood"),
        ("rss > 10 MiB for ages: log", "is no duration"),
        ("rss > 10 MiB for 10: log", "is no duration"),
        ("rss > 10 MiB for 1e3 s: log", "is no number above 0"),
        ("rss > 10 MiB every 1 s: log", "every 60 s at most"),
        ("rss > 10 MiB: dump", "'dump' is nothing to do; there are snapshot, report, log, webhook, command"),
        ("rss > 10 MiB: snapshot now", "snapshot takes nothing"),
        ("rss > 10 MiB: webhook", "webhook takes an http"),
        ("rss > 10 MiB: webhook file:///etc/passwd", "webhook takes an http"),
        ("rss > 10 MiB: webhook https://", "webhook takes an http"),
        ("rss > 10 MiB: webhook http://a b/", "webhook takes an http"),
        ("rss > 10 MiB: webhook https://ann:pw@example.com/", "no password"),
        ("rss > 10 MiB: command", "command takes a command"),
        ("rss > 10 MiB: command 'a", "quotes do not match"),
        ("x" * 5000, "more than 4096 letters"),
        ("rss > 1 MiB\0: log", "NUL"),
    ],
)
def test_what_is_no_trigger(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse([text])
    assert why in str(caught.value)


def test_every_mistake_but_of_length_comes_with_what_to_type() -> None:
    for text in (
        "rss",
        "left > 1",
        "growth > 3",
        "survivors > 3",
        "rss > 1 for x: log",
        "rss > 1: webhook x",
    ):
        with pytest.raises(UsageError) as caught:
            parse([text])
        assert caught.value.hint.startswith("write ")


def test_a_mistake_shows_no_address_and_no_command() -> None:
    for text in ("rss > 1: webhook http://x/secret, dump", "rss > 1: command notify --token secret, dump"):
        with pytest.raises(UsageError) as caught:
            parse([text])
        assert "secret" not in str(caught.value)


def test_a_text_for_a_list_is_refused() -> None:
    with pytest.raises(UsageError, match="to be a list"):
        parse("rss > 1 MiB: log")


# ---- past the bound ----


def test_shares_are_of_the_limit_and_never_passed_without_one() -> None:
    rule = only("rss > 80 %: log")
    assert [rule.is_passed(value, 1000) for value in (800, 801)] == [False, True]
    assert not rule.is_passed(1 << 60, None)
    left = only("left < 10 %: log")
    assert [left.is_passed(value, 1000) for value in (99, 100)] == [True, False]
    assert not left.is_passed(0, None)
    assert only("left < 100: log").is_passed(99, None)


def grown(window: float, rss: Callable[[float], float], seconds: int) -> list[float | None]:
    growth = Growth(window)
    return [growth.add(float(now), rss(now)) for now in range(1000, 1000 + seconds)]


def test_growth_is_unknown_until_the_window_is_full_then_true() -> None:
    found = grown(600, lambda now: 500 * MIB + 3 * MIB * now / HOUR, 900)
    assert found[590] is None
    assert found[-1] == pytest.approx(3 * MIB)


@pytest.mark.parametrize("seed", range(5))
def test_what_comes_and_goes_is_no_growth(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - to be the same each time
    found = grown(600, lambda now: 500 * MIB + (now % 20) * 5 * MIB + chance.random() * MIB, 1800)
    assert max(abs(each) for each in found if each is not None) < 10 * MIB


def test_a_single_step_is_no_growth() -> None:
    found = grown(600, lambda now: 500 * MIB + (300 * MIB if now > 1700 else 0), 3000)
    slopes = [each for each in found if each is not None]
    assert slopes[0] == slopes[-1] == 0
    assert sorted(slopes)[len(slopes) * 3 // 4] < 300 * MIB * 6  # as a line through both ends would say


def test_after_a_long_stop_growth_is_looked_at_anew() -> None:
    growth = Growth(10)
    for now in range(20):
        found = growth.add(float(now), now * MIB)
    assert found == pytest.approx(3600 * MIB)
    later = [growth.add(5000.0 + now, 9 * MIB) for now in range(20)]
    assert later[:10] == [None] * 10
    assert later[-1] == 0


# ---- how often ----


def test_once_in_a_window_however_often_it_is_asked_by_whom(tmp_path: Path) -> None:
    assert Window(str(tmp_path)).claim("app rss > 1", 3600) == 0
    assert 3590 < Window(str(tmp_path)).claim("app rss > 1", 3600) <= 3600
    assert Window(str(tmp_path)).claim("app left < 1", 3600) == 0
    assert Window(str(tmp_path)).claim("app rss > 1", 3600) > 0
    assert Window(str(tmp_path)).claim("other rss > 1", 3600) == 0


def state(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def at(folder: Path, seconds_later: float) -> None:
    """Have all that was counted be so much older."""
    file = state(folder)
    lines = [line.split(" ", 1) for line in file.read_text().splitlines() if line.strip()]
    text = "\n".join(f"{int(when) - round(seconds_later)} {whose.strip()}" for when, whose in lines) + "\n"
    file.write_text(text.ljust(file.stat().st_size))


def test_the_window_passes(tmp_path: Path) -> None:
    window = Window(str(tmp_path))
    window.claim("rss", 3600)
    at(tmp_path, 3500)
    assert 90 < window.claim("rss", 3600) <= 100
    at(tmp_path, 101)
    assert window.claim("rss", 3600) == 0
    assert window.claim("rss", 3600) > 3500


def test_a_clock_that_was_set_back_silences_for_no_longer_than_the_window(tmp_path: Path) -> None:
    window = Window(str(tmp_path))
    window.claim("rss", 3600)
    at(tmp_path, -7200)
    assert window.claim("rss", 3600) == 0


def test_the_file_takes_its_room_at_once_and_never_more(tmp_path: Path) -> None:
    window = Window(str(tmp_path))
    window.prepare()
    size = state(tmp_path).stat().st_size
    for number in range(500):
        assert window.claim(f"a trigger with a long name {number}", 3600) == 0
    assert state(tmp_path).stat().st_size == size
    assert state(tmp_path).stat().st_mode & 0o777 == 0o600
    assert window.claim("a trigger with a long name 499", 3600) > 0


@pytest.mark.parametrize("damage", [b"", b"\0" * 50, b"\xff" * 20000, b"rss\n12x rss\n\n 7\n"])
def test_a_damaged_file_is_as_an_empty_one(tmp_path: Path, damage: bytes) -> None:
    window = Window(str(tmp_path))
    window.prepare()
    state(tmp_path).write_bytes(damage)
    assert window.claim("rss", 3600) == 0
    assert window.claim("rss", 3600) > 0


def test_no_file_of_others_and_none_through_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    Window(str(folder)).prepare()
    name = state(folder)
    name.unlink()
    name.symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic link"):
        Window(str(folder)).claim("rss", 3600)
    assert elsewhere.read_text() == "mine"
    if os.geteuid() == 0:
        name.unlink()
        name.touch()
        os.chown(name, 12345, -1)
        with pytest.raises(PermissionError):
            Window(str(folder)).claim("rss", 3600)
