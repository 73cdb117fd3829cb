"""The stacks of samples: true in all kinds of frames, never another function's name."""

from __future__ import annotations

import sys

import pytest

from tests.capture.sampled import run

# `stacks()`: by the size of a block that was made as bytes(n), its stack as [(function, line), ...].
STACKS = """
def stacks(found=None):
    found = found or read()
    return {
        sample.size - 33: [(frame.function, frame.line) for frame in found.stacks[sample.stack].frames]
        for sample in found.samples
    }
"""


def test_frames_of_all_kinds() -> None:
    out = run(
        STACKS
        + """
import asyncio, functools

kept = []
def keep(n):
    kept.append(bytes(n))

def generator(n):
    keep(n)
    yield
    keep(n + 1)
    yield from inner(n + 2)

def inner(n):
    keep(n)
    yield

async def deep(n):
    keep(n)
    await asyncio.sleep(0)
    keep(n + 1)

async def outer(n):
    await deep(n)
    async for _ in numbers(n + 2):
        pass

async def numbers(n):
    yield 1
    keep(n)

class Kind:
    def __init__(self, n):
        keep(n)
    def __lt__(self, other):
        keep(130_000)
        return True

def recur(n, depth):
    if depth:
        recur(n, depth - 1)
    else:
        keep(n)

start(1024)
list(generator(100_000))
asyncio.run(outer(110_000))
Kind(120_000)
sorted([Kind(1), Kind(2)])
recur(140_000, 62)
recur(150_000, 63)
recur(160_000, 900)
exec(compile("keep(170_000)", "made.py", "exec"))
functools.partial(keep)(180_000)
eval("[keep(n) for n in (190_000,)]")
found = read()
by_size = stacks(found)
names = {n: [name for name, _ in stack] for n, stack in by_size.items()}
assert names[100_000] == ["keep", "generator", "<module>"], names[100_000]
assert names[100_001] == ["keep", "generator", "<module>"]
assert names[100_002] == ["keep", "inner", "generator", "<module>"]
assert names[110_000][:3] == names[110_001][:3] == ["keep", "deep", "outer"]
assert names[110_002][:3] == ["keep", "numbers", "outer"]
assert names[120_000] == ["keep", "Kind.__init__", "<module>"]
assert names[130_000] == ["keep", "Kind.__lt__", "<module>"]
assert names[170_000] == ["keep", "<module>", "<module>"]
assert names[180_000] == ["keep", "<module>"]
assert names[190_000][0] == "keep" and names[190_000][-1] == "<module>"
assert names[140_000] == ["keep"] + ["recur"] * 63
cut = {s.size - 33: found.stacks[s.stack].cut for s in found.samples}
# 63 calls of recur, keep and the module are 65
assert names[150_000] == ["keep"] + ["recur"] * 63 and names[160_000] == names[150_000]
assert (cut[130_000], cut[140_000], cut[150_000], cut[160_000]) == (False, True, True, True)
recur(200_000, 61)
by_size = stacks()
assert [name for name, _ in by_size[200_000]] == ["keep"] + ["recur"] * 62 + ["<module>"]
assert not [s for s in read().samples if s.size == 200_033 and read().stacks[s.stack].cut]
source = {line for name, line in by_size[200_000] if name == "recur"}
assert len(source) == 2, source
print("done")
"""
    )
    assert out == "done\n"


def test_greenlets() -> None:
    pytest.importorskip("greenlet")
    run(
        STACKS
        + """
import greenlet

kept = []
def worker(n):
    def within():
        kept.append(bytes(n))
        greenlet.getcurrent().parent.switch()
        kept.append(bytes(n + 1))
    within()

start(1024)
all_of_them = [greenlet.greenlet(worker) for _ in range(200)]
for i, each in enumerate(all_of_them):
    each.switch(100_000 + 2 * i)
for each in reversed(all_of_them):
    each.switch()
by_size = stacks()
found = {n: stack for n, stack in by_size.items() if 100_000 <= n < 100_400}
assert len(found) == 400
for n, stack in found.items():
    names = [name for name, _ in stack]
    assert names[:2] == ["worker.<locals>.within", "worker"], stack
    assert (stack[0][1] - stack[1][1]) == (-3 if n % 2 == 0 else -1), stack
"""
    )


