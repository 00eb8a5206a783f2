from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.metric import MetricRecord
from scopetrace.wire.statsd import statsd_lines


def statsd_line(*args, **options):
    (line,) = statsd_lines(*args, **options)
    return line


def metric(name="net.tx", type="counter", value=11, unit="byte", **tags):
    return MetricRecord(1, 0, name, type, unit, value, tags, "box", "nc", 70)


def test_a_line_has_whose_it_is_and_then_its_tags():
    assert statsd_line(metric(proto="TCP"), "me.") == (
        b"me.net.tx:11|c|#proc:nc,pid:70,host:box,unit:byte,proto:TCP"
    )


@pytest.mark.parametrize(
    ("verbosity", "tags"), [(0, b"|#proto:TCP"), (3, b"|#unit:byte,proto:TCP")]
)
def test_little_verbosity_does_not_say_whose_value_it_is(verbosity, tags):
    assert statsd_line(metric(proto="TCP"), verbosity=verbosity) == b"net.tx:11|c" + tags


@pytest.mark.parametrize(
    ("type", "letter"),
    [("counter", "c"), ("gauge", "g"), ("timer", "ms"), ("histogram", "h"), ("set", "s")],
)
def test_types_are_letters_and_fractions_have_two_digits(type, letter):
    assert statsd_line(metric(type=type, value=2.345)).startswith(f"net.tx:2.35|{letter}|".encode())


@pytest.mark.parametrize(
    ("value", "sent"), [(35, b"0.035"), (1234567, b"1234.567"), (2.5, b"0.003")]
)
def test_a_histogram_of_ours_is_a_timer_to_every_server(value, sent):
    """`h` is a counter to those that follow statsd's own protocol."""
    found = statsd_line(metric("fs.duration", "histogram", value, "microsecond"))

    assert found.startswith(b"fs.duration:" + sent + b"|ms|#")
    assert found.endswith(b",unit:millisecond")


def test_a_line_that_is_too_long_loses_whole_tags_from_its_end():
    whole = statsd_line(metric(proto="TCP"))

    assert statsd_line(metric(proto="TCP"), most_bytes=len(whole)) == whole
    assert statsd_line(metric(proto="TCP"), most_bytes=len(whole) - 1) == (
        b"net.tx:11|c|#proc:nc,pid:70,host:box,unit:byte"
    )
    assert statsd_line(metric(), most_bytes=1) == b"net.tx:11|c"


def test_what_would_end_a_tag_is_written_otherwise():
    assert statsd_line(metric(unit="", **{"http_target": "/a,b|c\nd:e", "a:b": "x"})).endswith(
        b",http_target:/a%2Cb%7Cc%0Ad:e,a_b:x"
    )
    assert statsd_line(metric(name="a:b|c d")).startswith(b"a_b_c_d:11|c|")


def test_a_gauge_below_0_is_set_and_not_lowered():
    """To StatsD a sign is a change of what was there before."""
    below = metric(name="temp", type="gauge", value=-3.5, unit="")
    tags = b"|#proc:nc,pid:70,host:box"

    assert statsd_lines(below, "me.") == [b"me.temp:0|g" + tags, b"me.temp:-3.50|g" + tags]
    assert statsd_line(metric(value=-3)).startswith(b"net.tx:-3|c")


def test_a_member_of_a_set_is_its_value():
    members = metric(name="users", type="set", value=1.0, unit="", member="bob|b", a="b")

    assert statsd_line(members) == b"users:bob%7Cb|s|#proc:nc,pid:70,host:box,a:b"
    assert statsd_line(metric(member="bob")).endswith(b",member:bob")


def test_tags_of_the_program_win():
    assert statsd_line(metric(proc="mine")).startswith(b"net.tx:11|c|#proc:mine,pid:70")


@given(st.text(), st.text(), st.text(), st.integers(0, 100))
def test_any_names_make_one_line_of_the_right_shape(name, tag, value, most):
    line = statsd_line(metric(name=name, **{f"t{tag}": value}), most_bytes=most)

    assert line.count(b"\n") == 0
    assert line.split(b"|")[1] == b"c"
    assert line.count(b"|") <= 2
