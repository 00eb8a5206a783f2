from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.metric import MetricRecord
from scopetrace.output.prometheus import exposition


def metric(name="net.tx", type="counter", value=11, unit="byte", pid=70, **tags):
    return MetricRecord(1, 0, name, type, unit, value, tags, "box", "nc", pid)


def test_counters_are_sums_and_gauges_what_was_last():
    found = [
        metric(value=11, proto="TCP"),
        metric("proc.fd", "gauge", 3, "file"),
        metric(value=4, proto="TCP"),
        metric(value=2, pid=71, proto="TCP"),
        metric("proc.fd", "gauge", 5, "file"),
        metric("net.duration", "timer", 2.5, "millisecond"),
    ]

    assert list(exposition(found)) == [
        "# HELP net_tx net.tx (byte)",
        "# TYPE net_tx counter",
        'net_tx{proc="nc",pid="70",host="box",proto="TCP"} 15',
        'net_tx{proc="nc",pid="71",host="box",proto="TCP"} 2',
        "# HELP proc_fd proc.fd (file)",
        "# TYPE proc_fd gauge",
        'proc_fd{proc="nc",pid="70",host="box"} 5',
        "# HELP net_duration net.duration (millisecond)",
        "# TYPE net_duration gauge",
        'net_duration{proc="nc",pid="70",host="box"} 2.5',
    ]


def test_labels_are_escaped():
    (*_, line) = exposition([metric(file='C:\\a"b\nc\udce9', **{"a-b": 1, "__x": 2, "9": 3})])

    assert line == (
        'net_tx{proc="nc",pid="70",host="box",file="C:\\\\a\\"b\\\\nc\\\\xe9",a_b="1",tag__x="2"'
        ',_9="3"} 11'
    )


def test_names_that_would_become_one_have_one_type_each():
    found = [metric("a.b"), metric("a_b", "gauge", 2), metric("a-b", value=1), metric("9", value=1)]

    lines = list(exposition(found))
    assert [line for line in lines if line.startswith("# TYPE")] == [
        "# TYPE a_b counter",
        "# TYPE a_b_gauge gauge",
        "# TYPE _9 counter",
    ]
    assert 'a_b{proc="nc",pid="70",host="box"} 12' in lines


def test_a_name_with_a_type_after_it_that_is_taken_keeps_its_type():
    found = [metric("a.gauge"), metric("a"), metric("a", "gauge", 8)]

    lines = [line for line in exposition(found) if not line.startswith("# HELP")]
    assert lines == [
        "# TYPE a_gauge counter",
        'a_gauge{proc="nc",pid="70",host="box"} 11',
        "# TYPE a counter",
        'a{proc="nc",pid="70",host="box"} 11',
        "# TYPE a_gauge_gauge gauge",
        'a_gauge_gauge{proc="nc",pid="70",host="box"} 8',
    ]


LINE = re.compile(
    r'# (?:HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .*|[a-zA-Z_:][a-zA-Z0-9_:]*\{(?:[a-zA-Z_]\w*="'
    r'(?:[^"\\\n]|\\[\\"n])*",?)*\} \S+',
    re.ASCII,
)


@given(st.text(), st.dictionaries(st.text(), st.text(), max_size=3), st.floats(allow_nan=False))
def test_any_names_and_tags_are_well_formed(name, tags, value):
    record = metric()._replace(name=name, tags=tags, value=value)

    for line in exposition([record]):
        assert LINE.fullmatch(line)
