"""A keyword's default value that was made once and grows.

3 held by module: __main__ → add → default → seen → list[3]
"""

import sys

import outlive


class Leaked:
    pass


def add(item: Leaked, *, seen: list[Leaked] = []) -> None:
    seen.append(item)


add(Leaked())
add(Leaked())
add(Leaked())

outlive.snapshot(sys.argv[1])
