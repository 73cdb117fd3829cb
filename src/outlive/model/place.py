"""Source files by short names."""

from __future__ import annotations

import os
import re

INSTALLED = re.compile(r".*/(?:site|dist)-packages/")
STANDARD = re.compile(r".*/lib(?:64)?/python3\.\d+t?/|<frozen ")


def short_path(file: str) -> str:
    """Return a file's path without what leads to the working directory or to Python's libraries."""
    for place in (INSTALLED, STANDARD):
        if (found := place.match(file)) and file.startswith("/"):
            return file[found.end() :]
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 - text, as code names it
    return file.removeprefix(here)
