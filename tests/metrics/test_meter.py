from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopetrace.metrics.meter import MOST_CELLS, Meter
from scopetrace.model.metric import Sample

PERIOD = 1000
START = 10_000


@pytest.fixture
def meter():
    return Meter(PERIOD, lambda image: None)


def samples(meter):
    """Return (time, name, value, tags) of the samples since the last time."""
    return [(s.time_ns, s.name, s.value, s.tags) for s in meter.take()]


def test_measures_of_a_period_are_one_sample_at_its_end(meter, image):
    one = image()
    for _ in range(3):
        meter.measure(one, START, "fs.open", 1, op="openat", file="/a", fd=3)
    meter.measure(one, START + 5, "fs.open", 1, op="open", file="/b", fd=4)
    assert meter.take() == []

    meter.end_period(START + PERIOD)
    assert meter.take() == [
        Sample(START + PERIOD, 1, "fs.open", "counter", "operation", 3, {"op": "openat"}),
        Sample(START + PERIOD, 1, "fs.open", "counter", "operation", 1, {"op": "open"}),
    ]
    meter.finish(START + 2 * PERIOD)
    assert meter.take() == []


def test_a_measure_after_the_end_of_a_period_ends_it(meter, image):
    one = image(0)
    meter.measure(one, START, "fs.open", 1)
    meter.measure(one, START + PERIOD, "fs.open", 1)
    assert samples(meter) == [(START + PERIOD, "fs.open", 1, {})]

    meter.measure(one, START + 7 * PERIOD + 3, "fs.open", 1)
    assert samples(meter) == [(START + 2 * PERIOD, "fs.open", 1, {})]
    meter.end_period(START + 8 * PERIOD)
    assert samples(meter) == [(START + 8 * PERIOD, "fs.open", 1, {})]


def test_a_late_measure_counts_for_the_period_it_comes_in(meter, image):
    one = image(0)
    meter.measure(one, START, "fs.open", 1)
    meter.end_period(START + PERIOD)
    meter.measure(one, START + 1, "fs.open", 1)
    meter.finish(START + PERIOD + 5)

    assert samples(meter) == [
        (START + PERIOD, "fs.open", 1, {}),
        (START + PERIOD + 5, "fs.open", 1, {}),
    ]


def test_an_image_has_its_samples_when_it_ends(meter, image):
    one, other = image(), image(serial=2)
    meter.measure(one, START, "fs.open", 1, op="open", file="/a", fd=3)
    meter.measure(other, START, "fs.open", 1, op="open", file="/a", fd=3)
    meter.end(one, START + 7)

    assert [(s.process, s.time_ns) for s in meter.take()] == [(1, START + 7)]


def test_histograms_and_timers_are_means_over_operations(meter, image):
    one = image(8)
    meter.measure(one, START, "fs.duration", 30, 2, file="/a")
    meter.measure(one, START, "fs.duration", 15, 4, file="/a")
    meter.measure(one, START, "net.duration", 12, proto="TCP")
    meter.finish(START + 1)

    life, duration = meter.take()  # of the first nothing is summed up
    assert (duration.value, duration.tags) == (7.5, {"file": "/a", "numops": 6})
    assert (life.value, type(life.value), life.type) == (12, int, "timer")


def test_a_gauge_is_its_last_value(meter, image):
    one = image()
    for value in (3, 9, 4):
        meter.measure(one, START, "proc.thread", value)
    meter.finish(START + 1)

    assert samples(meter) == [(START + 1, "proc.thread", 4, {})]


def test_connections_that_stay_open_have_a_sample_every_period(meter, image):
    one = image()
    meter.measure(one, START, "net.tcp", 2, proto="TCP", port=80, fd=3)
    meter.measure(one, START, "net.open", 2, proto="TCP")
    for period in (1, 2):
        meter.end_period(START + period * PERIOD)
    assert [(at, n, v) for at, n, v, _ in samples(meter)] == [
        (START + PERIOD, "net.tcp", 2),
        (START + PERIOD, "net.open", 2),
        (START + 2 * PERIOD, "net.tcp", 2),
    ]
    meter.measure(one, START + 2 * PERIOD + 1, "net.tcp", 0, proto="TCP", port=80, fd=3)
    for period in (3, 4):
        meter.end_period(START + period * PERIOD)
    assert samples(meter) == [(START + 3 * PERIOD, "net.tcp", 0, {"proto": "TCP"})]
    assert not meter._accounts


