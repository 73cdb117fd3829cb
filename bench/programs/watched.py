"""A workload under a sampler from its first line on: `watched.py NAME SIZE RUNS SAMPLER`."""

import gc
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

from side_by_side.children import hand_over

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
    """Time the work alone, on the processor's clock: the best of a few runs, as noise only ever adds."""
    name, size, runs, sampler = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    seconds = []
    SAMPLERS[sampler](Path(tempfile.mkdtemp()))
    work = workload(name, size)
    for _ in range(runs):
        gc.collect()  # or a full collection falls into one run and not into another
        started = process_time()
        work()
        seconds.append(process_time() - started)
    hand_over(cpu_seconds=min(seconds), units=size)


if __name__ == "__main__":
    main()
