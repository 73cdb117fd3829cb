"""Requests: one word, from the right user, taken up once; anything else is left alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outlive.capture import breakdown, requests, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def recording(tmp_path: Path) -> str:
    return str(tmp_path / "77.outlive")


def test_a_request_is_taken_up_once(recording: str) -> None:
    assert requests.pending(recording) is None
    number = requests.ask(recording, "trim")
    assert requests.is_open(recording)
    assert requests.pending(recording) == (number, ["trim"])
    assert not requests.is_open(recording)
    assert requests.pending(recording) is None


def test_two_ask_at_once(recording: str) -> None:
    requests.ask(recording, "trim")
    with pytest.raises(FileExistsError):
        requests.ask(recording, "trim")


def test_a_request_is_taken_back(recording: str) -> None:
    requests.ask(recording, "trim")
    requests.withdraw(recording)
    requests.withdraw(recording)
    assert requests.pending(recording) is None


@pytest.mark.parametrize(
    "word",
    [
        "",
        "tri",
        "trim\n",
        "trimtrim",
        "trim\0",
        "exec",
        "\0" * 4,
        "measure\0now",
        "snapshot",
        "snapshot\0/a",
        "snapshot\0" * 4,
    ],
)
def test_another_word_is_none(recording: str, word: str) -> None:
    Path(f"{recording}.request").write_text(word)
    assert requests.pending(recording) is None


def test_what_is_no_file_is_none(recording: str, tmp_path: Path) -> None:
    place = Path(f"{recording}.request")
    (tmp_path / "other").write_text("trim")
    place.symlink_to(tmp_path / "other")
    assert requests.pending(recording) is None
    place.unlink()
    place.mkdir()
    assert requests.pending(recording) is None
    place.rmdir()
    os.mkfifo(place)
    assert requests.pending(recording) is None  # and does not wait for a writer


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to another user")
def test_a_stranger_s_is_none(recording: str) -> None:
    requests.ask(recording, "trim")
    os.chown(f"{recording}.request", 65534, 65534)
    assert requests.pending(recording) is None
    os.chown(f"{recording}.request", os.geteuid(), -1)
    assert requests.pending(recording) is not None


def test_to_measure_is_to_note_figures_of_now() -> None:
    before = requests.answer("", (5, ["measure"]), None)
    kept = [bytes(95) for _ in range(100_000)]
    said = requests.answer("", (6, ["measure"]), None)
    assert said["measure"] == {"request": 6, "able": True}
    grown = in_use(said) - in_use(before)
    assert grown == pytest.approx(len(kept) * 128, rel=0.1)


def test_who_can_t_measure_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_large: int | None) -> dict[str, int | float | None]:
        raise RuntimeError("no figures")

    monkeypatch.setattr(breakdown, "measure", fail)
    assert requests.answer("", (5, ["measure"]), None) == {"measure": {"request": 5, "able": False}}


def in_use(answer: dict[str, object]) -> int:
    found = answer["breakdown"]
    assert isinstance(found, dict)
    return int(found["python_in_use"])


def test_other_requests_wait_while_a_snapshot_is_taken(
    recording: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def take(_path: str, *, contents: bool, progress: Callable[[int], None]) -> None:
        assert not contents
        asked.append(requests.ask(recording, "measure"))
        progress(1)

    monkeypatch.setattr(snapshot, "take", take)
    answer = requests.answer(recording, (5, ["snapshot", "/now.heap", ""]), None)
    assert answer["snapshot"] == {"request": 5, "path": "/now.heap", "what": "", "why": "", "hint": ""}
    assert requests.pending(recording) == (asked[0], ["measure"])


def test_a_snapshot_is_cancelled(recording: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def take(_path: str, *, contents: bool, progress: Callable[[int], None]) -> None:
        assert not contents
        requests.ask(recording, "cancel")
        progress(1)

    monkeypatch.setattr(snapshot, "take", take)
    said = requests.answer(recording, (5, ["snapshot", "/now.heap", ""]), None)["snapshot"]
    assert isinstance(said, dict)
    assert (said["path"], said["what"]) == ("", "the snapshot was cancelled")
    assert not requests.is_open(recording)


def test_the_answer_says_what_became_of_it() -> None:
    answer = requests.answer("", (5, ["trim"]), None)
    trim = answer["trim"]
    assert isinstance(trim, dict)
    assert (trim["request"], trim["able"]) == (5, True)
    assert trim["rss_before"] > 0
    assert isinstance(answer["breakdown"], dict)
