"""Programs that allocate known sizes on known lines: each line must show its own, within 1 % + 1 KiB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.conftest import KIB, MIB, Lines, is_true

if TYPE_CHECKING:
    from collections.abc import Callable

# A bytes object of n bytes asks for 33 + n, a bytearray's buffer for n + 1, a list for 8 bytes a slot.
SMALL_BLOCKS = 20_000
SMALL_BYTES = SMALL_BLOCKS * (33 + 67)

WARM = """
heap = [bytes(200) for _ in range(200_000)] + [bytearray(3_000_000) for _ in range(10)]
del heap
"""
COLD = ""


@pytest.mark.parametrize("heap", [COLD, WARM], ids=["cold", "warm"])
def test_each_line_shows_its_own_bytes(run_lines: Callable[..., Lines], heap: str) -> None:
    lines = run_lines(
        """
        import outlive

        @outlive.profile
        def work():
            keep = [None] * 20_000  # slots
            for i in range(20_000):
                keep[i] = bytes(67)  # small
            big = bytearray(30_000_000)  # large
            grown = bytearray(1)
            for size in range(100_000, 10_000_001, 100_000):
                grown.extend(bytes(size - len(grown)))  # realloc
            del big  # freed
            comprehension = [bytes(967) for _ in range(10_000)]  # comprehension
            return keep, grown, comprehension
        """
        + _indent(heap)
        + """
        result = work()
        """
    )
    assert is_true(lines.at("slots")["increment_bytes"], 160_000)
    assert is_true(lines.at("small")["increment_bytes"], SMALL_BYTES)
    assert lines.at("small")["occurrences"] == SMALL_BLOCKS
    assert is_true(lines.at("large")["increment_bytes"], 30_000_000)
    # CPython over-allocates a growing bytearray by an eighth at most.
    assert 10_000_000 <= lines.at("realloc")["increment_bytes"] <= 11_250_000 + KIB
    assert is_true(lines.at("freed")["increment_bytes"], -30_000_000)
    # 10,000 blocks of 1,000 bytes and the list's slots, over-allocated by an eighth at most
    comprehension = lines.at("comprehension")["increment_bytes"]
    assert 10_080_000 - KIB <= comprehension <= 10_090_000 * 1.01 + KIB


def _indent(text: str) -> str:
    return text.replace("\n", "\n        ")


def test_numpy_arrays_are_seen_when_imported_before_and_while_counting(
    run_lines: Callable[..., Lines],
) -> None:
    lines = run_lines(
        """
        import outlive

        @outlive.profile
        def work():
            import numpy
            ones = numpy.ones(5_000_000)  # ones
            zeros = numpy.zeros(1_000_000)  # zeros
            many = [numpy.empty(100, "u1") for _ in range(1_000)]  # small arrays
            del ones  # freed
            return zeros, many

        result = work()
        """
    )
    assert is_true(lines.at("ones")["increment_bytes"], 40_000_000)
    assert is_true(lines.at("zeros")["increment_bytes"], 8_000_000)
    assert is_true(lines.at("freed")["increment_bytes"], -40_000_000)
    assert lines.at("small arrays")["increment_bytes"] >= 1_000 * (100 + 64)


def test_a_list_grown_before_counting_counts_only_its_growth(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import outlive
        old = [None] * 4_000_000

        @outlive.profile
        def work():
            for _ in range(1_000_000):
                old.append(None)  # growth

        work()
        """
    )
    # 8 MB of new slots, and at most an eighth of all 5 million slots to spare
    assert 8_000_000 - KIB <= lines.at("growth")["increment_bytes"] <= 8_000_000 + 5_000_000 + KIB


def test_the_peak_within_a_line_is_seen_though_nothing_stays(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import outlive

        @outlive.profile
        def work():
            keep = bytearray(5_000_000)  # keep
            total = sum(len(bytearray(20_000_000)) for _ in range(3))  # burst
            return keep

        result = work()
        """
    )
    burst = lines.at("burst")
    assert is_true(burst["increment_bytes"], 0)
    assert is_true(burst["peak_bytes"] - lines.at("keep")["mem_bytes"], 20_000_000)
    # Before the first profiled call the run is counted coarsely: it may have taken an arena, 1 MiB.
    run_peak = lines.profile["peak_python_bytes"]
    assert is_true(run_peak, burst["peak_bytes"]) or is_true(run_peak - MIB, burst["peak_bytes"])


def test_interleaved_tasks_keep_their_own_sums(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import asyncio
        import outlive

        @outlive.profile
        async def grow(step, sink):
            for _ in range(10):
                sink.append(bytearray(step))  # own
                await asyncio.sleep(0)  # turn

        @outlive.profile
        async def shrink(sink):
            for _ in range(10):
                sink.append(bytearray(1_000_000))  # other
                await asyncio.sleep(0)
                sink.pop()  # popped

        async def main():
            one, two, three = [], [], []
            await asyncio.gather(grow(4_000_000, one), grow(8_000_000, two), shrink(three))
            return one, two

        result = asyncio.run(main())
        """
    )
    assert is_true(lines.at("own")["increment_bytes"], 120_000_000)
    assert is_true(lines.at("turn")["increment_bytes"], 0)
    assert is_true(lines.at("other")["increment_bytes"], 10_000_000)
    assert is_true(lines.at("popped")["increment_bytes"], -10_000_000)
    assert lines.calls("grow") == 2
    assert lines.calls("shrink") == 1