def test_what_came_and_went_in_a_short_life_has_its_maximum(meter, image):
    one = image()
    for fd, value in ((3, 1), (4, 2), (4, 0), (5, 1), (3, 0), (5, 0)):
        meter.measure(one, START, "net.tcp", value, proto="TCP", port=80 + fd, fd=fd)
    meter.measure(one, START, "net.udp", 1, proto="UDP", port=53, fd=6)
    meter.end(one, START + 100)

    assert samples(meter) == [
        (START + 100, "net.tcp", 3, {"proto": "TCP"}),
        (START + 100, "net.udp", 1, {"proto": "UDP"}),
    ]
    assert not meter._accounts


def test_what_is_handed_on_to_the_next_program_is_not_closed(meter, image):
    one = image()
    meter.measure(one, START, "net.port", 1, proto="TCP", port=80, fd=3)
    meter.measure(one, START, "net.port", 0, proto="TCP", port=80, fd=3)
    meter.end(one, START + 100, replaced=True)

    assert samples(meter) == []


def test_what_comes_and_goes_within_a_period_of_a_long_life_is_not_a_state(meter, image):
    one = image()
    meter.measure(one, START, "net.tcp", 1, proto="TCP", port=80, fd=3)
    meter.measure(one, START, "net.tcp", 0, proto="TCP", port=80, fd=3)
    meter.end_period(START + PERIOD)
    assert samples(meter) == []

    meter.end(one, START + PERIOD + 1)
    assert samples(meter) == []


def test_a_lasting_gauge_that_had_a_sample_ends_with_0(meter, image):
    one = image()
    meter.measure(one, START, "net.tcp", 1, proto="TCP", port=80, fd=3)
    meter.end_period(START + PERIOD)
    meter.measure(one, START + PERIOD, "net.tcp", 0, proto="TCP", port=80, fd=3)
    meter.end(one, START + PERIOD + 1)

    assert [value for _, _, value, _ in samples(meter)] == [1, 0]


def test_of_very_many_that_come_and_go_a_bounded_number_is_kept(meter, image):
    one = image(7)
    for fd in range(3 * MOST_CELLS):
        for value in (1, 0):
            meter.measure(one, START, "net.tcp", value, proto="TCP", port=fd, fd=fd)
        account = meter._accounts.get(one)
        assert account is None or len(account.series["net.tcp"].lasting.most) <= MOST_CELLS


@pytest.mark.parametrize(
    ("metric", "levels"),
    [
        ("proc.start", {3: False, 4: True}),
        ("http.duration.server", {3: False, 4: True}),
        ("http.duration.client", {3: False, 4: True}),
        ("http.req.content_length", {3: False, 4: True}),
        ("http.resp.content_length", {3: False, 4: True}),
        ("fs.read", {4: False, 7: False, 8: True}),
    ],
)
def test_what_appscope_s_schemas_require_is_there_at_the_default_verbosity(
    meter, image, metric, levels
):
    for verbosity, there in levels.items():
        one = image(verbosity)
        tags = {"args": "prog x"} if metric == "proc.start" else {"http_target": "/"}
        meter.measure(one, START, metric, 3, 2, **tags)
        meter.end(one, START)
        (sample,) = meter.take()
        wanted = ("args", "prog x") if metric == "proc.start" else ("numops", 2)
        assert (wanted in sample.tags.items()) is there


