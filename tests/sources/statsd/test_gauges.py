from __future__ import annotations

from scopetrace.sources.statsd.gauges import MOST_GAUGES, Gauges


def test_a_gauge_is_set_and_changed():
    gauges = Gauges()

    assert gauges.settle("a", {}, 5, relative=True) == 5
    assert gauges.settle("a", {}, 10, relative=False) == 10
    assert gauges.settle("a", {}, -3, relative=True) == 7
    assert gauges.settle("a", {}, -8, relative=True) == -1


def test_tags_make_another_gauge_in_whatever_order():
    gauges = Gauges()
    gauges.settle("a", {"x": "1", "y": "2"}, 5, relative=False)

    assert gauges.settle("a", {"y": "2", "x": "1"}, 1, relative=True) == 6
    assert gauges.settle("a", {"x": "1"}, 1, relative=True) == 1
    assert gauges.settle("b", {"x": "1", "y": "2"}, 1, relative=True) == 1


def test_the_one_that_was_longest_unused_is_forgotten():
    gauges = Gauges()
    for number in range(MOST_GAUGES):
        gauges.settle(str(number), {}, 5, relative=False)
    gauges.settle("0", {}, 1, relative=True)
    gauges.settle("new", {}, 5, relative=False)

    assert gauges.settle("0", {}, 1, relative=True) == 7
    assert gauges.settle("1", {}, 1, relative=True) == 1
    assert len(gauges._values) == MOST_GAUGES


def test_a_sum_too_large_for_a_number_stays_finite():
    gauges = Gauges()
    gauges.settle("a", {}, 1.7e308, relative=False)

    assert gauges.settle("a", {}, 1.7e308, relative=True) == 1.7e308
