"""Celery tasks as runs: applied eagerly, and in real workers."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.capture.recorded import until
from tests.capture.scoped import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.capture.recorded import Place


def test_eager_tasks(place: Place) -> None:
    run(
        place,
        """
        from celery import Celery
        from outlive.integrations import celery
        celery.install()
        celery.install()
        app = Celery("shop")
        app.conf.task_always_eager = True
        @app.task
        def export(mark):
            make(mark)
            if mark < 3:
                inner.delay(mark + 10)
                make(mark + 20)
        @app.task(name="inner")
        def inner(mark): make(mark)
        @app.task(name="fail", autoretry_for=(LookupError,), max_retries=2, default_retry_delay=0)
        def fail(mark):
            kept.clear()
            make(mark)
            raise LookupError
        for mark in (1, 2, 3):
            export.delay(mark)
        make(4)
        assert places() == {
            1: ("shop.export", 1), 11: ("inner", 1), 21: ("shop.export", 1),
            2: ("shop.export", 2), 12: ("inner", 2), 22: ("shop.export", 2),
            3: ("shop.export", 3), 4: None,
        }, places()
        assert not fail.delay(5).successful()
        assert counts()["fail"] == (3, 3) and not own().open_runs and not celery._begun._runs
    """,
    )


WORKER = """
import outlive
from celery import Celery
from outlive.integrations import celery
outlive.start("1 KiB")
celery.install()
app = Celery("shop", broker="filesystem://")
folder = {folder!r}
app.conf.broker_transport_options = {{
    "data_folder_in": folder, "data_folder_out": folder, "control_folder": folder + "/control"
}}
app.conf.worker_hijack_root_logger = False
kept = []
@app.task(name="export")
def export(size):
    kept.append(bytes(size))
"""


@pytest.mark.parametrize("pool", ["solo", "threads", "prefork"])
def test_a_real_worker(place: Place, tmp_path: Path, pool: str) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    (tmp_path / "shop.py").write_text(WORKER.format(folder=str(folder)))
    sizes = [200_000, 300_000, 400_000]
    send = f"import shop\nfor size in {sizes}: shop.export.delay(size)"
    subprocess.run([sys.executable, "-c", send], cwd=tmp_path, env=place.environment, check=True)
    for file in (tmp_path / "recordings").glob("*.outlive"):
        file.unlink()
    command = ["celery", "-A", "shop", "worker", "--pool", pool, "--concurrency", "1", "--without-mingle"]
    worker = subprocess.Popen(
        [sys.executable, "-m", *command, "--without-gossip", "--loglevel", "ERROR"],
        cwd=tmp_path,
        env=place.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def found() -> list[tuple[str, int]]:
        assert worker.poll() is None
        return [
            (recording.scopes[sample.scope].name, sample.run)
            for recording in place.recordings().values()
            for sample in sorted(recording.samples, key=lambda each: each.size)
            for size in sizes
            if size < sample.size < size + 1000 and sample.scope in recording.scopes
        ]

    try:
        until(lambda: len(found()) == len(sizes))
        assert sorted(found()) == [("export", 1), ("export", 2), ("export", 3)]
        ended = [row.ended for each in place.recordings().values() for row in each.scopes.values()]
        assert ended in ([3], [2])  # the last one may just be ending
    finally:
        worker.terminate()
        worker.wait(60)
