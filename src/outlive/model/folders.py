"""Where recordings lie."""

from __future__ import annotations

import os

RECORDING_VARIABLE = "OUTLIVE_RECORDING"
SUFFIX = ".outlive"


def recording_folders(uid: int, asked: str = "") -> list[str]:
    """Return the folders that may hold the recordings of user `uid`, the preferred one first.

    Args:
        uid: whose recordings.
        asked: what OUTLIVE_RECORDING says; counts here if it names a folder (see `names_a_file`).

    """
    temporary = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - the folder in it is 0700 and checked
    # In memory first: a recording is written all the time.
    own = [f"{base}/outlive-{uid}" for base in ("/dev/shm", temporary.rstrip("/"), "/tmp")]  # noqa: S108
    wanted = [asked] if asked and not names_a_file(asked) else []
    return list(dict.fromkeys(wanted + own))


def names_a_file(asked: str) -> bool:
    """Return whether OUTLIVE_RECORDING means one file, by its suffix, rather than a folder."""
    return asked.endswith(SUFFIX) and not os.path.isdir(asked)  # noqa: PTH112 - pathlib is not light