NEW_CODE_AT_OLD_ADDRESSES = """
kept, addresses, reused = [], set(), 0
for i in range(COUNT):
    names = {"kept": kept}
    exec(compile(f"def made_{i}():\\n" + "\\n" * (i % 50) + "    kept.append(bytes(" + str(6_000 + i) + "))",
                 f"file_{i % 7}.py", "exec"), names)
    function = names[f"made_{i}"]
    reused += id(function.__code__) in addresses
    addresses.add(id(function.__code__))
    function()
    if i % 3 == 0:
        kept.clear()
    del function, names
assert reused > COUNT / 10, reused   # else this shows nothing
"""

CHECK_NAMES = """
def check(found, at_least):
    right = 0
    for sample in found.samples:
        frames = found.stacks[sample.stack].frames
        if frames and frames[0].function.startswith("made_"):
            i = sample.size - 6_033
            if 0 <= i < COUNT:
                right += 1
                assert frames[0].function == f"made_{i}", (i, frames[0])
                assert (frames[0].file, frames[0].line) == (f"file_{i % 7}.py", i % 50 + 2), (i, frames[0])
    assert right >= at_least, right
"""


def test_code_that_dies_and_whose_address_is_used_again() -> None:
    """A block's size tells which function made it."""
    run(
        """
COUNT = 6_000
"""
        + CHECK_NAMES
        + """
start(1024)
"""
        + NEW_CODE_AT_OLD_ADDRESSES.replace("if i % 3 == 0:", "if i == COUNT // 2:")
        + """
check(read(), 200)
"""
    )


def test_code_addresses_where_no_death_is_told() -> None:
    """Others hold all eight places for watchers of code objects: names can't be had by address then."""
    if sys.version_info < (3, 12):
        pytest.skip("it has no watchers; the type is asked")
    run(
        """
import ctypes
COUNT = 3_000
"""
        + CHECK_NAMES
        + """
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)(lambda event, code: 0)
add = ctypes.pythonapi.PyCode_AddWatcher
taken = 0
try:
    while add(callback) >= 0:
        taken += 1
except RuntimeError:
    pass
assert taken
start(1024)
for i in range(20):
    try:
        ctypes.pythonapi.PyCode_ClearWatcher(i)  # free them again: ours came too late
    except ValueError:
        pass
"""
        + NEW_CODE_AT_OLD_ADDRESSES.replace("if i % 3 == 0:", "if i == COUNT // 2:")
        + """
check(read(), 100)
"""
    )


def test_stacks_give_way_to_others_for_ever() -> None:
    """More stacks than the smallest recording can hold, short or long: the newest are always known."""
    run(
        """
kept = []
template = "def made_{0}(n):{1}\\n if n: made_{0}(n - 1)\\n else: kept.append(bytes(6_000 + {2}))"

def make(i, depth):
    names = {"kept": kept}
    exec(compile(template.format(i, "\\n" * (i % 50), i % 1000), f"file_{i % 70}.py", "exec"), names)
    names[f"made_{i}"](depth)

for depth in (0, 50):
    start(1024, depth, 3 << 20)
    for i in range(25_000):
        make(i, depth)
        if i % 20 == 0 and i % 15_000 > 600:
            kept.clear()
    kept.clear()
    lost = read()
    before = lost.sampled
    for i in range(300):
        make(i, depth)
    found = read()
    ours = [s for s in found.samples if 6_033 <= s.size < 6_333]
    assert len(ours) > 20, len(ours)
    for sample in ours:
        frames = found.stacks[sample.stack].frames
        assert frames and frames[0].function == f"made_{sample.size - 6_033}", (depth, sample, frames[:2])
    assert found.forgotten_bytes > 0 and found.dropped == 0, found.forgotten_bytes
    stop()
    kept.clear()
"""
    )


def test_code_of_another_interpreter() -> None:
    """Its functions are nobody's, and never lend their names to others at their addresses."""
    module = {11: "_xxsubinterpreters", 12: "_xxsubinterpreters", 13: "_interpreters"}
    run(
        f"""
import {module.get(sys.version_info.minor, "_interpreters")} as interpreters
COUNT = 3_000
"""
        + CHECK_NAMES
        + """
other = interpreters.create()
start(1024)
interpreters.run_string(other, '''
kept = []
for i in range(20_000):
    names = {"kept": kept}
    exec(f"def theirs_{i}(): kept.append(bytes(3_000))", names)
    names[f"theirs_{i}"]()
''')
interpreters.destroy(other)
gc.collect()
"""
        + NEW_CODE_AT_OLD_ADDRESSES.replace("if i % 3 == 0:", "if i == COUNT // 2:")
        .replace("assert reused", "reused")
        .replace(", reused   #", "  #")
        + """
check(read(), 50)
assert not [row for row in native.sites() if row[1].startswith("theirs")], native.sites()
"""
    )
