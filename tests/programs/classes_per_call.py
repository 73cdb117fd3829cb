"""Classes made anew by each call, and kept.

3 held by module: __main__ → MODELS → list[3]
"""

import sys

import outlive


class Leaked(type):
    pass


def model() -> type:
    return Leaked("Model", (), {})


MODELS = [model() for _ in range(3)]

outlive.snapshot(sys.argv[1])
