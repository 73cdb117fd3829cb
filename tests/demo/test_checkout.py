"""The example is found beside the source or here; otherwise the error says what to type."""

import importlib.util
from pathlib import Path

import pytest

from outlive.demo import checkout
from outlive.demo.checkout import find_checkout
from outlive.errors import OutliveError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed_from_a_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checkout, "__file__", str(tmp_path / "site-packages/outlive/demo/checkout.py"))


@pytest.mark.usefixtures("installed_from_a_wheel")
def test_a_wheel_runs_it_from_inside_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert find_checkout() == ROOT


@pytest.mark.usefixtures("installed_from_a_wheel")
def test_elsewhere_a_wheel_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutliveError, match="script/demo"):
        find_checkout()


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "aiosqlite" else find_spec(name)
    )
    with pytest.raises(OutliveError, match=r"needs aiosqlite.*pip install -e '\.\[app\]'"):
        find_checkout()
