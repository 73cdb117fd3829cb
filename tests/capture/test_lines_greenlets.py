"""Greenlets leave frames without an event. Nothing may break, and what a line finished shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.conftest import Lines, is_true

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("greenlet")


def test_frames_that_take_turns_in_greenlets(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import greenlet
        import outlive

        @outlive.profile
        def worker(step, sink):
            for _ in range(20):
                sink.append(bytearray(step))  # own
                greenlet.getcurrent().parent.switch()
            return sink

        @outlive.profile
        def main():
            sinks = [[], [], []]
            workers = [greenlet.greenlet(worker) for _ in sinks]
            for i, each in enumerate(workers):
                each.switch(100_000 * (i + 1), sinks[i])
            while not all(each.dead for each in workers):
                for each in workers:
                    if not each.dead:
                        each.switch()
                    noise = bytearray(5_000_000)  # noise
            del noise
            return sinks

        kept = main()
        """
    )
    assert is_true(lines.at("own")["increment_bytes"], 20 * 600_000 + 60 * 57)
    assert lines.at("own")["occurrences"] == 60
    assert is_true(lines.at("noise")["increment_bytes"], 5_000_057)


def test_an_export_through_async_sqlalchemy(run_lines: Callable[..., Lines]) -> None:
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("aiosqlite")
    lines = run_lines(
        """
        import asyncio
        import outlive
        from sqlalchemy import text
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

        @outlive.profile
        async def fetch(engine):
            async with AsyncSession(engine) as session:
                result = await session.execute(text("select zeroblob(1000000) from generate_series(1, 20)"))
                rows = result.all()
                copies = [bytearray(row[0]) for row in rows]  # copies
            return copies

        async def main():
            engine = create_async_engine("sqlite+aiosqlite://")
            try:
                return await asyncio.gather(fetch(engine), fetch(engine))
            finally:
                await engine.dispose()

        asyncio.run(main())
        """.replace(
            "generate_series(1, 20)",
            "(with recursive n(i) as (select 1 union all select i+1 from n where i<20) select i from n)",
        )
    )
    assert is_true(lines.at("copies")["increment_bytes"], 40 * 1_000_057)
