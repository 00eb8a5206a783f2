"""The Trace Event Format, as ui.perfetto.dev and speedscope want it."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.output.perfetto import LANES, _Lanes, perfetto_file
from scopetrace.query import open_session
from support.flow_builder import channel
from support.flow_builder import closed as flow_closed
from support.session_builder import SECOND, closed, event, image, record


@pytest.fixture
def trace(tmp_path):
    """Return what makes a trace of events and images."""

    def make(events, images=()):
        with open_session(record(tmp_path / "home", events, images)) as session:
            began_ns = session.info.started_ns
            pieces = perfetto_file(
                began_ns, began_ns + 3 * SECOND, session.tree(), session.events()
            )
            return json.loads(b"".join(pieces))["traceEvents"]

    return make


def of(objects, ph):
    return [each for each in objects if each["ph"] == ph]


def test_every_object_has_the_keys_that_the_format_demands(trace):
    objects = trace(
        [event("stdout", message="hello\n"), closed("/tmp/a"), event("fs.delete", file="/tmp/a")]
    )

    for each in objects:
        assert {"name", "ph", "ts", "pid", "tid"} <= each.keys()
        assert each["ts"] >= 0
        assert each["ph"] in {"M", "X", "i", "C"}
    assert all(each["dur"] >= 0 for each in of(objects, "X"))
    assert all(each["s"] in {"g", "p", "t"} for each in of(objects, "i"))
    assert all("name" in each["args"] for each in of(objects, "M") if "name" in each["name"])


def test_a_process_has_a_name_and_a_slice_for_each_program(trace):
    sh = image(2, pid=71, parent=1, proc="sh", cmd="sh x", started_ns=image().started_ns + 10**9)
    objects = trace([], [sh])

    names = {
        each["pid"]: each["args"]["name"] for each in objects if each["name"] == "process_name"
    }
    assert names == {70: "python3", 71: "sh"}
    (slice,) = [each for each in of(objects, "X") if each["pid"] == 71]
    assert (slice["name"], slice["tid"], slice["ts"]) == ("sh", 71, 1_000_000)
    assert slice["dur"] == 2_000_000, "no end was recorded"
    assert slice["args"]["cmd"] == "sh x"


def test_a_file_is_a_slice_from_its_open_to_its_close(trace):
    close = event("fs.close", at=0.5, file="/a", duration=200_000, file_read_bytes=7)
    objects = trace([event("fs.open", at=0.3, file="/a"), close])

    (slice,) = [each for each in of(objects, "X") if each["cat"] == "fs"]
    assert (slice["name"], slice["ts"], slice["dur"]) == ("/a", 300_000, 200_000)
    assert slice["args"]["file_read_bytes"] == 7
    assert of(objects, "i") == []
    (counter,) = of(objects, "C")
    assert counter["args"] == {"read": 7, "written": 0}


def test_counters_add_up(trace):
    objects = trace(
        [flow_closed(sent=5, received=1, at=at) for at in (0.1, 0.2)]
        + [event("fs.close", at=0.3, file="/a", duration=1)]
    )

    assert [each["args"] for each in of(objects, "C")] == [
        {"received": 1, "sent": 5},
        {"received": 2, "sent": 10},
    ]


def test_slices_that_overlap_are_on_tracks_of_their_own(trace):
    closes = [(1, 1), (2, 1), (4, 3), (5, 1), (6, 6)]
    objects = trace(
        [event("fs.close", at=at, file="/a", duration=long * 10**6) for at, long in closes]
    )

    slices = [each for each in of(objects, "X") if each["cat"] == "fs"]
    assert [each["tid"] - LANES for each in slices] == [0, 0, 1, 1, 2]
    named = {each["tid"] for each in objects if each["name"] == "thread_name"}
    assert {each["tid"] for each in slices} <= named


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20))))
def test_slices_of_one_track_never_overlap(spans):
    lanes, tracks = _Lanes(), defaultdict(list)
    for end, duration in spans:
        lane, is_new = lanes.take(end - duration, end)
        assert is_new == (lane not in tracks)
        tracks[lane].append((end - duration, end))
    for track in tracks.values():
        for before, after in zip(sorted(track), sorted(track)[1:], strict=False):
            assert before[1] <= after[0]


def test_requests_and_questions_are_slices(trace):
    asked = {"http_method": "GET", "http_target": "/x", "http_duration_us": 2000}
    objects = trace(
        [
            event("http.resp", at=0.5, channel=channel(0), **asked),
            event("dns.resp", at=0.5, domain="box", type="A", duration_us=1000),
        ]
    )

    slices = [each for each in of(objects, "X") if each["cat"] in ("http", "dns")]
    assert [(each["name"], each["ts"], each["dur"]) for each in slices] == [
        ("GET /x", 498_000, 2000),
        ("box A", 499_000, 1000),
    ]


def test_a_long_name_is_cut_and_is_whole_in_the_arguments(trace):
    text = "x" * 500
    (instant,) = of(trace([event("stderr", message=text)]), "i")

    assert len(instant["name"]) == 120
    assert instant["args"]["message"] == text
    assert instant["tid"] == 71
