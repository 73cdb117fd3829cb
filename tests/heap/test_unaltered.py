"""A snapshot leaves its process as it was: no byte of an object changes, no collection runs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PRELUDE = """
import ctypes, gc, sys
import outlive

class Plain:
    def __init__(self, number):
        self.number = number
        self.rows = [number]

class Slots:
    __slots__ = ("rows", "unset")

    def __init__(self):
        self.rows = []

def stream():
    rows = []
    yield rows

plain = [Plain(number) for number in range(1_000)]
with_dict = [Plain(number) for number in range(100)]
for each in with_dict:
    vars(each)["more"] = 1
slotted = [Slots() for _ in range(100)]
streams = [stream() for _ in range(10)]
for each in streams:
    next(each)
each = None
others = [Plain, stream, stream.__code__, sys, object(), "some text", (1, 2, [])]
kept = [*plain, *with_dict, *slotted, *streams, *others]

outlive.snapshot(sys.argv[1])  # what is imported for the first time is
gc.collect()
gc.collect()
"""


def run(program: str, tmp_path: Path) -> None:
    child = subprocess.run(
        [
            sys.executable,
            "-X",
            "faulthandler",
            "-c",
            PRELUDE + textwrap.dedent(program),
            tmp_path / "now.heap",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env=dict(os.environ),
    )
    assert (child.returncode, child.stderr) == (0, ""), (child.returncode, child.stderr[-4000:])


def test_no_byte_of_an_object_changes(tmp_path: Path) -> None:
    """Reference counts, the collector's marks and the words before an object that say where its dict is."""
    run(
        """
        # Bytes before an object: the collector's header, and what else CPython puts there.
        KINDS = [(32, plain), (32, with_dict), (16, slotted), (16, streams), (0, others)]

        def content():
            return [
                ctypes.string_at(id(each) - before, before + type(each).__basicsize__)
                for before, objects in KINDS
                for each in objects
            ]

        before = content()
        outlive.snapshot(sys.argv[1])
        assert content() == before
        """,
        tmp_path,
    )


def test_a_dict_made_would_be_seen(tmp_path: Path) -> None:
    run(
        """
        before = [ctypes.string_at(id(each) - 32, 32) for each in plain]
        assert vars(plain[500])
        after = [ctypes.string_at(id(each) - 32, 32) for each in plain]
        assert before != after
        """,
        tmp_path,
    )


def test_no_reference_is_kept(tmp_path: Path) -> None:
    run(
        """
        before = [sys.getrefcount(each) for each in kept]
        outlive.snapshot(sys.argv[1])
        assert [sys.getrefcount(each) for each in kept] == before
        """,
        tmp_path,
    )


def test_no_collection_runs(tmp_path: Path) -> None:
    run(
        """
        collections = []
        gc.callbacks.append(lambda phase, info: collections.append(phase))
        rubbish = []
        rubbish.append(rubbish)
        del rubbish
        gc.disable()
        (young, *older), stats = gc.get_count(), gc.get_stats()
        outlive.snapshot(sys.argv[1])
        (young_after, *older_after) = gc.get_count()
        assert older_after == older
        assert young <= young_after < young + 500
        assert not collections
        assert gc.get_stats() == stats
        """,
        tmp_path,
    )


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    run(
        """
        import os

        def files_and_blocks():
            for _ in range(40):
                outlive.snapshot(sys.argv[1])
            gc.collect()
            return len(os.listdir("/proc/self/fd")), sys.getallocatedblocks()

        files_and_blocks()  # CPython's caches fill
        files, blocks = zip(*(files_and_blocks() for _ in range(3)))
        assert len(set(files)) == 1, files
        # What CPython makes once, whenever that is, falls into one round; what snapshots leave, into both.
        assert min(blocks[1] - blocks[0], blocks[2] - blocks[1]) < 80, blocks
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pass
        else:
            raise AssertionError("a child is left")
        """,
        tmp_path,
    )
