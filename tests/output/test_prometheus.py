from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.metric import MetricRecord
from scopetrace.output.prometheus import exposition
from support.harness import Stage, scopetrace_command


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
        "# HELP net_tx_total net.tx (byte)",
        "# TYPE net_tx_total counter",
        'net_tx_total{proc="nc",pid="70",host="box",proto="TCP"} 15',
        'net_tx_total{proc="nc",pid="71",host="box",proto="TCP"} 2',
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
        'net_tx_total{proc="nc",pid="70",host="box",file="C:\\\\a\\"b\\nc\\\\xe9",a_b="1",tag__x="2"'
        ',_9="3"} 11'
    )


def test_names_that_would_become_one_have_one_type_each():
    found = [metric("a.b"), metric("a_b", "gauge", 2), metric("a-b", value=1), metric("9", value=1)]

    lines = list(exposition(found))
    assert [line for line in lines if line.startswith("# TYPE")] == [
        "# TYPE a_b_total counter",
        "# TYPE a_b gauge",
        "# TYPE _9_total counter",
    ]
    assert 'a_b_total{proc="nc",pid="70",host="box"} 12' in lines


def test_the_end_of_a_name_says_the_type_and_no_other():
    found = [
        metric("a.total"),
        metric("a.total", "gauge", 8),
        metric("b.count", "gauge", 9),
        metric("b.count"),
    ]

    lines = [line for line in exposition(found) if line.startswith("# TYPE")]
    assert lines == [
        "# TYPE a_total counter",
        "# TYPE a_total_value gauge",
        "# TYPE b_count_value gauge",
        "# TYPE b_count_total counter",
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


SENDS = """
import socket
statsd = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in (b"jobs.done.total:3|c", b"jobs.count:2|g", b"jobs.took:12|ms", b"jobs.size:7|h"):
    statsd.sendto(line, ("127.0.0.1", 8125))
open("a\\nb\\\\c", "w").write("x" * 100)
"""


def test_promtool_finds_no_fault(stage: Stage, needs: Callable[[str], str]) -> None:
    """In the metrics of a program that reads, writes, connects and sends metrics of its own."""
    promtool = needs("promtool")
    stage.record(["python3", "-c", SENDS], config="metric: {format: {verbosity: 9}}")
    metrics = stage.run(scopetrace_command("metrics", "--format", "prometheus")).stdout

    assert {b"jobs_done_total", b"jobs_count_value", b"fs_write_total", b"fs_duration"} <= {
        line.split()[2] for line in metrics.splitlines() if line.startswith(b"# TYPE")
    }
    assert b'a\\nb\\\\c"' in metrics
    checked = stage.run([promtool, "check", "metrics"], input=metrics)
    assert (checked.stdout, checked.stderr, checked.status) == (b"", b"", 0)
