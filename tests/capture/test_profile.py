"""The decorator leaves what it decorates as it was."""

from __future__ import annotations

import inspect
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

import outlive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


UNCHANGED = """
import inspect, outlive
from {module} import {function} as function

def traits(f):
    return (inspect.iscoroutinefunction(f), inspect.isasyncgenfunction(f), inspect.isgeneratorfunction(f),
            f.__name__, f.__doc__, inspect.signature(f))

before = traits(function)
assert outlive.profile(function) is function
assert traits(function) == before
"""


def plain(a: int, b: str = "x") -> str:
    """Say it."""
    return b * a


async def coroutine() -> None:
    """Wait."""


async def async_generator() -> AsyncIterator[int]:
    """Yield later."""
    yield 1


def generator() -> Iterator[int]:
    """Yield."""
    yield 1


@pytest.mark.parametrize("function", [plain, coroutine, async_generator, generator])
def test_the_function_itself_comes_back(function: object) -> None:
    # In a child: counting, once begun, would go on in this process.
    program = UNCHANGED.format(module=__name__, function=function.__name__)  # type: ignore[attr-defined]
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert inspect.isfunction(function)


@pytest.mark.parametrize("not_python", [len, 42, "text", str.upper, partial(len), type("C", (), {})()])
def test_what_has_no_lines_is_refused(not_python: object) -> None:
    with pytest.raises(TypeError, match="needs a function written in Python"):
        outlive.profile(not_python)  # type: ignore[type-var]


def test_a_plain_script_prints_its_table_at_exit(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import outlive\n@outlive.profile\ndef work():\n    return bytearray(3_000_000)\n"
        "kept = work()\nprint('done')\n",
        encoding="utf-8",
    )
    child = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    lines = child.stdout.splitlines()
    assert lines[0] == "done"
    assert any("return bytearray(3_000_000)" in line and "2.9 MiB" in line for line in lines)
    assert child.stderr == ""


def test_fastapi_accepts_decorated_endpoints_and_dependencies(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    script = tmp_path / "service.py"
    script.write_text(
        "import outlive\n"
        "from fastapi import Depends, FastAPI\n"
        "from fastapi.testclient import TestClient\n"
        "app = FastAPI()\n"
        "@outlive.profile\n"
        "async def session():\n"
        "    yield 'session'\n"
        "@app.get('/above/{n}')\n"
        "@outlive.profile\n"
        "async def above(n: int, s: str = Depends(session)) -> dict:\n"
        "    return {'n': n, 's': s}\n"
        "@outlive.profile\n"
        "@app.get('/below/{n}')\n"
        "def below(n: int) -> dict:\n"
        "    return {'n': n}\n"
        "client = TestClient(app)\n"
        "assert client.get('/above/3').json() == {'n': 3, 's': 'session'}\n"
        "assert client.get('/below/4').json() == {'n': 4}\n"
        "assert client.get('/above/x').status_code == 422\n",
        encoding="utf-8",
    )
    child = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    for name in ("above", "below", "session"):
        assert f"Function: {name} (" in child.stdout