@pytest.mark.parametrize(
    ("verbosity", "expected"),
    [
        (0, [({}, 6)]),
        (4, [({"proto": "TCP"}, 6)]),
        (6, [({"proto": "TCP", "port": 80}, 5), ({"proto": "TCP", "port": 443}, 1)]),
    ],
)
def test_values_that_differ_in_dropped_tags_only_add_up(meter, image, verbosity, expected):
    one = image(verbosity)
    for port, fd, value in ((80, 3, 1), (443, 4, 7), (80, 5, 3), (443, 4, 1), (80, 3, 2)):
        meter.measure(one, START, "net.tcp", value, proto="TCP", port=port, fd=fd)
    meter.end_period(START + PERIOD)

    assert sorted(((tags, v) for *_, v, tags in samples(meter)), key=str) == sorted(
        expected, key=str
    )


def test_what_is_open_is_not_forgotten_when_there_are_too_many_cells(meter, image):
    one = image(5)
    meter.measure(one, START, "net.tcp", 2, proto="TCP")
    for at in range(MOST_CELLS):
        meter.measure(one, START, "fs.close", 1, op="close", file=f"/{at}")
    meter.take()
    meter.end_period(START + PERIOD)

    assert (START + PERIOD, "net.tcp", 2, {"proto": "TCP"}) in samples(meter)


def test_of_very_many_open_things_a_bounded_number_is_kept(meter, image):
    one = image(7)
    for fd in range(3 * MOST_CELLS):
        meter.measure(one, START, "net.tcp", 1, proto="TCP", port=80, fd=fd)
        assert meter._accounts.get(one) is None or meter._accounts[one].cells < MOST_CELLS


def test_there_is_no_sample_of_zero(meter, image):
    for verbosity in (4, 9):
        one = image(verbosity)
        meter.measure(one, START, "fs.read", 0, 1, op="read", file="/a")
        meter.measure(one, START, "net.tcp", 0, proto="TCP", port=80, fd=3)
    meter.finish(START + 1)

    assert meter.take() == []


def test_tags_are_as_the_verbosity_says(meter, image):
    for verbosity in (2, 4, 5, 7):
        one = image(verbosity)
        meter.measure(one, START, "fs.error", 1, 1, **{"class": "stat", "op": "access"}, file="/a")
        meter.end(one, START)

    assert [tags for _, _, _, tags in samples(meter)] == [
        {"class": "stat"},
        {"class": "stat", "op": "access"},
        {"class": "stat", "op": "access", "file": "/a"},
        {"class": "stat", "op": "access", "file": "/a"},
    ]


def test_a_tag_that_is_not_known_is_left_out(meter, image):
    for tags in ({"op": "openat"}, {"op": "openat", "file": None}, {}):
        meter.measure(image(5), START, "fs.open", 1, **tags)
        meter.finish(START)

    assert [tags for _, _, _, tags in samples(meter)] == [{"op": "openat"}, {"op": "openat"}, {}]


def test_without_summing_up_each_measure_is_a_sample(meter, image):
    one = image(9)
    meter.measure(one, START + 1, "fs.read", 10, 2, op="read", file="/a")
    meter.measure(one, START + 2, "fs.duration", 30, 2, file="/a")

    assert samples(meter) == [
        (START + 1, "fs.read", 10, {"op": "read", "file": "/a", "numops": 2}),
        (START + 2, "fs.duration", 15, {"file": "/a", "numops": 2}),
    ]


def test_too_many_cells_are_written_early_and_nothing_is_lost(meter, image):
    one = image(5)
    for at in range(2 * MOST_CELLS + 10):
        meter.measure(one, START, "fs.close", 1, op="close", file=f"/{at}", fd=3)
        assert len(meter._ready) in (0, MOST_CELLS, 2 * MOST_CELLS)
    meter.finish(START + 1)

    samples = meter.take()
    assert sum(sample.value for sample in samples) == len(samples) == 2 * MOST_CELLS + 10


def test_the_account_of_an_idle_image_is_dropped(meter, image):
    meter.measure(image(), START, "fs.open", 1, op="open", file="/a", fd=3)
    meter.end_period(START + PERIOD)

    assert not meter._accounts


