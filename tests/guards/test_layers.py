"""Imports only point down the floor plan that outlive's docstring draws.

A row of the plan is a floor; what stands in brackets is a comment. Rooms on one floor don't know each other.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guards.checkout import PACKAGE

NATIVE_IN = {"capture/core.py", "heap/core.py"}


def floor_plan(docstring: str) -> dict[str, int]:
    """Each room's floor, 0 the highest."""
    _, _, drawing = docstring.partition("Floor plan")
    block = drawing.split("\n\n", 2)[1]
    return {room: floor for floor, row in enumerate(block.splitlines()) for room in row.split("(")[0].split()}


def imported(source: str, package: str) -> Iterator[str]:
    """Each module of outlive that the source imports, as far as the text tells: `outlive.model.size.Size`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            module = ".".join(filter(None, [above, node.module]))
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "outlive")


def room_of(name: str, plan: dict[str, int]) -> str | None:
    """The room that holds a module; None for the package itself, which is made of what is below the doors."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in plan else None


def upward(source: str, module: str, plan: dict[str, int]) -> list[str]:
    """What `module` imports though it is not below it."""
    own = module.split(".")[1]
    found = []
    for name in imported(source, module.rpartition(".")[0]):
        room = room_of(name, plan)
        is_door = plan[own] == 0
        if (room is None and not is_door) or (room is not None and room != own and plan[room] <= plan[own]):
            found.append(name)
    return found


def module_name(path: Path) -> str:
    return ".".join(("outlive", *path.relative_to(PACKAGE).with_suffix("").parts))


@pytest.fixture(scope="module")
def plan() -> dict[str, int]:
    return floor_plan(ast.get_docstring(ast.parse((PACKAGE / "__init__.py").read_text())) or "")


def in_rooms() -> list[Path]:
    top = {PACKAGE / "__init__.py", PACKAGE / "__main__.py"}
    return [path for path in PACKAGE.rglob("*.py") if path not in top]


def test_every_room_is_on_the_plan(plan: dict[str, int]) -> None:
    rooms = {module_name(path).split(".")[1] for path in in_rooms()} | {"_native"}
    assert rooms <= set(plan)


def test_imports_point_down(plan: dict[str, int]) -> None:
    wrong = {str(path): upward(path.read_text(), module_name(path), plan) for path in in_rooms()}
    assert not {path: names for path, names in wrong.items() if names}


def test_package_imports_no_door(plan: dict[str, int]) -> None:
    names = imported((PACKAGE / "__init__.py").read_text(), "outlive")
    assert not [name for name in names if plan.get(room_of(name, plan) or "") == 0]


def test_native_module_is_imported_in_one_file_a_room() -> None:
    users = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(name.startswith("outlive._native") for name in imported(path.read_text(), "outlive.x"))
    }
    assert users == NATIVE_IN


PLANTED_PLAN = {"cli": 0, "web": 0, "report": 1, "model": 2, "errors": 3, "_native": 3}


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("outlive.report.text", "from outlive.model.size import Size", []),
        ("outlive.report.text", "from . import json", []),
        ("outlive.cli.run", "from outlive import profile", []),
        ("outlive.model.size", "import outlive.report.text", ["outlive.report.text"]),
        ("outlive.model.size", "from ..report import text", ["outlive.report.text"]),
        ("outlive.model.size", "def f():\n    from outlive import report", ["outlive.report"]),
        ("outlive.model.size", "from outlive import profile", ["outlive.profile"]),
        ("outlive.cli.run", "import outlive.web", ["outlive.web"]),
        ("outlive.errors", "from outlive import _native", ["outlive._native"]),
    ],
)
def test_an_upward_import_is_seen(module: str, source: str, wrong: list[str]) -> None:
    assert upward(source, module, PLANTED_PLAN) == wrong


def test_a_plan_is_read() -> None:
    text = "Title.\n\nFloor plan: down.\n\n    cli   web  (doors)\n    report\n\nMore text.\n"
    assert floor_plan(text) == {"cli": 0, "web": 0, "report": 1}