def test_a_thousand_tasks_of_one_coroutine(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import asyncio
        import outlive

        @outlive.profile
        async def work(sink):
            first = bytes(10_000)  # first
            await asyncio.sleep(0)
            sink.append((first, bytes(20_000)))  # second

        async def main():
            sink = []
            await asyncio.gather(*(work(sink) for _ in range(1_000)))
            return sink

        result = asyncio.run(main())
        """
    )
    assert lines.calls("work") == lines.at("first")["occurrences"] == 1_000
    assert is_true(lines.at("first")["increment_bytes"], 10_033_000)
    assert is_true(lines.at("second")["increment_bytes"], 20_033_000 + 1_000 * 56)


def test_generators_of_both_kinds(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import asyncio
        import outlive

        @outlive.profile
        def chunks():
            for _ in range(20):
                chunk = bytearray(1_000_000)  # chunk
                yield chunk

        @outlive.profile
        async def pages():
            for _ in range(20):
                page = bytearray(2_000_000)  # page
                await asyncio.sleep(0)
                yield page

        async def main():
            return [page async for page in pages()]

        @outlive.profile
        def delegating():
            yield from chunks()  # delegated

        kept = list(chunks()), asyncio.run(main())
        for _ in delegating():
            noise = bytearray(7_000_000)
        unfinished = chunks()
        next(unfinished)
        del unfinished
        """
    )
    assert is_true(lines.at("page")["increment_bytes"], 40_000_000)
    # each is made here and, if at all, dropped by the consumer's next step: 20 + 20 + 1
    assert is_true(lines.at("chunk")["increment_bytes"], 41 * 1_000_057)
    assert lines.calls("chunks") == 3
    assert is_true(lines.at("delegated")["increment_bytes"], 20 * 1_000_057)


def test_recursion_counts_every_byte_once(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import outlive

        @outlive.profile
        def down(depth, sink):
            sink.append(bytearray(100_000))  # made
            if depth:
                down(depth - 1, sink)  # deeper
            sink.append(bytearray(50_000))  # after

        @outlive.profile
        def caller():
            sink = []
            down(99, sink)  # called
            return sink

        result = caller()
        """
    )
    assert lines.calls("down") == 100
    assert is_true(lines.at("made")["increment_bytes"], 100 * 100_000 + 100 * 57)
    assert is_true(lines.at("deeper")["increment_bytes"], 0)
    assert is_true(lines.at("after")["increment_bytes"], 100 * 50_000 + 100 * 57)
    assert is_true(lines.at("called")["increment_bytes"], 100 * 150_000 + 200 * 57)


def test_mutual_recursion_counts_every_byte_once_in_each_function(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import outlive

        @outlive.profile
        def even(n, sink):
            sink.append(bytearray(100_000))  # even
            if n:
                odd(n - 1, sink)  # to odd

        @outlive.profile
        def odd(n, sink):
            sink.append(bytearray(10_000))  # odd
            if n:
                even(n - 1, sink)  # to even

        kept = []
        even(9, kept)
        """
    )
    assert is_true(lines.at("even")["increment_bytes"], 5 * 100_057)
    assert is_true(lines.at("odd")["increment_bytes"], 5 * 10_057)
    # of all that odd did below it, the calls of even have shown their own
    assert is_true(lines.at("to odd")["increment_bytes"], 5 * 10_057)


