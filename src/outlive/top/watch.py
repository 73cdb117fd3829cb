"""A recording looked at again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.errors import OutliveError
from outlive.recording import reader
from outlive.recording.processes import is_live
from outlive.top.tally import Tally

if TYPE_CHECKING:
    from pathlib import Path


class Watch:
    """A recording's file, what it said at the last look, and the mark that growth is counted from.

    `trouble` says why the last look failed; what was seen before it stays.
    """

    def __init__(self, file: Path) -> None:
        """Look for the first time, and set the mark there.

        Raises:
            OutliveError: the file is no recording, or can't be read.

        """
        self.file = file
        self.recording = self.mark = reader.read(file)
        self.tally = Tally(self.recording, self.mark)
        self.live = is_live(self.recording)
        self.trouble = ""
        self._seen = b""

    @property
    def ended(self) -> bool:
        """Nothing more will come."""
        return not self.live

    def look(self) -> bool:
        """Look again; return whether there is anything new to show."""
        before = self.live, self.trouble
        alive = is_live(self.recording)  # asked before reading: what a process writes last is seen
        new = False
        try:
            new = self._read()
        except OutliveError as error:
            self.trouble = str(error)
        else:
            self.trouble = ""
        self.live = alive and is_live(self.recording)
        return new or before != (self.live, self.trouble)

    def set_mark(self) -> None:
        """Count growth from what is shown now."""
        self.mark = self.recording
        self.tally = Tally(self.recording, self.mark)

    def _read(self) -> bool:
        """Read the file, unless it says what it said at the last look."""
        try:
            here = self.file.read_bytes()
        except OSError:
            here = b""  # the reader says what is wrong
        if here and here == self._seen:
            return False
        recording = reader.read(self.file)
        self.recording, self.tally = recording, Tally(recording, self.mark)
        self._seen = here
        return True
