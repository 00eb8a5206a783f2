"""What a report is made of: all of a small session, the ends of a large one."""

from __future__ import annotations

import pytest

from scopetrace.query import open_session, report
from scopetrace.query.report import read_report
from support.session_builder import event, record


@pytest.fixture
def texts(tmp_path, monkeypatch):
    """Return what reads the texts of a session of so many lines, three and four at most."""
    monkeypatch.setattr(report, "FIRST_TEXTS", 3)
    monkeypatch.setattr(report, "LAST_TEXTS", 4)

    def read(count):
        events = [event("stdout", message=f"{number}\n") for number in range(count)]
        others = [event("fs.open", file="/a") for _ in range(count)]
        mixed = [one for pair in zip(events, others, strict=True) for one in pair]
        with open_session(record(tmp_path / "home", mixed)) as session:
            found = read_report(session)
        return [int(one.data["message"]) for one in found.texts], found.texts_left

    return read


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
def test_all_texts_are_there_if_they_are_few(texts, count):
    assert texts(count) == (list(range(count)), 0)


def test_of_many_texts_the_first_and_the_last_are_there(texts):
    assert texts(20) == ([0, 1, 2, 16, 17, 18, 19], 13)


def test_long_texts_are_fewer(texts, monkeypatch):
    monkeypatch.setattr(report, "FIRST_CHARACTERS", 3)
    monkeypatch.setattr(report, "LAST_CHARACTERS", 5)

    assert texts(9) == ([0, 1, 7, 8], 5)


def test_failures_are_the_last_of_each_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "MOST_FAILURES", 1)
    events = [
        event("proc.error", op="kill", error="EPERM"),
        event("fs.error", op="openat", error="ENOENT", file="/a"),
        event("fs.error", op="openat", error="ENOENT", file="/b"),
    ]
    with open_session(record(tmp_path / "home", events)) as session:
        found = read_report(session)

    assert [(one.source, one.text("file")) for one in found.failures] == [
        ("fs.error", "/b"),
        ("proc.error", ""),
    ]
