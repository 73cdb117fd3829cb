"""Where the worked example lies, and whether it can run here."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from outlive.errors import OutliveError

PACKAGE = "examples.leaky_export"
_NEEDED = ("sqlalchemy", "aiosqlite", "greenlet")


def find_checkout() -> Path:
    """Return the source checkout: the one outlive runs from, or else the current directory.

    Raises:
        OutliveError: neither has the example, or a package it needs is not installed.

    """
    source = Path(__file__).resolve().parents[3]
    for root in (source, Path.cwd()):
        if (root / PACKAGE.replace(".", "/") / "__main__.py").is_file():
            break
    else:
        raise OutliveError(
            "the demo's example is not here",
            "an installed outlive comes without examples/leaky_export",
            "in a clone of outlive's repository, type: script/demo",
        )
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise OutliveError(
            f"the demo needs {' and '.join(missing)}",
            "they come with the 'app' extra",
            "in the checkout, type: pip install -e '.[app]' (or script/demo, which does it)",
        )
    return root
