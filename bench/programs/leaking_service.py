"""A service that leaks, of so many MB, and is diagnosed from outside: `leaking_service.py MB`.

Says "ready" when it has grown; then it serves until its input ends, and hands over the longest time between
two requests.
"""

import sys
import threading
import time

from side_by_side.children import hand_over

import outlive
from programs.memory import rss_bytes

MB = 1_000_000
RUNS = 300
SESSIONS: dict[int, list[dict[str, object]]] = {}


def export(number: int, rows: int) -> None:
    """Leave rows behind, as an ORM's session would."""
    SESSIONS[number] = [{"id": row, "text": f"row {row} of {number}", "at": 1.5 * row} for row in range(rows)]


def until_the_end(over: threading.Event) -> None:
    """Set `over` when the input ends."""
    sys.stdin.read()
    over.set()


def main() -> None:
    """Grow by runs that leak, then serve without."""
    outlive.start()
    rows = int(sys.argv[1]) * MB // RUNS // 335
    for number in range(RUNS):
        with outlive.scope("export"):
            export(number, rows)
    over = threading.Event()
    threading.Thread(target=until_the_end, args=(over,), daemon=True).start()
    print("ready", flush=True)
    longest, last = 0.0, time.perf_counter()
    while not over.is_set():
        with outlive.scope("request"):
            time.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    hand_over(longest=longest, rss=rss_bytes())


if __name__ == "__main__":
    main()
