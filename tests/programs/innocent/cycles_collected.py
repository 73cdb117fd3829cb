"""Trees with references to their parents; the collector comes by as it is wont to.

expect: no leak
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Node:
    def __init__(self, parent: "Node | None") -> None:
        self.parent = parent
        self.children: list[Node] = []
        self.text = bytearray(100)


def parse() -> int:
    root = Node(None)
    root.children = [Node(root) for _ in range(100)]
    return len(root.children)


for _ in range(RUNS):
    with outlive.scope("parse"):
        parse()
