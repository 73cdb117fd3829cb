"""Heap profiles as `go tool pprof`, Pyroscope and Parca read them: gzipped profile.proto.

The format: github.com/google/pprof/blob/main/proto/profile.proto; the field numbers below are its own.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from typing import TYPE_CHECKING

from outlive.recording.totals import Sum, is_own
from outlive.report.program_text import last_seen, program
from outlive.report.protobuf import content, integer, integers
from outlive.report.stack_text import FORGOTTEN, inwards

if TYPE_CHECKING:
    from outlive.model.recording import Frame, Recording

# Go's own heap profiles have these four in this order.
_SAMPLE_TYPES = (
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
)


def pprof(recording: Recording, comment: str) -> bytes:
    """Return the profile. In use is by stack and thread (the label "thread"), allocated by stack."""
    return gzip.compress(_Profile(recording, comment).encoded(), mtime=0)


class _Profile:
    """Messages on their way into one profile, and the tables that they refer to by number."""

    def __init__(self, recording: Recording, comment: str) -> None:
        self._recording = recording
        self._comment = comment
        self._texts: dict[str, int] = {"": 0}  # the format wants it first
        self._functions: dict[tuple[str, str], int] = {}
        self._locations: dict[Frame, int] = {}

    def encoded(self) -> bytes:
        recording = self._recording
        began, last = recording.process.began, last_seen(recording)
        fields = [content(1, self._value_type(*kind)) for kind in _SAMPLE_TYPES]
        fields += self._samples()
        fields.append(content(3, self._mapping()))
        fields += (content(4, self._location(frame, number)) for frame, number in self._locations.items())
        fields += (content(5, self._function(*names, number)) for names, number in self._functions.items())
        fields += [
            integer(9, round(last * 1e9)),
            integer(10, round((last - began) * 1e9)),
            content(11, self._value_type("space", "bytes")),
            integer(12, recording.current_interval_bytes),
            integers(13, [self._text(self._comment)]),
            integer(14, self._text("inuse_space")),
        ]
        fields += (content(6, text.encode(errors="replace")) for text in self._texts)  # all are known now
        return b"".join(fields)

    def _samples(self) -> list[bytes]:
        recording = self._recording
        stacks = {number: stack for number, stack in recording.stacks.items() if not is_own(stack)}
        in_use: defaultdict[tuple[int, int], Sum] = defaultdict(Sum)
        for block in recording.samples:
            if block.stack in stacks:
                in_use[block.stack, block.thread].add(block)
        samples = [
            self._sample(inwards(stacks[stack]), (0, 0, held.blocks, held.total), thread)
            for (stack, thread), held in in_use.items()
        ]
        samples += (
            self._sample(inwards(stack), (stack.allocated_blocks, stack.allocated_bytes, 0, 0))
            for stack in stacks.values()
        )
        if recording.forgotten_bytes:
            figures = (recording.forgotten_blocks, recording.forgotten_bytes, 0.0, 0.0)
            samples.append(self._sample((FORGOTTEN,), figures))
        return samples

    def _sample(
        self, frames: tuple[Frame, ...], figures: tuple[float, float, float, float], thread: int = 0
    ) -> bytes:
        known = self._locations
        fields = integers(1, (known.setdefault(frame, len(known) + 1) for frame in reversed(frames)))
        fields += integers(2, map(round, figures))
        if thread:
            fields += content(3, integer(1, self._text("thread")) + integer(2, self._text(str(thread))))
        return content(2, fields)

    def _value_type(self, kind: str, unit: str) -> bytes:
        return integer(1, self._text(kind)) + integer(2, self._text(unit))

    def _mapping(self) -> bytes:
        """Return the one mapping, which says that names and lines are there: nothing is left to look up."""
        has_names = b"".join(integer(field, 1) for field in (7, 8, 9))
        return integer(1, 1) + integer(5, self._text(program(self._recording))) + has_names

    def _location(self, frame: Frame, number: int) -> bytes:
        function = self._functions.setdefault((frame.function, frame.file), len(self._functions) + 1)
        line = integer(1, function) + integer(2, frame.line)
        return integer(1, number) + integer(2, 1) + content(4, line)

    def _function(self, name: str, file: str, number: int) -> bytes:
        name_text = self._text(name)
        return (
            integer(1, number) + integer(2, name_text) + integer(3, name_text) + integer(4, self._text(file))
        )

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))
