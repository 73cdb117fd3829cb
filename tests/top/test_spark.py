"""Sparklines of figures that are known."""

from outlive.top import spark
from tests.recording.synthetic import point


def rss(*known: tuple[float, int | None]) -> list[int | None]:
    points = [point(uptime, rss=figure) for uptime, figure in known]
    return spark.columns(points, lambda moment: moment.rss, 10, 5)


def test_each_part_of_time_shows_its_largest() -> None:
    assert rss(*[(float(second), second * 10) for second in range(11)]) == [10, 30, 50, 70, 100]


def test_what_is_older_is_left_out() -> None:
    assert rss((0.0, 99), (90.0, 1), (100.0, 2)) == [1, 1, 1, 1, 2]


def test_missing_points_are_a_gap() -> None:
    known = [(second / 2, 5) for second in (*range(6), *range(16, 21))]
    # The third part still shows what was known just before it: only then is a point overdue.
    assert rss(*known) == [5, 5, 5, None, 5]


def test_nothing_known() -> None:
    assert rss() == [None] * 5
    assert rss((1.0, None)) == [None] * 5
    assert spark.draw([None, None]) == ["  "]
    assert spark.span_of([None], 99.0) == ""
    assert spark.age([point(1.0)], lambda moment: moment.rss) == 0


def test_a_figure_that_is_older_than_the_last_point_says_so() -> None:
    points = [point(10.0, rss=5 << 20), point(20.0, rss=7 << 20), point(95.0)]
    assert spark.age(points, lambda moment: moment.rss) == 75
    values = [5 << 20, None, 7 << 20]
    assert spark.span_of(values, 75) == "7.0 MiB, 1 min ago (5.0 MiB to 7.0 MiB)"
    assert spark.span_of(values, 10) == "7.0 MiB (5.0 MiB to 7.0 MiB)"


def test_the_smallest_is_low_and_the_largest_full() -> None:
    assert spark.draw([100, None, 200, 300]) == ["▁ ▅█"]
    assert spark.draw([100, None, 300], 2) == ["  █", "▁ █"]


def test_noise_is_no_cliff() -> None:
    assert spark.draw([1000, 1001, 1000]) == ["▄▅▄"]
    assert spark.draw([7, 7]) == ["▅▅"]
    assert spark.draw([0, 0]) == ["▁▁"]
