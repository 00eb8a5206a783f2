from __future__ import annotations

import json

import pytest

from scopetrace.model.metric import Sample

STARTED_NS = 1_783_822_275_000_000_000
SECOND = 1_000_000_000


def sample(name, value=1, at=0, process=1, type="counter", unit="byte", **tags):
    return Sample(STARTED_NS + int(at * SECOND), process, name, type, unit, value, tags)


@pytest.fixture
def write(recorder):
    """Write a session with samples."""

    def write(*samples, **facts):
        writer = recorder.start(**facts)
        writer.add_process(recorder.process(2, 71, "nc"))
        writer.add_metrics(samples)
        writer.finish(ended_ns=STARTED_NS + SECOND)
        return writer

    return write


@pytest.fixture
def netcat(write):
    """What the session of a netcat that sent eleven bytes has."""
    return write(
        sample("fs.read", 5396, 0.2, op="read"),
        sample("net.tx", 11, 1, 2, **{"class": "inet_tcp", "proto": "TCP"}),
        sample("net.duration", 1001, 1, 2, "timer", "millisecond", proto="TCP"),
        sample("fs.read", 4, 10, 2, op="read"),
    )


def test_all_metrics_are_a_table(netcat, scopetrace):
    assert scopetrace("metrics") == (
        0,
        "NAME          VALUE  TYPE     UNIT         PID  PROC     TAGS\n"
        "fs.read        5396  Counter  byte          70  python3  op: read\n"
        "net.tx           11  Counter  byte          71  nc       class: inet_tcp, proto: TCP\n"
        "net.duration   1001  Timer    millisecond   71  nc       proto: TCP\n"
        "fs.read           4  Counter  byte          71  nc       op: read\n",
        "",
    )


def test_metrics_side_by_side(netcat, scopetrace):
    assert scopetrace("metrics", "-m", "net.tx", "-m", "net.duration", "--cols")[1] == (
        "TIME             net.tx  net.duration\nJul 12 02:11:16      11          1001\n"
    )
    assert scopetrace("metrics", "-m", "*", "-c", "-n", "1")[1] == (
        "TIME             fs.read  net.tx  net.duration\nJul 12 02:11:25        4\n"
    )


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (["-m", "fs.read"], [5396, 4]),
        (["-m", "net."], [11, 1001]),
        (["-m", "net.tx,fs.*"], [5396, 11, 4]),
        (["-p", "70"], [5396]),
        (["--proc", "n*", "-n", "2"], [1001, 4]),
        (["--uniq"], [5396, 11, 1001]),
        (["-u", "-m", "fs."], [5396]),
        (["-a"], [5396, 11, 1001, 4]),
        (["-n", "0"], []),
        (["-i", "1"], [5396, 11, 1001, 4]),
    ],
)
def test_options_choose(netcat, scopetrace, options, values):
    status, out, err = scopetrace("metrics", "-j", *options)

    assert (status, err) == (0, "")
    assert [json.loads(line)["_value"] for line in out.splitlines()] == values


def test_json_is_one_object_to_a_line(netcat, scopetrace):
    _, out, _ = scopetrace("metrics", "-m", "net.tx", "--json")

    assert out == (
        '{"_metric":"net.tx","_metric_type":"counter","_value":11,"class":"inet_tcp",'
        '"proto":"TCP","proc":"nc","pid":71,"host":"box","unit":"byte","_time":1783822276.0}\n'
    )
    assert scopetrace("metrics", "-m", "net.tx", "--format", "ndjson")[1] == out
    assert scopetrace("metrics", "-m", "net.tx", "--format", "ndjson", "-j")[1] == out


def test_csv_and_markdown_have_the_columns_of_the_view(netcat, scopetrace):
    assert scopetrace("metrics", "-m", "net.", "--format", "csv")[1] == (
        "id,time,time_ns,name,type,unit,value,proc,pid,tags\n"
        "2,2026-07-12T02:11:16.000000Z,1783822276000000000,net.tx,counter,byte,11,nc,71,"
        '"{""class"":""inet_tcp"",""proto"":""TCP""}"\n'
        "3,2026-07-12T02:11:16.000000Z,1783822276000000000,net.duration,timer,millisecond,1001,nc,"
        '71,"{""proto"":""TCP""}"\n'
    )
    assert scopetrace("metrics", "-m", "net.tx", "--format", "md")[1].splitlines()[2] == (
        "| 2 | 2026-07-12T02:11:16.000000Z | 1783822276000000000 | net.tx | counter | byte | 11 "
        '| nc | 71 | {"class":"inet_tcp","proto":"TCP"} |'
    )
    assert scopetrace("metrics", "--format", "table") == scopetrace("metrics")
    assert scopetrace("metrics", "--format", "json") == scopetrace("metrics", "-j")


def test_metrics_side_by_side_have_every_form(netcat, scopetrace):
    def columns(*options):
        return scopetrace("metrics", "-m", "net.tx,fs.read", "--cols", *options)[1]

    assert columns("--format", "csv", "-n", "2") == (
        "time,net.tx,fs.read\n2026-07-12T02:11:16.000000Z,11,\n2026-07-12T02:11:25.000000Z,,4\n"
    )
    assert columns("-j").splitlines()[1] == (
        '{"time":"2026-07-12T02:11:16.000000Z","net.tx":11,"fs.read":null}'
    )


