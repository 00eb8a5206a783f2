"""System calls of a session: which, in which order, and with which descriptors."""

from __future__ import annotations

from itertools import count

import pytest

from scopetrace.errors import UsageError
from scopetrace.query import open_session, syscalls, where
from support.packed_builder import call, end, record_calls, signal, text

SIGCHLD = b"\x11" + bytes(47)


@pytest.fixture
def path(tmp_path):
    """A session of one process that starts another, which fails."""
    return record_calls(
        tmp_path,
        [
            call("openat", -100, 0x2000, 0, 0, result=3, at=0.1, memory=[text(1, "notes.txt")]),
            call("read", 3, 0x1000, 10, result=5, at=0.2, took=0.02),
            call("fork", result=71, at=0.3),
            call("read", 3, 0x1000, 10, result=-9, at=0.5, process=2, tid=71),
            call("close", 3, at=0.6, process=2, tid=71),
            end(256, at=0.7, process=2, tid=71),
            call("wait4", -1, 0, 0, 0, result=71, at=0.4, took=0.4),
            signal(SIGCHLD, at=0.8),
            call("exit_group", 0, result=None, at=0.9),
            end(0, at=1.0),
        ],
    )


def listed(path, **filters):
    with open_session(path) as session:
        return [made.name or made.abi for made in session.syscalls(**filters)]


def test_calls_are_in_the_order_of_their_entry(path):
    assert listed(path) == [
        "openat", "read", "fork", "wait4", "read", "close", 17, 16, "exit_group", 17,
    ]  # fmt: skip


def test_while_they_are_recorded_calls_are_in_the_order_of_their_end(tmp_path):
    rows = [call("read", 3, at=0.2), call("wait4", -1, at=0.1)]
    path = record_calls(tmp_path, rows, finish=False)

    assert listed(path) == ["read", "wait4"]


def test_the_last_rows_are_read_without_the_others_that_match(tmp_path, monkeypatch):
    rows = [call("openat", -100, 0x2000, 0, 0, result=3, memory=[text(1, "a")])]
    rows += [call("read", 3, at=at) for at in range(1, 500)]
    path, read, read_row = record_calls(tmp_path, rows), [], syscalls.read_row
    monkeypatch.setattr(syscalls, "read_row", lambda row: read.append(row) or read_row(row))

    with open_session(path) as session:
        shown = [files.names for _, files in session.syscall_query().follow(2)]

    assert shown == [{3: "/home/ann/a"}] * 2
    assert len(read) == 3


@pytest.mark.parametrize("finish", [False, True])
def test_a_page_does_not_read_the_earlier_ones_again(tmp_path, monkeypatch, finish):
    monkeypatch.setattr(syscalls, "_PAGE", 10)

    def steps_of(calls):
        rows = [call("getppid", at=at / 1000) for at in range(calls)]
        path = record_calls(tmp_path / str(calls), rows, finish=finish)
        steps = count()
        monkeypatch.setattr(where, "_PROGRESS_STEPS", 1)
        monkeypatch.setattr(where.time, "monotonic", lambda: next(steps))
        assert len(listed(path, after_id=1)) == calls - 1
        return next(steps)

    assert steps_of(800) < 2.5 * steps_of(400)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"calls": "read,close"}, ["read", "read", "close", 17, 16, 17]),
        ({"calls": "%desc,!read", "failed": False, "where": "true"}, ["openat", "close"]),
        ({"pid": 71}, ["read", "close", 17]),
        ({"proc": "s?"}, ["read", "close", 17]),
        ({"failed": True}, ["read"]),
        ({"error": "EBADF"}, ["read"]),
        ({"error": "ebadf", "pid": 70}, []),
        ({"where": "name = 'read' and duration_ms >= 20"}, ["read"]),
        ({"where": "error = 'EBADF' and pid = 71 and proc = 'sh'"}, ["read"]),
        ({"where": "failed"}, ["read"]),
        ({"where": "result is null"}, ["exit_group"]),
        ({"where": "abi = 'x86-64' and name like 'c%'"}, ["close"]),
        ({"last": 2}, ["exit_group", 17]),
        ({"last": 0}, []),
        ({"last": 1, "calls": "read", "where": "true"}, ["read"]),
        ({"after_id": 8}, ["exit_group", 17]),
    ],
)
def test_filters_choose(path, filters, found):
    assert listed(path, **filters) == found


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ({"calls": "raed"}, "there is no system call raed; did you mean read"),
        ({"error": "ENOEN"}, "there is no error named ENOEN; did you mean ENOENT"),
        ({"error": "open"}, "there is no error named open"),
        ({"where": "nam = 'read'"}, "no call has a field named nam; did you mean name"),
        ({"where": "id; drop"}, "the expression is not valid SQL"),
        ({"where": "(select 1)"}, "the expression is not allowed"),
        ({"where": "data"}, "no call has a field named data"),
        ({"last": -1}, "the number of last calls cannot be negative"),
    ],
)
def test_wrong_filters_are_refused_in_a_sentence(path, filters, sentence):
    with pytest.raises(UsageError) as error:
        listed(path, **filters)

    assert str(error.value).startswith(sentence)


def test_rows_come_with_the_descriptors_of_their_process(path):
    with open_session(path) as session:
        rows = session.syscall_query(calls="read,close", where="true").follow()
        found = [(made.name, made.pid, files.names.get(3)) for made, files in rows]

    assert found == [
        ("read", 70, "/home/ann/notes.txt"),
        ("read", 71, "/home/ann/notes.txt"),
        ("close", 71, "/home/ann/notes.txt"),
    ]


@pytest.mark.parametrize(
    ("fds", "paths"), [([3], []), ([], ["/home/ann/notes.txt"]), ([3], ["/none"])]
)
def test_the_life_of_a_descriptor_is_from_its_open_to_its_close(path, fds, paths):
    with open_session(path) as session:
        rows = [*session.syscall_query().life(fds, paths)]

    assert [made.name for made, _ in rows] == ["openat", "read", "read", "close"]


def test_calls_are_summed_up_by_name(path):
    with open_session(path) as session:
        query = session.syscall_query()
        longest, second, *rest = query.totals()

    assert (longest.name, longest.calls, longest.errors) == ("wait4", 1, 0)
    assert (second.name, second.calls, second.errors) == ("read", 2, 1)
    assert second.longest_ns == 20_000_000
    assert {total.name for total in rest} == {"openat", "fork", "close", "exit_group"}


def test_only_calls_that_are_asked_for_are_summed_up(path):
    with open_session(path) as session:
        totals = session.syscall_query(calls="read", pid=(71,), where="true").totals()

    assert [(total.name, total.calls, total.errors) for total in totals] == [("read", 1, 1)]


def test_a_row_that_is_no_call_is_not_found_as_one(path):
    with open_session(path) as session:
        query = session.syscall_query()
        rows = [query.at(row.time_ns, row.tid) for row in session.syscalls()]

    assert [row and row.name for row in rows] == [
        "openat", "read", "fork", "wait4", "read", "close", None, None, "exit_group", None,
    ]  # fmt: skip


def test_a_session_knows_whether_calls_were_recorded(path, tmp_path):
    with open_session(path) as session:
        query = session.syscall_query()
        assert (query.is_recorded, query.has_threads, query.last_id) == (True, True, 10)
    with open_session(record_calls(tmp_path / "other", [])) as session:
        assert not session.syscall_query().is_recorded
