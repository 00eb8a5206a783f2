"""The event of a call that failed is found by its thread and time."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from scopetrace.query import call_evidence, open_session
from support.packed_builder import call, record_calls, signal
from support.session_builder import begin, event, image


def test_a_failure_has_the_data_of_its_event_and_no_other(tmp_path):
    writer = begin(tmp_path)
    writer.add_calls(
        [
            call("open", 0, 0, result=-2, at=0.1, tid=71),
            call("open", 0, 0, result=-2, at=0.2, tid=71),
            call("open", 0, 0, result=-2, at=0.3, tid=72),
            call("open", 0, 0, result=3, at=0.4, tid=71),
        ]
    )
    writer.add_events(
        [
            event("fs.error", 0.2, op="open", file="/a/b", error="ENOENT", missing_folder="/a"),
            event("fs.open", 0.4, op="open", file="/c"),
            event("fs.error", 0.5, op="open", file="/d", error="ENOENT"),
        ]
    )
    writer.finish(exit_code=0)

    with open_session(writer.path) as session:
        query = session.syscall_query()
        failures = query.failures()
        rows = list(query.read())
        in_turn = [failures.data_of(made).get("missing_folder") for made in rows]
        alone = [query.failure(made).get("missing_folder") for made in rows]

    assert in_turn == alone == [None, "/a", None, None]


def test_events_long_before_the_first_call_that_is_asked_about_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(call_evidence, "MOST_THREADS", 4)
    times = [at / 1000 for at in range(1, 200)]
    writer = begin(tmp_path)
    writer.add_calls([call("open", 0, 0, result=-2, at=at, tid=71) for at in times])
    writer.add_events([event("fs.error", at, file=f"/{at}") for at in times])
    writer.finish(exit_code=0)

    with open_session(writer.path) as session:
        query = session.syscall_query()
        rows, failures = [*query.read()], query.failures()
        found = [failures.data_of(made)["file"] for made in rows[150:]]

    assert found == [f"/{at}" for at in times[150:]]
    assert len(failures._waiting) < call_evidence.MOST_THREADS


def test_what_failed_at_one_moment_is_known_when_old_events_are_dropped(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(call_evidence, "_PAGE", 1)
    failure = event("fs.error", 0.2, error="ENOENT")
    writer = begin(tmp_path)
    writer.add_calls([call("open", 0, 0, result=-2, at=0.2, tid=tid) for tid in (71, 72, 73)])
    writer.add_events([failure._replace(tid=tid, data={"file": f"/{tid}"}) for tid in (73, 72, 71)])
    writer.finish(exit_code=0)

    with open_session(writer.path) as session:
        query = session.syscall_query()
        failures = query.failures()
        found = [failures.data_of(made)["file"] for made in query.read()]

    assert found == ["/71", "/72", "/73"]


@pytest.mark.parametrize(
    ("name", "args", "data"),
    [
        ("wait4", (9, 0, 0), {"detail": "process 9 is no child of this one"}),
        ("wait4", (70, 0, 0), {"detail": "process 70 is this process itself"}),
        ("wait4", (71, 0, 0), {}),
        ("wait4", (2**32 - 1, 0, 0), {}),
        ("waitid", (1, 9, 0, 4), {"detail": "process 9 is no child of this one"}),
        ("waitid", (0, 9, 0, 4), {}),
    ],
)
def test_whose_child_a_process_is_that_cannot_be_waited_for(tmp_path, name, args, data):
    writer = begin(tmp_path)
    writer.add_process(image(2, pid=71, ppid=70))
    writer.add_calls([call(name, *args, result=-10, at=0.1)])
    writer.finish(exit_code=0)

    with open_session(writer.path) as session:
        query = session.syscall_query()
        (made,) = query.read()
        assert query.failures().data_of(made) == query.failure(made) == data


@pytest.mark.parametrize("finish", [False, True])
def test_a_call_was_interrupted_by_the_last_signal_of_its_thread(tmp_path, finish):
    calls = [
        signal(bytes([15]), at=0.05, tid=71),
        signal(bytes([12]), at=0.2, tid=71),
        signal(bytes([10]), at=0.3, tid=71),
        signal(bytes([14]), at=0.4, tid=70),
        signal(bytes([17]), at=0.5, tid=71),
        call("read", 0, 0, 1, result=-4, at=0.1, took=0.5, tid=71),
        call("read", 0, 0, 1, result=-4, at=0.9, tid=71),
    ]
    path = record_calls(tmp_path, calls, finish=finish)

    with open_session(path) as session:
        query = session.syscall_query()
        failures = query.failures()
        rows = [made for made in query.read() if made.is_call]
        in_turn = [failures.data_of(made) for made in rows]
        alone = [query.failure(made) for made in rows]

    assert in_turn == alone == [{"interrupted_by": "SIGUSR1"}, {}]


def test_the_signal_is_found_without_a_look_at_all_calls_of_a_session_that_is_recorded(tmp_path):
    calls = [call("getpid", at=at / 1e4) for at in range(5000)]
    calls += [
        signal(bytes([10]), at=0.6),
        call("read", 0, 0, 1, result=-4, at=0.55, took=0.1),
    ]
    path = record_calls(tmp_path, calls, finish=False)

    with open_session(path) as session:
        (made,) = session.syscalls("read", failed=True)
    steps = []
    with closing(sqlite3.connect(path)) as db:
        db.set_progress_handler(lambda: steps.append(1), 10)
        found = call_evidence.data_of_failure(db, made)

    assert found == {"interrupted_by": "SIGUSR1"}
    assert len(steps) < 200