def test_exceptions_leave_the_accounts_in_order(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import outlive

        sink = []

        @outlive.profile
        def fails():
            sink.append(bytearray(1_000_000))  # before
            raise ValueError

        @outlive.profile
        def catches():
            for _ in range(10):
                try:
                    fails()  # call
                except ValueError:
                    sink.append(bytearray(500_000))  # handler

        @outlive.profile
        def thrown_into():
            try:
                while True:
                    sink.append(bytearray(100_000))  # loop
                    yield
            except KeyError:
                sink.append(bytearray(200_000))  # thrown

        catches()
        generator = thrown_into()
        next(generator); next(generator)
        noise = bytearray(9_000_000)
        try:
            generator.throw(KeyError())
        except StopIteration:
            pass
        """
    )
    assert is_true(lines.at("before")["increment_bytes"], 10 * 1_000_057)
    assert is_true(lines.at("call")["increment_bytes"], 10 * 1_000_057)
    assert is_true(lines.at("handler")["increment_bytes"], 10 * 500_057)
    assert is_true(lines.at("loop")["increment_bytes"], 2 * 100_057)
    assert is_true(lines.at("thrown")["increment_bytes"], 200_057)


def test_threads_do_not_mix(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import threading
        import outlive

        @outlive.profile
        def work(sink):
            for _ in range(200):
                sink.append(bytearray(10_000))  # kept
                dropped = bytearray(1_000_000)  # dropped

        def noise(stop, sink):
            while not stop.is_set():
                sink.append(bytearray(5_000))

        stop, sinks = threading.Event(), [[] for _ in range(5)]
        noisy = threading.Thread(target=noise, args=(stop, sinks[4]))
        workers = [threading.Thread(target=work, args=(sink,)) for sink in sinks[:4]]
        noisy.start()
        for worker in workers: worker.start()
        for worker in workers: worker.join()
        stop.set(); noisy.join()
        """
    )
    assert lines.calls("work") == 4
    kept = 800 * 10_057 + 4 * 1_700  # the sinks' slots
    assert abs(lines.at("kept")["increment_bytes"] - kept) <= kept * 0.01 + 4 * KIB
    # each drops its last one at return, which no line shows
    assert is_true(lines.at("dropped")["increment_bytes"], 4 * 1_000_057)


def test_every_kind_of_method_and_wrapper(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import contextlib
        import functools
        import outlive

        class Thing:
            @outlive.profile
            def method(self): return bytearray(1_000_000)  # method

            @classmethod
            @outlive.profile
            def inner(cls): return bytearray(2_000_000)  # classmethod below

            @outlive.profile
            @classmethod
            def outer(cls): return bytearray(3_000_000)  # classmethod above

            @outlive.profile
            @staticmethod
            def static(): return bytearray(4_000_000)  # static

            @property
            @outlive.profile
            def value(self): return bytearray(5_000_000)  # property

        @outlive.profile
        @functools.lru_cache
        def cached(n):
            return bytearray(6_000_000)  # cached

        @outlive.profile
        @contextlib.contextmanager
        def managed():
            kept = bytearray(7_000_000)  # managed
            yield kept

        thing = Thing()
        kept = [thing.method(), Thing.inner(), Thing.outer(), Thing.static(), thing.value]
        kept += [cached(1), cached(1)]
        with managed() as more:
            kept.append(more)
        """
    )
    for mark, truth in {
        "method": 1,
        "classmethod below": 2,
        "classmethod above": 3,
        "static": 4,
        "property": 5,
        "cached": 6,
        "managed": 7,
    }.items():
        assert is_true(lines.at(mark)["increment_bytes"], truth * 1_000_057), mark
    assert lines.calls("cached") == 1


def test_a_profiled_function_calling_another_shows_both(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import outlive

        @outlive.profile
        def inner():
            burst = bytearray(30_000_000)  # burst
            del burst
            return bytearray(1_000_000)  # result

        @outlive.profile
        def outer():
            return [inner() for _ in range(3)]  # calls

        result = outer()
        """
    )
    assert is_true(lines.at("result")["increment_bytes"], 3 * 1_000_057)
    assert is_true(lines.at("calls")["increment_bytes"], 3 * 1_000_057)
    assert is_true(lines.at("calls")["peak_bytes"], 32_000_000)


def test_whole_files_by_pattern(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        kept = bytearray(2_000_000)  # module
        class Holder:
            table = bytearray(3_000_000)  # class body
            def method(self):
                return bytearray(MIB)  # method
        MIB = 1 << 20
        result = Holder().method()
        """,
        "--lines",
        "prog*.py",
    )
    assert is_true(lines.at("module")["increment_bytes"], 2_000_000)
    assert is_true(lines.at("class body")["increment_bytes"], 3_000_000)
    assert is_true(lines.at("method")["increment_bytes"], MIB)


def test_without_anything_profiled_the_peak_of_python_is_still_known(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        large = bytearray(50_000_000)
        del large
        small = [(i, float(i)) for i in range(100_000)]
        """
    )
    assert lines.profile["functions"] == []
    assert 50_000_000 <= lines.profile["peak_python_bytes"] <= 50_000_000 * 1.05
    assert lines.profile["peak_rss_bytes"] > lines.profile["peak_python_bytes"]
