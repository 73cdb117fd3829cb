"""Test bodies that leave something behind, or only seem to. Each seed has sizes and times of its own."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import gc
import math
import os
import random
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from outlive.capture import gauges

if TYPE_CHECKING:
    from collections.abc import Callable

KIB, MB = 1 << 10, 1_000_000
LIMIT = KIB  # a run
COUNTERS_LIMIT = 100 * KIB  # below it, memory can't give away what a counter is to find


class Body:
    """What a test does. Each run makes noise: blocks that die with it, a result that the next replaces."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a simulation
        self.runs = 0
        self.kept: list[object] = []
        self._blocks = self.chance.randrange(20, 200)
        self._result_bytes = self.chance.choice((0, 4, 16)) * KIB
        self._result: bytes | None = None

    def __call__(self) -> None:
        """Run once."""
        self.runs += 1
        passing: list[object] = []
        for number in range(self.chance.randrange(self._blocks // 2, self._blocks)):
            passing.append(bytes(self.chance.randrange(16, 4000)))
            passing.append({"number": number, "text": str(number) * 5})
        passing.append(passing)  # garbage that only the collector finds
        self._result = bytes(self.chance.randrange(self._result_bytes + 1))
        self.run()

    def run(self) -> None:
        """Do what the family does: nothing."""

    def end(self) -> None:
        """Give all back before the next round."""
        self.kept.clear()
        gc.collect()


class WarmUp(Body):
    """Each of the first runs leaves something behind, up to 60 of them."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._last_run = self.chance.randrange(5, 61)
        self._most_bytes = self.chance.randrange(2, 51) * KIB

    def run(self) -> None:
        """Warm up."""
        if self.runs <= self._last_run:
            self.kept.append(bytes(self.chance.randrange(KIB, self._most_bytes)))


class Step(Body):
    """One run, somewhere, leaves 50 KiB to 5 MiB behind."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._when = self.chance.randrange(1, 121)
        self._size_bytes = self.chance.randrange(50, 5000) * KIB

    def run(self) -> None:
        """Step."""
        if self.runs == self._when:
            self.kept.append(bytes(self._size_bytes))


class Cyclic:
    """Refers to itself; only the collector frees it."""

    def __init__(self, size_bytes: int) -> None:
        self.payload = bytes(size_bytes)
        self.itself = self


class Sawtooth(Body):
    """Cycles so old, when they are let go, that only a full collection frees them: one in 7 to 60 runs."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._period = self.chance.randrange(7, 61)
        self._size_bytes = self.chance.randrange(1, 31) * KIB
        self._recent: deque[Cyclic] = deque(maxlen=3)

    def run(self) -> None:
        """Make one, and let the third last go."""
        self._recent.append(Cyclic(self._size_bytes))
        if self.runs % self._period == 0:
            gc.collect()

    def end(self) -> None:
        """Let all go."""
        self._recent.clear()
        super().end()


class Logarithm(Body):
    """Grows with the logarithm of the runs: a table of what is seen for the first time."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._scale = self.chance.randrange(20, 401) * KIB
        self._total = 0

    def run(self) -> None:
        """Keep what is new."""
        while self._total < self._scale * math.log(1 + self.runs):
            block = bytes(self.chance.randrange(100, 900))
            self.kept.append(block)
            self._total += len(block)


class Lru(Body):
    """A cache with a limit of 20 to 250 entries, to which each run adds one: a dict's or functools' own."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._limit = self.chance.randrange(20, 251)
        self._least, self._most = sorted((self.chance.randrange(2, 51), self.chance.randrange(51, 101)))
        self._entries: OrderedDict[int, bytes] = OrderedDict()
        self._cached = functools.lru_cache(self._limit)(self._made)
        self._is_dict = self.chance.random() < 1 / 2

    def _made(self, _key: int) -> bytes:
        return bytes(self.chance.randrange(self._least * KIB // 2, self._most * KIB // 2))

    def run(self) -> None:
        """Add an entry."""
        if not self._is_dict:
            self._cached(self.runs)
            return
        self._entries[self.runs] = self._made(self.runs)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def end(self) -> None:
        """Empty it."""
        self._entries.clear()
        self._cached.cache_clear()
        super().end()


class Leak(Body):
    """Each run leaves so much behind, in one to eight pieces."""

    def __init__(self, seed: int, size_bytes: int) -> None:
        super().__init__(seed)
        self._pieces = self.chance.randrange(1, 9)
        self._size_bytes = size_bytes

    def run(self) -> None:
        """Leak."""
        for _ in range(self._pieces):
            self.kept.append(bytes(self._size_bytes // self._pieces))


class LeakedObject(Body):
    """Each run leaves an object of 16 bytes."""

    def run(self) -> None:
        """Leak."""
        self.kept.append(object())


class LeakedFile(Body):
    """Each run leaves a file descriptor open."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._files: list[int] = []

    def run(self) -> None:
        """Leak."""
        self._files.append(os.open(os.devnull, os.O_RDONLY))

    def end(self) -> None:
        """Close them."""
        for file in self._files:
            os.close(file)
        super().end()


class LeakedThread(Body):
    """Each run leaves a thread that sleeps."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def run(self) -> None:
        """Leak."""
        self._threads.append(threading.Thread(target=self._over.wait, daemon=True))
        self._threads[-1].start()

    def end(self) -> None:
        """Wake them, and wait for their end."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        super().end()


class LeakedTask(Body):
    """Each run leaves a task pending, on a loop that does not run."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._loop = asyncio.new_event_loop()
        self._tasks: list[asyncio.Task[None]] = []

    def run(self) -> None:
        """Leak."""
        self._tasks.append(self._loop.create_task(asyncio.sleep(1)))

    def end(self) -> None:
        """Cancel them."""
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()
        super().end()


class NativeLeak(Body):
    """Each run leaves memory of malloc's behind, all of it written to."""

    def __init__(self, seed: int, size_bytes: int) -> None:
        super().__init__(seed)
        self._libc = ctypes.CDLL(None)
        self._libc.malloc.restype = ctypes.c_void_p
        self._libc.malloc.argtypes = (ctypes.c_size_t,)
        self._libc.free.argtypes = (ctypes.c_void_p,)
        self._size_bytes = size_bytes
        self._addresses: list[int] = []

    def run(self) -> None:
        """Leak."""
        address = self._libc.malloc(self._size_bytes)
        ctypes.memset(address, 1, self._size_bytes)
        self._addresses.append(address)

    def end(self) -> None:
        """Free it."""
        for address in self._addresses:
            self._libc.free(address)
        super().end()


class ArrayLeak(Body):
    """Each run leaves an array of numpy's behind."""

    def __init__(self, seed: int, size_bytes: int) -> None:
        super().__init__(seed)
        self._items = size_bytes // 8

    def run(self) -> None:
        """Leak."""
        import numpy as np

        self.kept.append(np.ones(self._items))


@dataclass(frozen=True, slots=True)
class Family:
    """Bodies of a kind. `gauge`: what has to be named for a leak to count as found."""

    make: Callable[[int], Body]
    limit_bytes: int = LIMIT
    gauge: str = ""


BENIGN = {
    "flat": Family(Body),
    "warm-up": Family(WarmUp),
    "one-off step": Family(Step),
    "GC sawtooth": Family(Sawtooth),
    "log growth": Family(Logarithm),
    "LRU filling": Family(Lru),
    "flat, limit 0": Family(Body, 0),
}
LEAKS = {f"{kib} KiB a run": Family(partial(Leak, size_bytes=kib * KIB)) for kib in (2, 10, 20, 100)}
COUNTERS = {
    "an object a run, limit 0": Family(LeakedObject, 0),
    "a file descriptor a run": Family(LeakedFile, COUNTERS_LIMIT, gauges.FILES),
    "a thread a run": Family(LeakedThread, COUNTERS_LIMIT, gauges.THREADS),
    "an asyncio task a run": Family(LeakedTask, COUNTERS_LIMIT, gauges.TASKS),
}
NATIVE = {
    "malloc, 1 MB a run": Family(partial(NativeLeak, size_bytes=MB)),
    "numpy, 1 MB a run": Family(partial(ArrayLeak, size_bytes=MB)),
    "malloc, 20 MB a run": Family(partial(NativeLeak, size_bytes=20 * MB)),
}
FAMILIES = {**BENIGN, **LEAKS, **COUNTERS, **NATIVE}
