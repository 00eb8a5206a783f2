"""Files put together step by step."""

from __future__ import annotations

import pytest

from scopetrace.query import file_scan, open_session
from support.session_builder import closed, event, image, record


@pytest.fixture
def path(tmp_path):
    events = [closed(f"/{number}", process=1 + number % 2) for number in range(1200)]
    events += [event("fs.rename", file="/1", file_new="/last")]
    return record(tmp_path, events, [image(2, pid=80)])


def test_read_to_the_end_they_are_the_same_as_read_at_once(path):
    with open_session(path) as session:
        scan = session.file_scan(10_000)
        counts = []
        while scan.read_on(session.last_id):
            counts.append(len(scan.records()))

        assert counts == [500, 1000]
        assert scan.records() == session.files()
        assert not scan.read_on(session.last_id)


def test_those_of_one_process_are_the_same_too(path):
    with open_session(path) as session:
        scan = session.file_scan(10_000, pid=80)
        while scan.read_on(session.last_id):
            pass

        assert len(scan.records()) == 600
        assert scan.records() == session.files(pid=80)


def test_reading_ends_when_there_are_enough(path):
    with open_session(path) as session:
        scan = session.file_scan(600)
        while scan.read_on(session.last_id):
            pass

        assert scan.is_full
        assert len(scan.records()) == 1000


def test_of_many_processes_of_a_file_some_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(file_scan, "MOST_USERS", 3)
    monkeypatch.setattr(file_scan, "_PAGES_PER_TRIM", 1)
    images = [image(number, pid=number) for number in range(2, 10)]
    path = record(tmp_path, [closed("/a", process=number) for number in range(1, 10)], images)
    with open_session(path) as session:
        scan = session.file_scan(9)
        scan.read_on(session.last_id)

        assert scan.records()[0].pids == (70, 2, 3)
