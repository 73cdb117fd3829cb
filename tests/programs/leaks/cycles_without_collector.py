"""Trees whose children know their parent, in a process that turned the collector off.

expect: cycle garbage
scope: parse
per run: 29800
"""

import gc
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
gc.disable()


class Node:
    def __init__(self, parent: "Node | None", text: bytes) -> None:
        self.parent = parent
        self.text = text
        self.children: list[Node] = []


def parse(document: int) -> int:
    root = Node(None, b"")
    for number in range(50):
        text = (document * 100 + number).to_bytes(400)  # made
        root.children.append(Node(root, text))
    return len(root.children)


for document in range(RUNS):
    with outlive.scope("parse"):
        parse(document)
