"""A recording looked at again and again: what changes, what ends, what goes wrong."""

import time
from pathlib import Path
from unittest import mock

import pytest

from outlive.errors import OutliveError
from outlive.recording import reader
from outlive.top.rows import Choice
from outlive.top.watch import Watch
from tests.top.recorded import MIB, Sleeper, blocks, shop


def test_what_did_not_change_is_not_read_again(sleeper: Sleeper) -> None:
    watch = Watch(sleeper.write(shop(blocks(1, 3))))
    assert watch.live
    watch.look()
    with mock.patch.object(reader, "read", side_effect=AssertionError):
        assert not watch.look()
    sleeper.write(shop(blocks(1, 4)))
    assert watch.look()
    assert round(watch.tally.in_use.estimate / MIB, 1) == 4


def test_growth_is_counted_from_the_first_look_and_from_each_mark(sleeper: Sleeper) -> None:
    watch = Watch(sleeper.write(shop(blocks(1, 3))))
    sleeper.write(shop(blocks(1, 10)))
    watch.look()
    assert [round(row.growth.estimate / MIB) for row in watch.tally.rows(Choice()) if row.growth] == [7]
    watch.set_mark()
    assert [row.growth for row in watch.tally.rows(Choice())] == [None]


def test_an_ended_process_leaves_its_last_picture(sleeper: Sleeper) -> None:
    watch = Watch(sleeper.write(shop(blocks(1, 3))))
    sleeper.write(shop(blocks(1, 9)))
    sleeper.kill()
    assert watch.look()
    assert watch.ended
    assert round(watch.tally.in_use.estimate / MIB, 1) == 9
    assert not watch.look()


def test_a_process_that_said_goodbye(sleeper: Sleeper) -> None:
    watch = Watch(sleeper.write(shop(blocks(1, 3))))
    sleeper.write(shop([], process={"state": "exited", "status": 3, "ended": time.time()}))
    assert watch.look()
    assert watch.ended


def test_a_file_that_is_removed_or_torn_keeps_the_picture_and_comes_back(sleeper: Sleeper) -> None:
    file = sleeper.write(shop(blocks(1, 3)))
    whole = file.read_bytes()
    watch = Watch(file)
    file.unlink()
    assert watch.look()
    assert "there is no file" in watch.trouble
    file.write_bytes(whole[:5000])
    assert watch.look()
    assert "cut short" in watch.trouble
    file.write_bytes(whole)
    assert watch.look()
    assert (watch.trouble, watch.live) == ("", True)
    assert round(watch.tally.in_use.estimate / MIB, 1) == 3


def test_no_recording_to_begin_with(tmp_path: Path) -> None:
    with pytest.raises(OutliveError, match="there is no file"):
        Watch(tmp_path / "none.outlive")
