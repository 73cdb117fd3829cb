"""Programs that know nothing of outlive: `workloads.py NAME SIZE RUNS plain|outlive|memory_profiler`."""

import json
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

from side_by_side.children import hand_over
from side_by_side.timing import best_cpu_seconds


def exporting(rows: int) -> Callable[[], object]:
    """Rows to CSV text: few, large blocks."""
    from programs.export import activities, export

    all_activities = activities(rows)
    folder = Path(tempfile.gettempdir())

    def work() -> None:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            export(all_activities, Path(file.name))

    return work


def churn(steps: int) -> Callable[[], object]:
    """Small objects that live for a moment: as many allocations a second as Python can make."""

    def work() -> None:
        window: deque[tuple[object, ...]] = deque(maxlen=1_000)
        for number in range(steps):
            window.append((number, [number], {"number": number}, str(number)))

    return work


def buffers(steps: int) -> Callable[[], object]:
    """Blocks too large for pymalloc, which live for a moment: as many as `malloc` can make."""

    def work() -> None:
        window: deque[bytes] = deque(maxlen=50)
        for number in range(steps):
            window.append(bytes(600 + number % 50 * 100))

    return work


def bytearrays(steps: int) -> Callable[[], object]:
    """Buffers of 100 KB that live for a moment, each written once."""

    def work() -> None:
        window: deque[bytearray] = deque(maxlen=20)
        for _ in range(steps):
            window.append(bytearray(100_000))

    return work


def arrays(steps: int) -> Callable[[], object]:
    """Numpy's arithmetic on 8 KB, each step with its temporaries."""
    import numpy as np

    def work() -> None:
        total = np.zeros(1_000)
        for number in range(steps):
            total = (total + number) * 0.5

    return work


def documents(passes: int) -> Callable[[], object]:
    """JSON to objects and back."""
    from programs.export import activities

    texts = [json.dumps(row.details) for row in activities(100)]

    def work() -> None:
        for _ in range(passes):
            for text in texts:
                json.dumps(json.loads(text))

    return work


class Station:
    """Serves parcels in order and sends each on; the subclasses differ in where to."""

    def __init__(self, name: str) -> None:
        """Begin with nothing to do."""
        self.name = name
        self.queue: deque[Parcel] = deque()
        self.next: list[Station] = []
        self.served = 0

    def step(self) -> bool:
        """Serve one parcel, if there is one."""
        if not self.queue:
            return False
        parcel = self.queue.popleft()
        self.served += 1
        target = self.route(parcel)
        if target is not None and parcel.travel():
            target.queue.append(parcel)
        return True

    def route(self, parcel: "Parcel") -> "Station | None":
        """Say where a parcel goes on to."""
        raise NotImplementedError


class Belt(Station):
    """Sends all to one place."""

    def route(self, parcel: "Parcel") -> Station | None:
        """See Station."""
        return self.next[0] if parcel.hops else None


class Sorter(Station):
    """Sends by what is on the label."""

    def route(self, parcel: "Parcel") -> Station | None:
        """See Station."""
        return self.next[parcel.label % len(self.next)]


class Parcel:
    """Goes from station to station until its hops are used up."""

    __slots__ = ("hops", "label")

    def __init__(self, label: int, hops: int) -> None:
        """Take a label and a number of hops."""
        self.label, self.hops = label, hops

    def travel(self) -> bool:
        """Use up a hop; false when none was left."""
        self.label = self.label * 1_103_515_245 + 12_345 & 0x7FFF_FFFF
        self.hops -= 1
        return self.hops > 0


def objects(hops: int) -> Callable[[], object]:
    """Methods, attributes and dispatch, with hardly an allocation."""

    def work() -> None:
        stations: list[Station] = [(Sorter if i % 3 == 0 else Belt)(f"station {i}") for i in range(12)]
        for i, station in enumerate(stations):
            station.next = [stations[(i + step) % len(stations)] for step in (1, 5, 7)]
            station.queue.extend(Parcel(i * 31 + number, hops) for number in range(25))
        while sum(station.step() for station in stations):
            pass

    return work


WORKLOADS = {
    work.__name__: work for work in (exporting, churn, buffers, bytearrays, arrays, objects, documents)
}


def main() -> None:
    """Time one workload."""
    from programs.export import profiled

    name, size, runs, tool = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    work = profiled(WORKLOADS[name](size), tool)
    hand_over(cpu_seconds=best_cpu_seconds(work, runs), units=size)


if __name__ == "__main__":
    main()
