"""Worlds in which the truth is known: what programs of certain kinds leave, as the sampler would see it."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from outlive.diagnose.survivors import Runs, SiteSurvivors
from outlive.recording.totals import Sum
from tests.recording import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KIB, MIB = 1 << 10, 1 << 20
INTERVAL = 128 * KIB


class World:
    """One site of a program, recorded at an interval; a seed is a world of its own."""

    def __init__(self, seed: int, runs: int, interval: int = INTERVAL) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a simulation
        self.runs, self.interval = runs, interval
        self.longest = interval
        self.open: set[int] = set()
        self.late = 0.0
        self.deaths = 0
        self.site = SiteSurvivors((1,), (), 0.0, 0)

    def make(self, run: int, size: int, count: int = 1, *, alive: float = 1.0, late: bool = True) -> None:
        """Let a run make `count` blocks; `alive`: the chance of each to be there at the end.

        The others die when their run is long over (`late`), or within it.
        """
        one = Sum()
        one.add(synthetic.sample(1, size, interval=self.interval))
        for _ in range(self._sampled(size, count)):
            if self.chance.random() >= alive:
                self.late += one.total if late else 0.0
                self.deaths += late
                continue
            if run not in self.open:
                self.site.runs.append(run)
                self.site.weights.append(one.total)
                self.site.variances.append(one.variance)
                self.site.blocks.append(one.blocks)
                self.site.addresses.append(0)
                self.site.from_malloc.append(0)

    def _sampled(self, size: int, count: int) -> int:
        if self.interval == 1:
            return count
        passed = size / self.interval  # -log(1 - p): distances between caught blocks are geometric
        found, place = 0, 0
        while True:
            place += 1 + int(self.chance.expovariate(1.0) / passed)
            if place > count:
                return found
            found += 1

    def raise_interval(self, to: int) -> None:
        self.interval = self.longest = to

    def seen(self) -> tuple[SiteSurvivors, Runs]:
        site = SiteSurvivors(
            (1,),
            (),
            self.late,
            self.deaths,
            self.site.runs,
            self.site.weights,
            self.site.variances,
            self.site.blocks,
            self.site.addresses,
            self.site.from_malloc,
        )
        ended = self.runs - len(self.open)
        return site, Runs(self.runs, ended, frozenset(self.open), 0, self.longest)

    def numbers(self) -> range:
        return range(1, self.runs + 1)

    def size(self) -> tuple[int, int]:
        """Blocks as programs make them, and how many: 2 KiB to 3 MiB a run, log-uniform."""
        block = self.chance.choice([48, 200, 512, 4 * KIB, 60 * KIB])
        total = 2 * KIB * 1500 ** self.chance.random()
        return block, max(1, round(total / block))


# -- leaks


def leak(world: World, size: int = 512, count: int = 20) -> None:
    for run in world.numbers():
        world.make(run, size, count)


def leak_among_others(world: World, count: int = 2000) -> None:
    """Half of what the site makes dies."""
    for run in world.numbers():
        world.make(run, 512, count)
        world.make(run, 512, count, alive=0, late=False)


def seldom_leak(world: World, size: int = 512, count: int = 400) -> None:
    for run in world.numbers():
        if run % 10 == 0:
            world.make(run, size, count)


def growing_leak(world: World, count: int = 1) -> None:
    for run in world.numbers():
        world.make(run, 512, run * count)


def uneven_leak(world: World) -> None:
    """Some runs leave ten times as much as others."""
    for run in world.numbers():
        world.make(run, 512, round(40 * math.exp(world.chance.gauss(0, 0.8))))


def leak_of_overlapping_runs(world: World, count: int = 20) -> None:
    """Ten are open at any time, and one hangs from the very beginning."""
    world.open = {3, *world.chance.sample(range(world.runs - 12, world.runs + 1), 10)}
    leak(world, count=count)


def leak_at_a_raised_interval(world: World) -> None:
    for run in world.numbers():
        if run == world.runs // 2:
            world.raise_interval(4 * INTERVAL)
        world.make(run, 512, 80)


def leak_after_warm_up(world: World) -> None:
    """Warm-up of another site counts for the same scope."""
    for run in range(1, 20):
        world.make(run, 512, 500)
    leak(world, count=400)


# -- innocents


def warm_up(world: World) -> None:
    size, count = world.size()
    until = world.chance.randint(10, 100) * world.runs // 300
    for run in world.numbers():
        world.make(run, size, count, alive=run <= until, late=False)


def cache(world: World, most: int = 150) -> None:
    """Least recently used, or first in first out: the last runs' entries stay."""
    size, count = world.size()
    limit = world.chance.randint(10, most) * world.runs // 300
    for run in world.numbers():
        world.make(run, size, count, alive=run > world.runs - limit)