def test_an_image_is_announced_before_its_samples(image):
    announced = []
    meter = Meter(PERIOD, announced.append)
    one, own, whole = image(), image(serial=2), image(serial=3)
    meter.measure(one, START, "fs.open", 1, op="open", file="/a", fd=3)
    meter.measure_own(own, START, "jobs", "counter", 1, {})
    meter.sample(whole, START, "proc.fd", 7)

    assert announced == [one, own, whole]


def test_tags_of_the_user_win_over_ours_and_those_of_the_program_over_both(meter, image):
    one = image(4, "{op: mine, team: blue}")
    meter.measure(one, START, "fs.open", 1, op="open", file="/a", fd=3)
    meter.measure_own(one, START, "jobs", "counter", 1, {"team": "red"})
    meter.finish(START)

    assert [tags for _, _, _, tags in samples(meter)] == [
        {"op": "mine", "team": "blue"},
        {"op": "mine", "team": "red"},
    ]


def test_metrics_of_the_program_itself_are_summed_up_by_type_and_tags(meter, image):
    one = image(0)
    for value in (1, 2):
        for type in ("counter", "gauge", "timer", "histogram"):
            meter.measure_own(one, START, "x", type, value, {"a": "1", "b": "2"})
    meter.measure_own(one, START, "x", "counter", 5, {"b": "2", "a": "1"})
    meter.measure_own(one, START, "x", "counter", 0.5, {})
    meter.finish(START)

    assert [(s.type, s.value, s.tags, s.unit) for s in meter.take()] == [
        ("counter", 8, {"a": "1", "b": "2"}, ""),
        ("gauge", 2, {"a": "1", "b": "2"}, ""),
        ("timer", 1.5, {"a": "1", "b": "2"}, ""),
        ("histogram", 1.5, {"a": "1", "b": "2"}, ""),
        ("counter", 0.5, {}, ""),
    ]


def test_a_set_has_each_value_once(meter, image):
    one = image()
    for value in (7, 8, 7):
        meter.measure_own(one, START, "users", "set", value, {})
    meter.finish(START)

    assert [(s.type, s.value) for s in meter.take()] == [("set", 7), ("set", 8)]


def test_a_gauge_that_the_program_sets_to_0_has_a_sample(meter, image):
    meter.measure_own(image(), START, "queue", "gauge", 0, {})
    meter.finish(START)

    assert samples(meter) == [(START, "queue", 0, {})]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400])
def test_what_is_no_number_is_not_taken(meter, image, value):
    meter.measure_own(image(), START, "x", "gauge", value, {})
    meter.finish(START)

    assert meter.take() == []


def test_a_sum_that_no_integer_of_the_file_holds_becomes_a_float(meter, image):
    one = image()
    for _ in range(2):
        meter.measure_own(one, START, "x", "counter", 2**63 - 1, {})
    meter.finish(START)

    (sample,) = meter.take()
    assert (sample.value, type(sample.value)) == (2.0**64, float)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.sampled_from("abc"), st.integers(0, 9)), max_size=50
    ),
    st.integers(0, 9),
)
def test_sums_are_exact_whatever_the_verbosity_and_the_order(image, measures, verbosity):
    meter, one = Meter(PERIOD, lambda image: None), image(verbosity)
    for at, file, size in measures:
        meter.measure(one, START + at, "fs.read", size, 1, op="read", file=file)
        meter.measure(one, START + at, "fs.open", 1, op="open", file=file, fd=3)
    meter.end(one, START + 9999)

    samples = meter.take()
    assert sum(s.value for s in samples if s.name == "fs.read") == sum(s for *_, s in measures)
    assert sum(s.value for s in samples if s.name == "fs.open") == len(measures)


def test_a_measure_of_the_programs_own_after_the_end_of_a_period_ends_it(meter, image):
    one = image()
    meter.measure_own(one, START, "jobs", "counter", 1, {})
    meter.measure_own(one, START + PERIOD - 1, "jobs", "counter", 2, {})
    assert meter.take() == []

    meter.measure_own(one, START + PERIOD, "jobs", "counter", 5, {})

    assert [each[:3] for each in samples(meter)] == [(START + PERIOD, "jobs", 3)]
