"""A cache that holds images weakly: they go when their page does.

expect: no leak
"""

import os
import weakref

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Image:
    def __init__(self) -> None:
        self.pixels = bytearray(90_000)


IMAGES: weakref.WeakValueDictionary[int, Image] = weakref.WeakValueDictionary()


def show(page: int) -> int:
    images = [IMAGES.setdefault(page * 10 + number, Image()) for number in range(3)]
    return sum(len(image.pixels) for image in images)


for page in range(RUNS):
    with outlive.scope("show"):
        show(page)
