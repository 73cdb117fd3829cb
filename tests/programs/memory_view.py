"""A small view that keeps a huge buffer.

1 held by module: __main__ → HEADERS → memoryview
"""

import sys

import outlive


class Leaked(bytearray):
    pass


HEADERS = [memoryview(Leaked(1_000_000))[:16]]

outlive.snapshot(sys.argv[1])
