"""Notes on objects in a WeakKeyDictionary, of plain bytes: gone with the object.

expect: no leak
"""

import os
import weakref

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Document:
    pass


NOTES: weakref.WeakKeyDictionary[Document, bytes] = weakref.WeakKeyDictionary()


def read(number: int) -> int:
    document = Document()
    NOTES[document] = number.to_bytes(40_000)
    return len(NOTES)


for number in range(RUNS):
    with outlive.scope("read"):
        read(number)
