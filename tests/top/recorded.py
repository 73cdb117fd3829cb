"""A real process that sleeps, and a recording that says it is its own."""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from outlive.capture import proc
from outlive.model.recording import Recording, Sample
from tests.recording import synthetic

MIB = 1 << 20

STACKS = {
    1: synthetic.stack("remember /srv/shop/cache.py:5", "handle /srv/shop/app.py:10"),
    2: synthetic.stack("remember /srv/shop/cache.py:5", "warm /srv/shop/app.py:30"),
    3: synthetic.stack("rows /srv/shop/export.py:41", "handle /srv/shop/app.py:10"),
}


def blocks(stack: int, count: int, *, first: int = 0, born: float = 1.0) -> list[Sample]:
    """Make live blocks of 1 MiB: so much larger than the interval that each is sampled, and worth 1.0 MiB."""
    return [
        synthetic.sample(stack, born=born, address=(stack << 32) + 4096 * (first + number))
        for number in range(count)
    ]


def shop(samples: Sequence[Sample], uptime: float = 100.0, **fields: object) -> Recording:
    """Make the recording of a service that has grown from 50 MiB to 150 MiB."""
    timeline = [
        synthetic.point(
            float(second), rss=(50 + round(second)) * MIB, python_in_use=(20 + round(second)) * MIB
        )
        for second in range(round(uptime) + 1)
    ]
    notes = {"program": "shop.py", "python": "3.12.1", "cgroup": {"path": "", "limit": 200 * MIB}}
    return synthetic.recording(STACKS, samples, timeline, notes=notes, **fields)  # type: ignore[arg-type]


class Sleeper:
    """A process that does nothing, and the file in which its recording stands."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(["sleep", "600"])
        self.pid = self.process.pid
        self.file = folder / f"{self.pid}.outlive"

    def write(self, recording: Recording) -> Path:
        """Replace the recording, as this process's."""
        fields = proc.read(f"/proc/{self.pid}/stat").rpartition(b")")[2].split()
        here = {
            "start_ticks": int(fields[19]),
            "boot_id": proc.boot_id(),
            "pid_namespace": proc.pid_namespace(),
        }
        process = replace(recording.process, pid=self.pid, notes={**recording.process.notes, **here})
        return self._replace(replace(recording, process=process))

    def _replace(self, recording: Recording) -> Path:
        part = self.file.with_suffix(".part")
        synthetic.write(part, recording)
        return part.replace(self.file)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