def cache_among_others(world: World) -> None:
    size, count = world.size()
    limit = world.chance.randint(10, 150) * world.runs // 300
    died = world.chance.uniform(0.05, 3)
    for run in world.numbers():
        world.make(run, size, count, alive=run > world.runs - limit)
        world.make(run, size, round(count * died), alive=0, late=False)


def cache_with_random_replacement(world: World) -> None:
    size, count = world.size()
    limit = world.chance.randint(10, 150) * world.runs // 300 or 1
    for run in world.numbers():
        evicting = world.runs - max(run, limit)
        stays = (1 - 1 / limit) ** max(0, evicting)
        world.make(run, size, count, alive=stays)


def step(world: World) -> None:
    size, count = world.size()
    at = world.chance.randint(1, world.runs)
    for run in world.numbers():
        world.make(run, size, count * 10 if run == at else count, alive=run == at, late=False)


def log_growth(world: World) -> None:
    size, count = world.size()
    for run in world.numbers():
        mean = 30 * count / run
        world.make(run, size, int(mean) + (world.chance.random() < mean % 1))


def sawtooth(world: World) -> None:
    """Garbage of the last k runs waits for the collector."""
    size, count = world.size()
    waiting = world.chance.randint(1, 60) * world.runs // 300
    for run in world.numbers():
        world.make(run, size, count, alive=run > world.runs - waiting)


def lazy_imports(world: World) -> None:
    runs = {world.chance.randint(1, max(2, round(world.runs * world.chance.random() ** 3))) for _ in range(8)}
    for run in runs:
        world.make(run, 600, world.chance.randint(100, 5000))


def interned_strings(world: World) -> None:
    """New ones thin out exponentially."""
    _, count = world.size()
    scale = world.chance.uniform(5, 40) * world.runs / 300
    for run in world.numbers():
        mean = count * math.exp(-run / scale)
        world.make(run, 60, int(mean) + (world.chance.random() < mean % 1))


def huge_blocks(world: World) -> None:
    """In a few random runs, of sizes without a mean."""
    for run in world.chance.sample(world.numbers(), world.chance.randint(1, 6)):
        world.make(run, min(500 * MIB, round(MIB * world.chance.paretovariate(0.8))))


def one_huge_block(world: World) -> None:
    """50 MB stay of one run; the others leave nothing but a stray block at times."""
    world.make(world.chance.randint(1, world.runs), 50_000_000)
    for run in world.numbers():
        if world.chance.random() < 0.03:
            world.make(run, 200, 5)


def zipf_cache(world: World) -> None:
    """Without a limit, but keys come again: new ones are ever fewer."""
    keys, asked = world.chance.choice([500, 2000]), world.chance.choice([40, 100])
    weights, total = [], 0.0
    for rank in range(1, keys + 1):
        total += rank**-1.1
        weights.append(total)
    known: set[int] = set()
    for run in world.numbers():
        fresh = set(world.chance.choices(range(keys), cum_weights=weights, k=asked)) - known
        known |= fresh
        world.make(run, 8 * KIB, len(fresh))


def raised_interval(world: World) -> None:
    """A cache, and the sampler's distance grows in between."""
    size, count = world.size()
    limit = world.chance.randint(10, 150) * world.runs // 300
    at = world.chance.randint(1, world.runs)
    for run in world.numbers():
        if run == at:
            world.raise_interval(world.interval * 8)
        world.make(run, size, count, alive=run > world.runs - limit)


def overlapping_runs(world: World) -> None:
    """What runs hold while they are open, with up to thirty open, is no survivor."""
    size, count = world.size()
    still = range(world.runs - 30, world.runs + 1)
    world.open = set(world.chance.sample(still, world.chance.randint(5, 30))) | {2}
    for run in world.numbers():
        there = run in world.open or run > world.runs - 3
        world.make(run, size, count, alive=there, late=False)


INNOCENT: tuple[Callable[[World], None], ...] = (
    warm_up,
    cache,
    cache_among_others,
    cache_with_random_replacement,
    step,
    log_growth,
    sawtooth,
    lazy_imports,
    interned_strings,
    huge_blocks,
    one_huge_block,
    zipf_cache,
    raised_interval,
    overlapping_runs,
)


def worlds(program: Callable[[World], None], seeds: range, runs: int, interval: int) -> Iterator[World]:
    """Yield what becomes of a program, once a seed."""
    for seed in seeds:
        world = World(seed, runs, interval)
        program(world)
        yield world
