"""A search function registered with codecs.

3 held by interpreter or native reference: search → rows → list[3]
"""

import codecs
import sys

import outlive


class Leaked:
    pass


def register() -> None:
    rows = [Leaked() for _ in range(3)]

    def search(_name: str) -> None:
        len(rows)

    codecs.register(search)


register()

outlive.snapshot(sys.argv[1])
