"""A workload under a sampler from its first line on: `watched.py NAME SIZE RUNS SAMPLER`."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from side_by_side.children import hand_over
from side_by_side.timing import best_cpu_seconds

from programs.samplers import SAMPLERS


def workload(name: str, size: int) -> Callable[[], object]:
    """Return the work of that name. Only its own module is imported: the others have their own imports."""
    if name == "constraints":
        from programs.constraints import constraints

        return constraints(size)
    if name == "requests":
        from programs.service import requests

        return requests(size)
    from programs.workloads import WORKLOADS

    return WORKLOADS[name](size)


def main() -> None:
    """Time the work alone, its making left out."""
    name, size, runs, sampler = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    SAMPLERS[sampler](Path(tempfile.mkdtemp()))
    work = workload(name, size)
    hand_over(cpu_seconds=best_cpu_seconds(work, runs), units=size)


if __name__ == "__main__":
    main()
