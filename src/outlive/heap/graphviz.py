"""Pictures of graphs: Graphviz as it comes with graphviz-pure, which needs no system package and no font."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path
from typing import Literal

from outlive.errors import OutliveError
from outlive.model.printable import printable_name

Format = Literal["png", "svg"]

_PACKAGE = "graphviz-pure"
_SECONDS_MAX = 120
_RESOLUTION = {"png": ["-Gdpi=144"], "svg": []}


def quoted(text: str, limit: int = 200) -> str:
    """Return `text` as a string in Graphviz's language that shows it as it is, on one line."""
    shown = printable_name(text, limit)
    for one, escaped in (("&", "&amp;"), ("\\", "\\\\"), ('"', '\\"')):
        shown = shown.replace(one, escaped)
    return f'"{shown}"'


def lines(*texts: str) -> str:
    """Return a string as `quoted` does, with line breaks between these texts."""
    return '"' + "\\n".join(quoted(text)[1:-1] for text in texts) + '"'


def drawn(graph: str, format: Format) -> bytes:  # noqa: A002 - its name everywhere
    """Return the picture of a graph in Graphviz's language.

    Raises:
        OutliveError: graphviz-pure is not installed, or it failed.

    """
    command = [str(_program()), f"-T{format}", *_RESOLUTION[format]]
    try:
        done = subprocess.run(  # noqa: S603 - a program of our own dependency, and no text of the graph in it
            command, input=graph.encode(), capture_output=True, timeout=_SECONDS_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutliveError("Graphviz can't draw it", str(error)) from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace")
        raise OutliveError("Graphviz can't draw it", printable_name(said, 400))
    return done.stdout


def _program() -> Path:
    """Return the program, which is all that the package has."""
    try:
        files = importlib.metadata.files(_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.stem == _PACKAGE:
            return Path(str(file.locate()))
    raise OutliveError("can't draw the picture", f"{_PACKAGE} is not installed", f"pip install {_PACKAGE}")
