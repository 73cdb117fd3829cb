"""The recording that this process writes: its file, its notes, its timeline."""

from __future__ import annotations

import os
import time

from outlive.capture import breakdown, proc, recording, requests
from outlive.capture.core import native
from outlive.capture.notes import Notes
from outlive.capture.streams import say
from outlive.capture.timeline import Timeline
from outlive.errors import OutliveError
from outlive.model import layout

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from outlive.capture.trigger_watch import Watch
    from outlive.capture.triggers import Rule

_TOUCH_SECONDS = 60
_HEAD_BYTES = layout.LIVE_OFFSET + layout.LIVE.size


class Recorder:
    """Has no file until `open`; then `path` names it."""

    def __init__(
        self,
        number: int,
        place: str | None,
        size: int,
        about: dict[str, object],
        triggers: list[Rule] | None = None,
    ) -> None:
        """Record to `place` (see `recording.create`), `size` bytes; `about` goes into the notes.

        `number` is the native core's, of what it keeps: once that is over, nothing is written. `triggers`
        say what is to be done, when.
        """
        self._number, self._place, self.size, self._about = number, place, size, about
        self._triggers = triggers
        self._watch: Watch | None = None
        self._pid = os.getpid()
        self.path = ""
        self._touch_due = 0.0
        self._notes: Notes | None = None
        self._timeline: Timeline | None = None

    def open(self) -> None:
        """Make the file and move what is sampled into it.

        Raises:
            OutliveError: it can't be made.

        """
        self.path = recording.create(self._place, self.size, self._fill)
        if self._triggers:
            from outlive.capture.trigger_watch import Watch

            self._watch = Watch(self._triggers, self.path, self._look)

    def _fill(self, handle: int) -> None:
        native.record(self._number, handle)
        head = os.pread(handle, _HEAD_BYTES, 0)
        notes_at, notes_bytes, timeline_at = layout.DIRECTORY.unpack_from(head)[4:7]
        began_ns = layout.LIVE.unpack_from(head, layout.LIVE_OFFSET)[3]
        self._notes = Notes(notes_at, notes_bytes, self._write, self._about)
        self._notes.write(raised="")
        self._timeline = Timeline(timeline_at, began_ns, self._write, self._measure)

    def _write(self, offset: int, data: bytes) -> None:
        native.write(self._number, offset, data)

    def is_own(self) -> bool:
        """Whether this process is the one that it was made in, and not forked from that."""
        return self._pid == os.getpid()

    def tick(self) -> bool:
        """Look at the process. False without a file."""
        if self._notes is None or self._timeline is None or not self.path:
            return False
        self._look()
        if self._watch is not None:
            self._notes.write(**self._watch.look())
        request = requests.pending(self.path)
        if request is not None:
            self._notes.write(**requests.answer(self.path, request, round(native.sampled()[2])))
        self._touch()
        return True

    def _look(self) -> None:
        if self._notes is not None and self._timeline is not None:
            self._notes.write(**self._timeline.look())

    def close(self) -> None:
        """Look a last time."""
        if self.path and self._notes is not None and self._timeline is not None:
            self._notes.write(**self._timeline.last_look())
        self._close_watch()

    def _close_watch(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _measure(self) -> dict[str, int | float | None]:
        """Measure where memory goes, and note by the way why samples are taken more thinly than asked for."""
        if self._notes is not None:
            self._notes.write(raised=self._why_raised())
        return breakdown.measure(round(native.sampled()[2]))

    def _why_raised(self) -> str:
        head = proc.read(self.path, _HEAD_BYTES)
        if len(head) < _HEAD_BYTES:  # it was removed under us
            return ""
        level, floor_level = layout.LIVE.unpack_from(head, layout.LIVE_OFFSET)[5:7]
        if level > floor_level:
            return "samples came too fast"
        return "live samples filled the table" if floor_level else ""

    def note_missed_deaths(self) -> None:
        """Note that another tool had taken the hooks away until now; who stops tracemalloc does."""
        if self._notes is not None:
            self._notes.write(unhooked=time.time())

    def _touch(self) -> None:
        """Renew the file's time now and then, as stores into a mapping don't: for `ls -t`, for sweepers."""
        now = time.monotonic()
        if now >= self._touch_due:
            self._touch_due = now + _TOUCH_SECONDS
            os.utime(self.path)

    def open_or_say(self) -> None:
        """Open, or say in one line why there will be no file: nobody asked for one in so many words."""
        try:
            self.open()
        except OutliveError as error:
            say(str(error))

    def in_child(self) -> Recorder:
        """Return the recorder of a forked child, with a file of its own in the same folder."""
        self._close_watch()
        place = self._place
        if place is not None and self.path.endswith(f"/{os.path.basename(place)}"):  # noqa: PTH119 - light
            place = os.path.dirname(self.path)  # noqa: PTH120 - light
        return Recorder(self._number, place, self.size, self._about, self._triggers)

    def anew(self, number: int) -> Recorder:
        """Return a recorder for another file and what is kept from now on, as this one's file is damaged."""
        self._close_watch()
        return Recorder(number, self._place, self.size, self._about, self._triggers)
