"""Where the checkout is and what it holds."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "outlive"

_MADE = {"__pycache__", "build", "dist"}


def files() -> Iterator[Path]:
    """Every file of the project that a person wrote; not environments, caches, builds, git's own."""
    for top in ROOT.iterdir():
        if top.name in _MADE or (top.name.startswith(".") and top.name not in {".ci", ".gitignore"}):
            continue
        for path in top.rglob("*") if top.is_dir() else [top]:
            if path.is_file() and not _MADE & set(path.parts) and path.suffix not in {".so", ".pyc"}:
                yield path
