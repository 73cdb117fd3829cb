"""APScheduler's jobs as runs, in the executors that it comes with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.scoped import run

if TYPE_CHECKING:
    from tests.capture.recorded import Place


@pytest.mark.parametrize("imported", ["before", "after"])
def test_jobs_in_threads(place: Place, imported: str) -> None:
    install = "from outlive.integrations import apscheduler\napscheduler.install()\napscheduler.install()\n"
    load = "from apscheduler.schedulers.background import BackgroundScheduler\n"
    run(
        place,
        (load + install if imported == "before" else install + load)
        + """
import functools
class Jobs:
    def clean(self, mark): make(mark)
def fail(mark):
    make(mark)
    raise LookupError
import logging
logging.disable()
scheduler = BackgroundScheduler(job_defaults={"misfire_grace_time": None})
for mark, job in enumerate([make, Jobs().clean, functools.partial(make), fail, make]):
    scheduler.add_job(job, args=[mark], name="each its own")
scheduler.start()
until(lambda: len(kept) == 5 and not own().open_runs)
scheduler.shutdown()
found = places()
assert sorted(found.pop(mark) for mark in (0, 2, 4)) == [("job make", run) for run in (1, 2, 3)]
assert found == {1: ("job Jobs.clean", 1), 3: ("job fail", 1)}
""",
    )


def test_jobs_in_the_loop(place: Place) -> None:
    run(
        place,
        """
        from apscheduler.schedulers.asyncio import AsyncIOScheduler
        from outlive.integrations import apscheduler
        apscheduler.install()
        def in_a_thread(mark): make(mark)
        async def main():
            scheduler = AsyncIOScheduler(job_defaults={"misfire_grace_time": None})
            for mark, job in enumerate([make_soon, in_a_thread]):
                scheduler.add_job(job, args=[mark])
            scheduler.start()
            while len(kept) < 2 or own().open_runs:
                await asyncio.sleep(0.01)
            scheduler.shutdown()
        asyncio.run(main())
        assert places() == {0: ("job make_soon", 1), 1: ("job in_a_thread", 1)}
    """,
    )


def test_jobs_of_a_process_pool_still_run(place: Place) -> None:
    (place.path / "pooled.py").write_text("import os, pathlib\ndef job(file): pathlib.Path(file).touch()\n")
    run(
        place,
        f"""
        sys.path.insert(0, {str(place.path)!r})
        import pooled
        from apscheduler.executors.pool import ProcessPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler
        from outlive.integrations import apscheduler
        apscheduler.install()
        scheduler = BackgroundScheduler(
            executors={{"default": ProcessPoolExecutor(1)}}, job_defaults={{"misfire_grace_time": None}}
        )
        touched = pathlib.Path({str(place.path / "touched")!r})
        if __name__ == "__main__":
            scheduler.add_job(pooled.job, args=[str(touched)])
            scheduler.start()
            until(touched.exists)
            scheduler.shutdown()
    """,
    )
