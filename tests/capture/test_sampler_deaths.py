"""Every sampled death is seen: after the free, whatever way the blocks went, no sample is left."""

from __future__ import annotations

import pytest

from tests.capture.sampled import ALLOCATORS, run

# `seen_to_die(make, ...)`: what `make` made is sampled while it lives, and gone when it is; over and over, so
# that a death missed now and then adds up. Free lists stay alive indeed: a fiftieth may. How many samples are
# alive at once depends on the machine, as the sampler slows itself down.
CHECK = """
def seen_to_die(make, *functions, die=None, rounds=4):
    names, lived = [make.__name__, *functions], []
    for _ in range(rounds):
        kept = make()
        lived.append(samples_of(*names))
        if die is not None:
            die(kept)
        kept = None
        gc.collect()
    left = samples_of(*names)
    assert max(lived) >= 25, (names, lived)
    assert left <= max(lived) / 50 + 1, (names, lived, left)
"""

MAKERS = """
def small():
    return [(i, str(i), {i: i}, float(i)) for i in range(20_000)]

def large():
    return [bytearray(600 + i % 5000) for i in range(5_000)]

def lists():
    kept = [[] for _ in range(1_000)]
    for i in range(150):
        for each in kept:
            each.append(None)          # from pymalloc's sizes to malloc's
    for each in kept[::2]:
        del each[i % 7 :]              # ... and back
    return kept

def bytearrays():
    kept = [bytearray() for _ in range(300)]
    for i in range(40):
        for each in kept:
            each += bytes(i * 9)
            if i % 7 == 0:
                del each[: len(each) // 2]
    return kept

def strings():
    kept = []
    for _ in range(300):
        text = ""
        for i in range(300):
            text += "abcdefg"          # grown in place, by realloc
        kept += [text, "-".join(map(str, range(500)))]
    return kept

def tables():
    kept = [({}, set()) for _ in range(300)]
    for a_dict, a_set in kept:
        for i in range(200):
            a_dict[i] = None
            a_set.add(i)
        for i in range(150):
            del a_dict[i]
            a_set.remove(i)
        a_set |= {-1}
    return kept

MAKERS = [small, large, lists, bytearrays, strings, tables]
"""


@ALLOCATORS
def test_after_the_free_no_sample_is_left(allocator: str) -> None:
    run(
        CHECK
        + MAKERS
        + """
start(512)
for make in MAKERS:
    seen_to_die(make)
""",
        environment={"PYTHONMALLOC": allocator},
    )


@ALLOCATORS
def test_blocks_that_another_thread_frees(allocator: str) -> None:
    run(
        CHECK
        + MAKERS
        + """
def in_a_thread(call, *arguments):
    thread = threading.Thread(target=call, args=arguments)
    thread.start()
    thread.join()

def elsewhere(make):
    box = []
    in_a_thread(lambda: box.append(make()))
    return box

start(512)
for make in MAKERS:
    seen_to_die(lambda: elsewhere(make), make.__name__)
    seen_to_die(lambda: [make()], make.__name__, die=lambda kept: in_a_thread(kept.clear))
""",
        environment={"PYTHONMALLOC": allocator},
    )


@ALLOCATORS
def test_exact_mode_that_comes_and_goes_in_between(allocator: str) -> None:
    run(
        CHECK
        + MAKERS
        + """
def exact_begins(kept):
    native.start(native.MODE_EXACT, 1, 0)

def exact_ends(kept):
    native.stop(native.MODE_EXACT)

start(512)
for make in MAKERS:
    seen_to_die(make, die=exact_begins, rounds=1)
    seen_to_die(make)
    seen_to_die(make, die=exact_ends, rounds=1)
    seen_to_die(make)
assert native.mode() == native.MODE_SAMPLE
""",
        environment={"PYTHONMALLOC": allocator},
    )


def test_tracemalloc_before_and_after() -> None:
    run(
        CHECK
        + MAKERS
        + """
import tracemalloc

start(512)
seen_to_die(large, die=lambda kept: tracemalloc.start(), rounds=1)
seen_to_die(small)
seen_to_die(large, die=lambda kept: tracemalloc.stop(), rounds=1)
seen_to_die(small)
stop()

tracemalloc.start()
start(512)
for make in MAKERS:
    seen_to_die(make)
tracemalloc.stop()          # takes the allocators away from us, too
assert not native.intact()
kept = large()
stop()
start(512)                  # and back
seen_to_die(large)
"""
    )


def test_a_child_frees_what_its_parent_made() -> None:
    run(
        CHECK
        + MAKERS
        + """
start(512)
record(tempfile.mkstemp()[1])
for make in MAKERS:
    kept = make()
    lived = samples_of(make.__name__)
    assert lived >= 25, (make, lived)
    child = os.fork()
    if child == 0:
        kept = None
        gc.collect()
        left = samples_of(make.__name__)
        again = make()
        os._exit(not (left <= lived / 50 + 1 and samples_of(make.__name__) >= 10))
    assert os.waitpid(child, 0)[1] == 0, make
    assert samples_of(make.__name__) == lived
    kept = None
    gc.collect()
    assert samples_of(make.__name__) <= lived / 50 + 1
"""
    )


@pytest.mark.parametrize("allocator", ["pymalloc", "malloc"])
def test_arrays_of_numpy(allocator: str) -> None:
    pytest.importorskip("numpy")
    run(
        CHECK
        + """
import numpy

def arrays():
    kept = [numpy.ones(n % 3000 + 200) for n in range(2_000)]
    for each in kept[::3]:
        each.resize(4_000, refcheck=False)
    for each in kept[1::3]:
        each.resize(100, refcheck=False)
    return [kept, [each[::2] + 1 for each in kept], [each.tolist()[:50] for each in kept]]

start(2048)
native.adopt_modules()
seen_to_die(arrays, "ones")
""",
        environment={"PYTHONMALLOC": allocator},
    )
