"""What grew: known truth, and no alarm where only the dice fell otherwise."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from outlive.recording.difference import difference, grown
from tests.recording import synthetic

if TYPE_CHECKING:
    from outlive.model.recording import Recording, Sample

MIB = 1 << 20
INTERVAL = 1 << 17
STACKS = {
    1: synthetic.stack("put cache.py:5", allocated=1.0),
    2: synthetic.stack("get cache.py:9", allocated=1.0),
}


def blocks(stack: int, count: int, *, first: int = 0, size: int = MIB, born: float = 1.0) -> list[Sample]:
    return [
        synthetic.sample(stack, size, born=born, address=0x10_0000 * (1000 * stack + first + number + 1))
        for number in range(count)
    ]


def other_process(recorded: Recording) -> Recording:
    return synthetic.recording(recorded.stacks, recorded.samples, process={"pid": 99})


def test_of_one_process_what_stays_cancels_out() -> None:
    before = synthetic.recording(STACKS, blocks(1, 50) + blocks(2, 500, size=1000))
    after = synthetic.recording(STACKS, blocks(1, 60) + blocks(2, 500, size=1000))
    (site,) = difference(before, after)
    assert site.stack.frames[0].function == "put"
    assert round(site.grown.estimate / MIB, 1) == 10.0
    assert site.grown.low > 9 * MIB  # blocks of eight intervals are all but sure to be seen
    assert site.beyond_chance
    assert round((site.after.estimate - site.before.estimate) / MIB, 1) == 10.0
    assert round(site.grown_blocks) == 10


def test_a_block_that_took_a_dead_ones_address_is_another() -> None:
    before = synthetic.recording(STACKS, blocks(1, 10))
    after = synthetic.recording(STACKS, blocks(1, 10, born=2.0))
    (site,) = difference(before, after)
    assert site.grown.estimate == 0
    assert not site.beyond_chance


def test_stacks_are_told_by_their_frames_not_by_their_numbers() -> None:
    before = synthetic.recording(STACKS, blocks(1, 10))
    renumbered = {7: STACKS[1]}
    after = synthetic.recording(renumbered, blocks(7, 10))
    assert [round(site.grown.estimate) for site in difference(before, other_process(after))] == [0]


def test_shrinking_is_seen_and_comes_last() -> None:
    before = synthetic.recording(STACKS, blocks(1, 40) + blocks(2, 1))
    after = synthetic.recording(STACKS, blocks(2, 30))
    grew, shrank = difference(before, other_process(after))
    assert (grew.grown.low > 0, shrank.grown.high < 0) == (True, True)
    assert shrank.after.estimate == 0
    assert shrank.beyond_chance


def test_one_sample_more_may_be_chance() -> None:
    (site,) = difference(synthetic.recording(STACKS), synthetic.recording(STACKS, blocks(1, 1, size=100)))
    assert site.grown.estimate > 0
    assert not site.beyond_chance


def test_two_worlds_of_the_same_program_differ_by_chance_alone() -> None:
    """3 MB in 100-byte blocks, sampled twice: beyond chance 15 times in 300; 24 is 2.5 sigma."""
    chance = random.Random(7)  # noqa: S311 - a simulation
    probability = -math.expm1(-100 / INTERVAL)

    def world(pid: int) -> Recording:
        count = sum(chance.random() < probability for _ in range(30_000))
        return synthetic.recording(STACKS, blocks(1, count, size=100), process={"pid": pid})

    alarms = sum(site.beyond_chance for _ in range(300) for site in difference(world(1), world(2)))
    assert alarms <= 24


def test_a_doubling_is_seen() -> None:
    before, after = (synthetic.recording(STACKS, blocks(1, count, size=100)) for count in (40, 80))
    (site,) = difference(other_process(before), after)
    assert site.beyond_chance
    assert grown(other_process(before), after).low > 0


def test_outlives_own_is_left_out() -> None:
    own = {1: synthetic.stack("tick /x/site-packages/outlive/capture/timeline.py:1", allocated=1.0)}
    before, after = synthetic.recording(own), synthetic.recording(own, blocks(1, 9))
    assert difference(before, after) == []
    assert grown(before, after).estimate == 0
