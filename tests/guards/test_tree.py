"""What may not stand in the tree."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.guards.checkout import ROOT, files

LINES_MAX = 500
FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"(?<![\w.])/(home|root|work|Users)/\w"),
    "a package index": re.compile(r"index[-_]url|find[-_]links|pypi[.]org|pythonhosted[.]org"),
}
NUMBERED = re.compile(r"test_(\d.*|.*_\d+)[.]py")
VAGUE = {"util", "utils", "helper", "helpers", "manager", "common", "misc"}
SCRIPTS = [*sorted((ROOT / "script").iterdir()), ROOT / ".ci" / "run"]


def forbidden(text: str) -> list[str]:
    """What the text holds that it may not, with the words."""
    return [f"{what}: {found[0]}" for what, pattern in FORBIDDEN.items() if (found := pattern.search(text))]


@pytest.fixture(scope="module")
def texts() -> dict[Path, str]:
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in files()}


def test_no_machine_path_and_no_index(texts: dict[Path, str]) -> None:
    assert not {str(path): found for path, text in texts.items() if (found := forbidden(text))}


def test_files_are_short(texts: dict[Path, str]) -> None:
    assert not {str(path) for path, text in texts.items() if text.count("\n") > LINES_MAX}


def test_file_names_say_what_is_in_them(texts: dict[Path, str]) -> None:
    assert not [str(path) for path in texts if path.stem in VAGUE or NUMBERED.fullmatch(path.name)]


def test_links_between_pages_lead_somewhere(texts: dict[Path, str]) -> None:
    pages = {path: text for path, text in texts.items() if path.suffix == ".md"}
    links = [
        ROOT / path.parent / link
        for path, text in pages.items()
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    ]
    assert links
    assert not [str(link.relative_to(ROOT)) for link in links if not link.exists()]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_scripts_pass_shellcheck() -> None:
    checked = subprocess.run(["shellcheck", *SCRIPTS], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    "text",
    ["open('/" + "home/ann/x')", "pip install --index-" + "url x", "https://pypi." + "org/simple"],
)
def test_what_is_forbidden_is_seen(text: str) -> None:
    assert forbidden(text)


@pytest.mark.parametrize(
    ("name", "numbered"),
    [("test_2.py", True), ("test_run_2.py", True), ("test_rfc4180.py", False), ("test_run.py", False)],
)
def test_a_numbered_file_is_seen(name: str, *, numbered: bool) -> None:
    assert bool(NUMBERED.fullmatch(name)) is numbered