def test_statsd_is_as_the_session_was_configured(write, scopetrace):
    config = "metric: {format: {statsdprefix: me., statsdmaxlen: 40}}\n"
    write(sample("net.tx", 11, proto="TCP"), config=config)

    assert scopetrace("metrics", "--format", "statsd")[1] == "me.net.tx:11|c|#proc:python3,pid:70\n"


def test_prometheus_has_sums(netcat, scopetrace):
    out = scopetrace("metrics", "--format", "prometheus", "-m", "fs.read")[1]

    assert out == (
        "# HELP fs_read_total fs.read (byte)\n"
        "# TYPE fs_read_total counter\n"
        'fs_read_total{proc="python3",pid="70",host="box",op="read"} 5396\n'
        'fs_read_total{proc="nc",pid="71",host="box",op="read"} 4\n'
    )


def test_a_graph_is_drawn_of_one_metric(netcat, scopetrace):
    lines = scopetrace("metrics", "-m", "fs.read", "--graph")[1].splitlines()

    assert lines[0] == "fs.read (byte)"
    assert lines[1] == "5396 ┤██████"
    assert lines[10] == "   0 ┤██████▁▁▁▁▁▁"
    assert lines[11].split() == ["Jul", "12", "02:11:15", "Jul", "12", "02:11:25"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--cols"], "--cols needs -m: the metrics to show side by side"),
        (["-g"], "--graph needs one -m: the metric to draw"),
        (["-g", "-m", "a,b"], "--graph needs one -m: the metric to draw"),
        (["-g", "-m", "*"], "--graph draws one metric; '*' is fs.read, net.duration, net.tx"),
        (["-c", "-g", "-m", "a"], "--cols and --graph do not go together"),
        (["-g", "-j", "-m", "a"], "--graph and --json do not go together"),
        (["-g", "--format", "csv", "-m", "a"], "--graph and --format csv do not go together"),
        (
            ["-c", "--format", "prometheus", "-m", "a"],
            "--cols and --format prometheus do not go together",
        ),
        (["-c", "-u", "-m", "a"], "--cols and --uniq do not go together"),
        (["-g", "--format", "statsd", "-m", "a"], "--graph and --format statsd do not go together"),
        (["-j", "--format", "statsd"], "--json and --format statsd do not go together"),
        (["-a", "-n", "3"], "--all and --last do not go together"),
    ],
)
def test_contradictions_are_one_sentence(netcat, scopetrace, options, sentence):
    assert scopetrace("metrics", *options) == (2, "", f"scopetrace: {sentence}\n")


@pytest.mark.parametrize(
    ("enable", "options", "reason"),
    [
        ("false", [], "no metrics: metric.enable was false in its configuration"),
        ("true", [], "no metrics"),
        ("true", ["-m", "net.tx"], "no metrics"),
        ("true", ["--format", "prometheus"], "no metrics"),
    ],
)
def test_a_session_without_metrics_says_so(write, scopetrace, enable, options, reason):
    write(config=f"metric: {{enable: {enable}}}\n")

    assert scopetrace("metrics", *options) == (0, "", f"scopetrace: session 1 has {reason}\n")


def test_filters_that_nothing_matches_say_so(netcat, scopetrace):
    said = (0, "", "scopetrace: session 1 has no metric that matches\n")

    assert scopetrace("metrics", "-m", "net.rx") == said
    assert scopetrace("metrics", "-m", "net.rx", "-m", "dns.", "--cols") == said
    assert scopetrace("metrics", "-p", "9999", "-g", "-m", "net.tx") == said


def test_what_a_program_sent_cannot_move_the_cursor(write, scopetrace):
    write(sample("jobs\x1b[2J", unit="", tag="\x1b]0;x\x07"))

    for options in (
        [],
        ["-j"],
        ["--format", "statsd"],
        ["--format", "prometheus"],
        ["--format", "md"],
        ["-c", "-m", "*"],
        ["-c", "-m", "*", "--format", "csv"],
        ["-g", "-m", "*"],
    ):
        status, out, err = scopetrace("metrics", *options)
        assert (status, err) == (0, "")
        assert out.replace("\n", "").isprintable()


def test_the_process_is_left_out_on_a_terminal_if_there_is_one(write, scopetrace, monkeypatch):
    write(sample("fs.open"))
    assert scopetrace("metrics")[1].split("\n")[0].split() == [
        *("NAME", "VALUE", "TYPE", "UNIT", "PID", "PROC", "TAGS"),
    ]
    monkeypatch.setattr("scopetrace.cli.metrics.on_terminal", lambda: True)
    assert scopetrace("metrics")[1].split("\n")[0].split() == [
        *("NAME", "VALUE", "TYPE", "UNIT", "TAGS"),
    ]


def test_a_line_is_cut_at_the_width_of_a_terminal(write, scopetrace, monkeypatch):
    write(sample("fs.open", file="/x" * 100))
    monkeypatch.setattr("scopetrace.cli.metrics.terminal_columns", lambda stream: 60)

    lines = scopetrace("metrics")[1].splitlines()
    assert max(map(len, lines)) == 60
    assert lines[1].endswith("…")
