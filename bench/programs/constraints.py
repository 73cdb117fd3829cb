"""A small solver of constraint hierarchies: methods, attributes and short lists, hardly a large block.

Rules of different strengths compete for cells; the stronger wins, the beaten one looks for another cell, and
a plan is the rules in the order that lets values flow (the kind of planner that Freeman-Benson, Maloney and
Borning describe in "An incremental constraint solver", 1990).
"""

from collections.abc import Callable, Iterable
from itertools import pairwise

REQUIRED, STRONG, WEAK = 0, 1, 2


class Cell:
    """A value, the rule that sets it and the rules that read it."""

    def __init__(self, name: str, value: int = 0) -> None:
        """Begin free: no rule sets it."""
        self.name, self.value = name, value
        self.source: Rule | None = None
        self.readers: list[Rule] = []

    def held(self) -> int:
        """Return how strongly its value is held; larger is weaker."""
        return WEAK + 1 if self.source is None else self.source.strength


class Rule:
    """Holds one of its cells to a function of the others."""

    def __init__(self, strength: int, *cells: Cell) -> None:
        """Join cells; nothing is set before the network adopts the rule."""
        self.strength, self.cells = strength, cells
        self.target: Cell | None = None

    def outputs(self) -> Iterable[Cell]:
        """Return the cells that it knows how to set."""
        return self.cells

    def inputs(self) -> list[Cell]:
        """Return the cells that it reads to set its target."""
        return [cell for cell in self.cells if cell is not self.target]

    def run(self) -> None:
        """Set the target."""
        raise NotImplementedError


class Keep(Rule):
    """Leaves a cell as it is."""

    def run(self) -> None:
        """See Rule."""


class Linear(Rule):
    """Holds `second = first * factor + offset`, either way round."""

    def __init__(self, strength: int, first: Cell, second: Cell, factor: int, offset: int) -> None:
        """Take both cells and the line's parameters."""
        super().__init__(strength, first, second)
        self.factor, self.offset = factor, offset

    def run(self) -> None:
        """See Rule."""
        first, second = self.cells
        if self.target is second:
            second.value = first.value * self.factor + self.offset
        else:
            first.value = (second.value - self.offset) // self.factor


class Network:
    """Cells and the rules in force."""

    def __init__(self) -> None:
        """Begin empty."""
        self.rules: list[Rule] = []

    def add(self, rule: Rule | None) -> None:
        """Put a rule in force; the rule it beats is put in force elsewhere, if that can be."""
        while rule is not None:
            rule = self._adopt(rule)

    def remove(self, rule: Rule) -> None:
        """Take a rule out of force, and let those wait no longer that it had beaten."""
        self.rules.remove(rule)
        if rule.target is not None:
            rule.target.source = None
            rule.target = None
        for cell in rule.cells:
            cell.readers = [reader for reader in cell.readers if reader is not rule]
        for waiting in sorted((each for each in self.rules if each.target is None), key=_strength):
            self._adopt(waiting)

    def _adopt(self, rule: Rule) -> Rule | None:
        if rule not in self.rules:
            self.rules.append(rule)
            for cell in rule.cells:
                cell.readers.append(rule)
        weakest = max(rule.outputs(), key=Cell.held)
        if weakest.held() <= rule.strength:
            return None
        beaten = weakest.source
        weakest.source, rule.target = rule, weakest
        if beaten is not None:
            beaten.target = None
        return beaten

    def plan(self, start: Cell) -> list[Rule]:
        """Return the rules that pass a change of `start` on, each after those it reads from."""
        known, reached, plan = {start.name}, [start], []
        while reached:
            for rule in reached.pop().readers:
                target = rule.target
                if target is None or target.name in known:
                    continue
                if all(cell.name in known or cell.source is None for cell in rule.inputs()):
                    known.add(target.name)
                    reached.append(target)
                    plan.append(rule)
        return plan


def _strength(rule: Rule) -> int:
    return rule.strength


def chain(length: int) -> tuple[Network, list[Cell]]:
    """Return cells in a row, each bound to the next, the last held weakly."""
    network = Network()
    cells = [Cell(f"cell {number}") for number in range(length)]
    network.add(Keep(WEAK, cells[-1]))
    for number, (one, other) in enumerate(pairwise(cells)):
        network.add(Linear(REQUIRED, one, other, 1 + number % 2, number % 7))
    return network, cells


def constraints(rounds: int) -> Callable[[], object]:
    """Edit both ends of a chain in turn, planning anew each time."""

    def work() -> None:
        network, cells = chain(60)
        for number in range(rounds):
            edited = cells[0] if number % 2 else cells[-1]
            edit = Keep(STRONG, edited)
            network.add(edit)
            plan = network.plan(edited)
            for value in range(20):
                edited.value = value
                for rule in plan:
                    rule.run()
            network.remove(edit)

    return work
