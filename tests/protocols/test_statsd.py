from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.statsd import Value, is_no_metric, read_line


def one(line: bytes) -> Value:
    """Return the only value of a line."""
    found = read_line(line)
    assert found is not None
    (value,) = found
    return value


@pytest.mark.parametrize(
    ("letter", "kind"),
    [
        (b"c", "counter"),
        (b"g", "gauge"),
        (b"ms", "timer"),
        (b"h", "histogram"),
        (b"d", "histogram"),
        (b"s", "set"),
    ],
)
def test_each_type(letter, kind):
    assert one(b"a.b:3|" + letter) == Value("a.b", kind, 3.0, {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1", 1),
        (b"-1", -1),
        (b"+1", 1),
        (b"0.5", 0.5),
        (b".5", 0.5),
        (b"5.", 5),
        (b"1e3", 1000),
        (b"2.5E-1", 0.25),
        (b"9007199254740993", 9007199254740992),
    ],
)
def test_numbers(text, value):
    assert one(b"a:" + text + b"|c").value == value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"a:1|c|@0.1", 10),
        (b"a:3|c|@0.5|#x:y", 6),
        (b"a:3|c|#x:y|@0.5", 6),
        (b"a:3|c|@1", 3),
        (b"a:3|ms|@0.5", 3),
        (b"a:3|h|@0.1", 3),
        (b"a:3|g|@0.1", 3),
    ],
)
def test_what_was_counted_is_scaled_by_the_sample_rate(line, value):
    assert one(line).value == value


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (b"#a:b", {"a": "b"}),
        (b"#a:b,c:d", {"a": "b", "c": "d"}),
        (b"#a", {"a": ""}),
        (b"#a:b:c,", {"a": "b:c"}),
        (b"#", {}),
        (b"#url:http://x/,\xc3\xbc:\xff", {"url": "http://x/", "ü": "\udcff"}),
        (b"@0.5|#a:b|c:container|T1656581400", {"a": "b"}),
    ],
)
def test_tags(text, tags):
    assert one(b"m:1|g|" + text).tags == tags


def test_several_values_of_one_name():
    assert read_line(b"a:1:2.5:-3|ms|#x:y") == [
        Value("a", "timer", value, {"x": "y"}) for value in (1.0, 2.5, -3.0)
    ]


def test_a_gauge_with_a_sign_is_a_change():
    assert one(b"a:+5|g") == Value("a", "gauge", 5.0, {}, relative=True)
    assert one(b"a:-5|g") == Value("a", "gauge", -5.0, {}, relative=True)
    assert one(b"a:5|g").relative is False
    assert one(b"a:-5|c").relative is False


def test_a_member_of_a_set_that_is_no_number_is_a_tag():
    assert one(b"u:bob:x|s|#a:b") == Value("u", "set", 1.0, {"a": "b"}, member="bob:x")
    assert one(b"u:17|s") == Value("u", "set", 17.0, {})


def test_names_may_be_any_text():
    assert one(b"my metric/\xc3\xbc,x=1:1|c").name == "my metric/ü,x=1"


@pytest.mark.parametrize(
    "line",
    [
        b"a",
        b"a:1",
        b"a:1|",
        b"a:1|x",
        b"a:1|cc",
        b":1|c",
        b"a:|c",
        b"a:one|c",
        b"a:1,5|c",
        b"a:nan|g",
        b"a:inf|g",
        b"a:1e999|c",
        b"a:1e308|c|@0.0001",
        b"a:1|c|@0",
        b"a:1|c|@2",
        b"a:1|c|@-0.5",
        b"a:1|c|@x",
        b"a:1::2|ms",
        b"a:1:x|ms",
        b"a\0b:1|c",
        b"a|b:1|c",
        b"a:1_0|c",
        b"a:\xd9\xa1|c",
    ],
)
def test_malformed_lines(line):
    assert read_line(line) is None


@pytest.mark.parametrize("line", [b"_e{5,4}:title|text", b"_sc|redis.up|0|#a:b"])
def test_events_and_service_checks_are_no_metrics(line):
    assert is_no_metric(line)
    assert not is_no_metric(b"_expected:1|c")


@given(st.binary(max_size=60))
def test_no_bytes_raise(data):
    read_line(data)
    read_line(b"a:" + data + b"|c")
    read_line(b"a:1|c|" + data)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_out_as_it_went_in(number):
    assert one(b"a:%b|h" % repr(number).encode()).value == number
