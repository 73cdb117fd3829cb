"""Survivors by hand: recordings of a few blocks, of which it is plain what outlived its run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import outlive
from outlive.diagnose.survivors import SiteSurvivors, only_from_malloc, survivors, together
from outlive.model.recording import OpenRun, Recording, Scope
from tests.recording import synthetic

MIB = 1 << 20
OWN = str(Path(outlive.__file__).parent / "capture" / "scopes.py")
STACKS = {
    1: synthetic.stack("export app/jobs.py:15", late=1.0 * MIB),
    2: synthetic.stack("parse app/parse.py:3", late=2.0 * MIB),
    3: synthetic.stack(f"row {OWN}:30"),
}
SCOPES = {
    1: Scope("(other scopes)", 1, 0, 0, 0.0, 0.0),
    2: Scope("export", 2, 5, 3, 7.0, 9.0),
    3: Scope("export {tenant=a}", 2, 2, 2, 0.0, 0.0),
    4: Scope("export {tenant=b}", 2, 3, 1, 0.0, 0.0),
    5: Scope("mail", 5, 1, 1, 0.0, 0.0),
}


def recorded(*samples: tuple[int, int, int], open_runs: tuple[OpenRun, ...] = ()) -> Recording:
    """A recording of live blocks of a MiB each, by stack, scope and run."""
    blocks = [synthetic.sample(stack, MIB, scope=scope, run=run) for stack, scope, run in samples]
    return synthetic.recording(STACKS, blocks, scopes=SCOPES, open_runs=open_runs)


def runs_of(site: SiteSurvivors) -> list[int]:
    return list(site.runs)


def test_labels_count_for_their_base() -> None:
    export, mail, _ = survivors(
        recorded((1, 3, 1), (1, 4, 2), (2, 3, 1), (1, 2, 3), (1, 3, 1), (2, 5, 1), (1, 0, 0))
    )
    assert (export.name, export.scope, export.runs.last, export.runs.ended) == ("export", 2, 5, 3)
    assert [(site.stacks, runs_of(site)) for site in export.sites] == [((1,), [1, 2, 3, 1]), ((2,), [1])]
    assert [(label.name, round(label.share, 3)) for label in export.labels] == [
        ("export {tenant=a}", 0.6),
        ("export {tenant=b}", 0.2),
    ]
    assert (mail.name, [runs_of(site) for site in mail.sites]) == ("mail", [[1]])
    assert (export.in_use_bytes, export.high_bytes) == (7.0, 9.0)


def test_what_open_runs_hold_does_not_survive_them() -> None:
    recording = recorded((1, 4, 4), (1, 4, 2), (2, 3, 5), open_runs=(OpenRun(4, 4, 1.0), OpenRun(2, 5, 1.0)))
    export = survivors(recording)[0]
    assert export.runs.open == {4, 5}
    assert export.runs.untracked == 0
    (site,) = export.sites
    assert runs_of(site) == [2]


def test_runs_that_are_open_though_nobody_tracks_them_are_counted() -> None:
    (export,) = [scope for scope in survivors(recorded()) if scope.name == "export"]
    assert export.runs.untracked == 2


def test_an_open_run_of_another_scope_with_the_same_number_is_another() -> None:
    export = survivors(recorded((1, 2, 1), open_runs=(OpenRun(5, 1, 0.0),)))[0]
    assert [runs_of(site) for site in export.sites] == [[1]]


def test_outlive_itself_and_what_is_damaged_is_left_out() -> None:
    found = survivors(recorded((3, 2, 1), (9, 2, 1), (1, 77, 1), (1, 2, 0)))
    assert all(not scope.sites for scope in found)
    assert all(not scope.labels for scope in found)


def test_no_scopes_no_survivors() -> None:
    assert survivors(synthetic.recording(STACKS, [synthetic.sample(1)])) == []


def test_a_run_later_than_any_that_began_counts_as_the_last() -> None:
    """A run that turned out to be of another scope has given its number back."""
    export = survivors(recorded((1, 2, 9)))[0]
    assert export.runs.last == 9


def test_rows_have_what_the_estimator_says() -> None:
    block = synthetic.sample(1, 1000, interval=5000, scope=2, run=3, address=64, native=True)
    ((site,),) = [
        scope.sites for scope in survivors(synthetic.recording(STACKS, [block], scopes=SCOPES)) if scope.sites
    ]
    chance = 1 - math.exp(-0.2)
    assert list(site.weights) == [pytest.approx(1000 / chance)]
    assert list(site.variances) == [pytest.approx((1000 / chance) ** 2 * (1 - chance))]
    assert list(site.blocks) == [pytest.approx(1 / chance)]
    assert (list(site.addresses), list(site.from_malloc)) == ([64], [1])


def test_the_longest_interval_counts() -> None:
    blocks = [synthetic.sample(1, interval=interval, scope=2, run=1) for interval in (1000, 4000)]
    scope = survivors(synthetic.recording(STACKS, blocks, scopes=SCOPES, current_interval_bytes=2000))[0]
    assert scope.runs.interval_bytes == 4000


def test_sites_together() -> None:
    export = survivors(recorded((1, 2, 1), (2, 2, 2), (2, 2, 3)))[0]
    whole = together(export.sites)
    assert whole.stacks == (2, 1)
    assert whole.frames == STACKS[2].frames
    assert sorted(whole.runs) == [1, 2, 3]
    assert whole.late_bytes == 3 * MIB
    assert whole == export.whole
    assert together([]).in_use.estimate == 0


def test_only_what_extensions_took() -> None:
    blocks = [synthetic.sample(1, scope=2, run=run, native=native) for run, native in ((1, True), (2, False))]
    whole = survivors(synthetic.recording(STACKS, blocks, scopes=SCOPES))[0].whole
    assert runs_of(only_from_malloc(whole)) == [1]


def test_by_age() -> None:
    export = survivors(recorded((1, 2, 1), (1, 2, 2), (2, 2, 5), open_runs=(OpenRun(2, 4, 1.0),)))[0]
    bands = export.by_age()
    assert [(band.youngest, band.oldest, band.runs) for band in bands] == [(0, 0, 1), (1, 2, 1), (3, 4, 2)]
    assert [round(band.in_use.estimate / MIB) for band in bands] == [1, 0, 2]
