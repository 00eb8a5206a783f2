"""Metrics against events: whatever a program does, the sums are the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopetrace.model.names import group_name, user_name
from scopetrace.model.raw import RESULT_UNKNOWN, Part, RawKind
from support.raw_builder import pack_calls, pack_tally, started_program
from support.recording import Recording

ON = (
    "metric: {{enable: true, format: {{verbosity: {verbosity}}}}}\nlibscope: {{summaryperiod: 1}}\n"
)
NO_EVENTS = "event: {enable: false}\n"
OFF = "metric: {enable: false}\n"

SECOND = 1_000_000_000
COUNTS = st.tuples(*[st.integers(0, 5000)] * 6)
USES = st.lists(
    st.tuples(st.sampled_from((100, 200)), st.integers(3, 9), COUNTS, st.booleans()), max_size=30
)


def play(tracee, uses):
    """Open, use and close files in two processes, over some seconds."""
    tracee.fork(200)
    for pid, fd, counts, pause in uses:
        tracee.open(f"/data/{fd}", fd, pid=pid)
        if counts[0] % 2:
            tracee.tally(fd, *counts, goes_on=counts[0] % 4 == 1, pid=pid)
        if fd != 9:  # that one is for the exit to close, or for the next open
            tracee.close(fd, *counts, pid=pid)
        if fd == 8:
            tracee.fail("openat", -100, error=2, path="/none", pid=pid)
        if pause:
            tracee.now += SECOND
    tracee.exit(pid=200)
    tracee.exit()


def recorded(tmp_path, uses, config):
    tracee = started_program()
    recording = Recording(tracee, tmp_path, config)
    recording.go()
    play(tracee, uses)
    recording.finish()
    return recording


def total(recording, name, type="counter"):
    found = [s for s in recording.writer.samples if s.name == name]
    assert {s.type for s in found} <= {type}
    return sum(s.value for s in found)


def field(recording, source, name=None):
    found = [e for e in recording.writer.events if e.source == source]
    return sum(e.data[name] for e in found) if name else len(found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(USES, st.integers(0, 9))
def test_sums_are_those_of_the_events(tmp_path, uses, verbosity):
    recording = recorded(tmp_path, uses, ON.format(verbosity=verbosity))

    assert total(recording, "fs.read") == field(recording, "fs.close", "file_read_bytes")
    assert total(recording, "fs.write") == field(recording, "fs.close", "file_write_bytes")
    assert total(recording, "fs.open") == field(recording, "fs.open")
    assert total(recording, "fs.close") == field(recording, "fs.close")
    assert total(recording, "fs.error") == field(recording, "fs.error")
    assert total(recording, "proc.start") == field(recording, "proc.start")
    assert total(recording, "proc.cpu") == field(recording, "proc.exit", "cpu_own")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(USES)
def test_they_are_the_same_where_no_event_is_wanted(tmp_path, uses):
    with_events = recorded(tmp_path, uses, ON.format(verbosity=5))
    without = recorded(tmp_path, uses, ON.format(verbosity=5) + NO_EVENTS)

    assert without.writer.events == []
    assert without.writer.samples == with_events.writer.samples


MEASURES_TOO = "event: {watch: [{type: fs}, {type: process}, {type: metric, name: '^fs'}]}\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(USES, st.integers(0, 9))
def test_single_measures_add_up_to_the_same(tmp_path, uses, verbosity):
    recording = recorded(tmp_path, uses, ON.format(verbosity=verbosity) + MEASURES_TOO)

    single = [e for e in recording.writer.events if e.sourcetype == "metric"]
    for name in ("fs.open", "fs.close", "fs.read", "fs.write", "fs.error"):
        values = [e.data["_value"] for e in single if e.data["_metric"] == e.source == name]
        assert sum(values) == total(recording, name)
    assert {e.source.partition(".")[0] for e in single} <= {"fs"}


def test_a_single_measure_has_every_tag_whatever_the_verbosity(tmp_path):
    uses = [(100, 3, (2, 500, 9_000, 1, 50, 3_000), False)]
    recording = recorded(tmp_path, uses, ON.format(verbosity=0) + MEASURES_TOO)

    found = {e.source: e.data for e in recording.writer.events if e.sourcetype == "metric"}
    assert found["fs.read"] == {
        "_metric": "fs.read",
        "_metric_type": "histogram",
        "_value": 500,
        "unit": "byte",
        "op": "read",
        "file": "/data/3",
        "fd": 3,
        "numops": 2,
    }
    assert (found["fs.duration"]["op"], found["fs.duration"]["_value"]) == ("write", 3)


def test_a_rule_chooses_single_measures_by_what_they_hold(tmp_path):
    uses = [(100, 3, (2, 500, 9_000, 1, 50, 3_000), False)]
    rule = "event: {watch: [{type: metric, name: write, field: ^_, value: /data}]}\n"
    recording = recorded(tmp_path, uses, ON.format(verbosity=0) + rule)

    assert [e.data for e in recording.writer.events] == [
        {"_metric": "fs.write", "_metric_type": "histogram", "_value": 50}
    ]


def test_operations_and_their_mean_duration_are_sampled(tmp_path):
    uses = [(100, 3, (2, 500, 9_000, 1, 50, 3_000), False)]
    recording = recorded(tmp_path, uses, ON.format(verbosity=8))

    of_transfers = ("fs.read", "fs.write", "fs.duration")
    samples = [s for s in recording.writer.samples if s.name in of_transfers]
    where = {"file": "/data/3", "fd": 3}
    assert [(s.name, s.value, s.unit, s.tags) for s in samples if s.tags["file"] == "/data/3"] == [
        ("fs.read", 500, "byte", {"op": "read", **where, "numops": 2}),
        ("fs.duration", 4.5, "microsecond", {"op": "read", **where, "numops": 2}),
        ("fs.duration", 3, "microsecond", {"op": "write", **where, "numops": 1}),
        ("fs.write", 50, "byte", {"op": "write", **where, "numops": 1}),
    ]


def test_bytes_are_sampled_by_the_call_that_transferred_them(tmp_path):
    tracee = started_program()
    recording = Recording(tracee, tmp_path, ON.format(verbosity=8))
    tracee.open("/data", 3)
    others = pack_calls(("pread64", 0, 2, 300, 4_000), ("writev", 1, 1, 50, 3_000))
    tally = {Part.TALLY: pack_tally(3, 310, 5_000, 1, 50, 3_000), Part.CALLS: others}
    tracee.add(RawKind.TALLY, args=(3, 1), parts=tally)
    more = {
        Part.TALLY: pack_tally(1, 7, 0),
        Part.CALLS: pack_calls(("io_submit__read", 0, 1, 7, 0)),
    }
    tracee.call("close", 3, result=RESULT_UNKNOWN, parts=more)
    tracee.exit()
    recording.finish()

    of_transfers = [s for s in recording.writer.samples if s.name in ("fs.read", "fs.write")]
    assert sorted((s.name, s.tags["op"], s.value, s.tags["numops"]) for s in of_transfers) == [
        ("fs.read", "io_submit", 7, 1),
        ("fs.read", "pread64", 300, 2),
        ("fs.read", "read", 10, 1),
        ("fs.write", "writev", 50, 1),
    ]
    times = [s for s in recording.writer.samples if s.name == "fs.duration"]
    assert {s.tags["op"]: s.value for s in times} == {"read": 1.0, "pread64": 2.0, "writev": 3.0}
    assert total(recording, "fs.read") == field(recording, "fs.close", "file_read_bytes") == 317


def test_a_start_says_whose_it_is_and_what_it_runs(tmp_path):
    for verbosity, args in ((3, {}), (4, {"args": "prog x"})):
        recording = recorded(tmp_path, [], ON.format(verbosity=verbosity))
        (start,) = [s for s in recording.writer.samples if s.name == "proc.start"]
        whose = {"uid", "username", "gid", "groupname"} if verbosity == 4 else set()
        assert start.tags.keys() - args == whose
        assert start.tags.items() >= args.items()
        names = (user_name(1000), group_name(1001))
        found = tuple(start.tags.get(tag) for tag in ("uid", "gid", "username", "groupname"))
        assert found == ((1000, 1001, *names) if verbosity == 4 else (None,) * 4)


def test_pipes_are_no_files(tmp_path):
    tracee = started_program()
    recording = Recording(tracee, tmp_path, ON.format(verbosity=4))
    tracee.found(5, "pipe:[1]", 0o010600)
    tracee.close(5, 3, 300, 1)
    tracee.exit()
    recording.finish()

    assert total(recording, "fs.read") == total(recording, "fs.close") == 0


@pytest.mark.parametrize("kinds", ["[]", "[{type: net}]"])
def test_only_the_kinds_that_are_wanted_are_measured(tmp_path, kinds):
    config = f"metric: {{enable: true, watch: {kinds}}}\n"
    recording = recorded(tmp_path, [(100, 3, (1,) * 6, False)], config)

    assert recording.writer.samples == []


def test_none_is_measured_unless_it_is_enabled(tmp_path):
    assert recorded(tmp_path, [(100, 3, (1,) * 6, True)], OFF).writer.samples == []


def test_a_stranger_that_is_measured_has_a_row(tmp_path):
    tracee = started_program()
    recording = Recording(tracee, tmp_path, ON.format(verbosity=4) + NO_EVENTS)
    tracee.open("/x", 3, pid=900)
    recording.finish()

    assert total(recording, "fs.open") == 1
    assert {process.pid for process in recording.writer.processes.values()} == {100, 900}


def test_periods_end_while_the_program_runs(tmp_path):
    tracee = started_program()
    config = "metric: {enable: true, watch: [{type: fs}]}\nlibscope: {summaryperiod: 2}\n"
    recording = Recording(tracee, tmp_path, config)
    recording.go()
    tracee.open("/x", 3)
    recording.go()
    recording.pipeline.tick(tracee.now + SECOND)
    assert recording.writer.samples == []

    recording.pipeline.tick(tracee.now + 3 * SECOND)
    assert [(s.name, s.value) for s in recording.writer.samples] == [("fs.open", 1)]
