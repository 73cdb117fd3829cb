"""Stacks as a tree of calls, from the outermost frame down to the allocating line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from outlive.model.recording import Frame
from outlive.recording.totals import Sum, is_own, sums
from outlive.report.stack_text import inwards

if TYPE_CHECKING:
    from outlive.model.recording import Recording

ROOT = Frame("all", "", 0)


@dataclass(slots=True)
class Node:
    """A frame reached by one path, and what is in use that was allocated there or further in."""

    frame: Frame
    held: Sum = field(default_factory=Sum)
    children: dict[int, Node] = field(default_factory=dict)  # by the frame's number in this tree

    def parted(self, least_bytes: float, most: int) -> tuple[list[Node], list[Node]]:
        """Divide the children, largest first, into those worth showing and the smaller ones.

        Worth showing are those of at least `least_bytes`, at most `most`. A single small one is: the words
        that stand for it would take its place.
        """
        children = sorted(self.children.values(), key=lambda child: child.held.total, reverse=True)
        count = sum(child.held.total >= least_bytes for child in children[:most])
        if count == len(children) - 1:
            count += 1
        return children[:count], children[count:]


def call_tree(recording: Recording) -> Node:
    """Return the root of all stacks that hold something, outlive's own left out."""
    root = Node(ROOT)
    pairs: list[tuple[Node, Node]] = []  # parent, child: parents before their children
    numbers: dict[Frame, int] = {}
    numbers_by_id: dict[int, int] = {}  # frames are shared, and hashing one takes longer than all else here
    for stack_number, held in sums(recording.samples).items():
        stack = recording.stacks[stack_number]
        if is_own(stack):
            continue
        node = root
        for frame in inwards(stack):
            number = numbers_by_id.get(id(frame), -1)
            if number < 0:
                number = numbers_by_id[id(frame)] = numbers.setdefault(frame, len(numbers))
            child = node.children.get(number)
            if child is None:
                child = node.children[number] = Node(frame)
                pairs.append((node, child))
            node = child
        node.held.merge(held)
    for parent, child in reversed(pairs):
        parent.held.merge(child.held)
    return root


def merged(nodes: list[Node]) -> Sum:
    """Return what all of these hold together."""
    whole = Sum()
    for node in nodes:
        whole.merge(node.held)
    return whole
