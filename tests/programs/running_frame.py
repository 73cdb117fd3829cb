"""A local of a function that is running.

3 held by thread: MainThread → main → {runs} → rows → list[3]
"""

import sys

import outlive


class Leaked:
    pass


def main() -> int:
    rows = [Leaked() for _ in range(3)]
    outlive.snapshot(sys.argv[1])  # runs
    return len(rows)


main()
