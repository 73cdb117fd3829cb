"""`outlive run --scope`: functions as scopes by their name alone, with no change to the program's code."""

from pathlib import Path

import pytest

from outlive.recording import reader
from tests.cli.conftest import Home

SHOP = """
kept = []
def export(megabytes):
    kept.append(bytearray(megabytes << 20))
    return megabytes
registered = export  # taken before it can be wrapped
async def later(megabytes): kept.append(bytearray(megabytes << 20))
def rows():
    yield 1
class Shop:
    def sell(self, megabytes): kept.append(bytearray(megabytes << 20))
    @classmethod
    def open(cls, megabytes): kept.append(bytearray(megabytes << 20))
    @staticmethod
    def close(megabytes): kept.append(bytearray(megabytes << 20))
    class Till:
        async def count(self, megabytes): kept.append(bytearray(megabytes << 20))
"""
MAIN = """
import asyncio, inspect
import shop.jobs
from shop.jobs import Shop, export, later
assert (export(11), export(12)) == (11, 12)
shop.jobs.export(13)
asyncio.run(later(14))
Shop().sell(15)
Shop.open(16)
Shop().close(17)
asyncio.run(Shop.Till().count(18))
shop.jobs.registered(19)
assert str(inspect.signature(export)) == "(megabytes)" and inspect.iscoroutinefunction(later)
print("sold")
"""


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "recordings"
    monkeypatch.setenv("OUTLIVE_RECORDING", str(folder))
    return folder


@pytest.fixture
def shop(home: Home) -> Home:
    home.write("shop/__init__.py", "")
    home.write("shop/jobs.py", SHOP)
    home.write("main.py", MAIN)
    return home


def options(*names: str) -> list[str]:
    return [word for name in names for word in ("--scope", name)]


def found(recordings: Path) -> dict[int, tuple[str, int]]:
    """By the size of a block, in MiB: the scope and run that it was made in."""
    (file,) = recordings.iterdir()
    recording = reader.read(file)
    return {
        sample.size >> 20: (recording.scopes[sample.scope].name if sample.scope else "", sample.run)
        for sample in recording.samples
        if sample.size >> 20
    }


def test_functions_and_methods(shop: Home, recordings: Path) -> None:
    qualnames = ["export", "later", "Shop.sell", "Shop.open", "Shop.close", "Shop.Till.count"]
    ended = shop.run(*options(*(f"shop.jobs:{name}" for name in qualnames)), "main.py")
    assert (ended.code, ended.out.splitlines()[0]) == (0, "sold"), ended
    assert "no scope" not in ended.out
    assert found(recordings) == {
        11: ("export", 1),
        12: ("export", 2),
        13: ("export", 3),
        14: ("later", 1),
        15: ("Shop.sell", 1),
        16: ("Shop.open", 1),
        17: ("Shop.close", 1),
        18: ("Shop.Till.count", 1),
        19: ("", 0),
    }


def test_a_module_that_is_imported_in_the_midst_and_one_with_m(shop: Home, recordings: Path) -> None:
    shop.write("shop/__main__.py", "def main():\n    from shop.jobs import export\n    export(11)\nmain()\n")
    assert shop.run(*options("shop.jobs:export"), "-m", "shop").code == 0
    assert found(recordings) == {11: ("export", 1)}


@pytest.mark.usefixtures("recordings")
def test_what_never_came_is_said_with_its_reason(shop: Home) -> None:
    names = [
        "shop.jobs:nothing",
        "shop.jobs:Shop.rent",
        "shop.stock:count",
        "shop.jobs:rows",
        "shop.jobs:Shop",
    ]
    document = shop.profile(*options(*names, "__main__:main"), "main.py")
    notes = document["notes"]
    assert notes[0] == "no scope shop.jobs:nothing: shop.jobs has no nothing"
    assert notes[1] == "no scope shop.jobs:Shop.rent: shop.jobs has no Shop.rent"
    assert notes[2].startswith("no scope shop.stock:count: shop.stock was not imported")
    assert notes[3].startswith("no scope shop.jobs:rows: outlive.scope() can't decorate rows, a generator")
    assert "not the class Shop" in notes[4]
    assert "@outlive.scope" in notes[5]
    assert len(notes) == 6


@pytest.mark.parametrize("word", ["shop.jobs", "shop:", ":export", "shop/jobs.py:export", "a:b:c", ""])
def test_what_names_no_function(shop: Home, recordings: Path, word: str) -> None:
    ended = shop.run("--scope", word, "main.py")
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    assert "names no function" in line
    assert "app.jobs:export" in line
    assert not recordings.exists()


def test_an_import_that_fails_is_told_as_ever(home: Home, recordings: Path) -> None:
    home.write("broken.py", "1 / 0\n")
    home.write("main.py", "import broken\n")
    assert home.run(*options("broken:f"), "main.py").own[2] == home.plain("main.py").err
    assert recordings.exists()
