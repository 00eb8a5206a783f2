"""The names of files that a large session keeps, with the events that have each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from scopetrace.db.text import decode_text
from scopetrace.query import open_session
from scopetrace.query.file_names import events_naming
from scopetrace.query.keep_answers import keep_answers
from support.session_builder import closed, event, record
from support.sqlite_extensions import loads_extensions

pytestmark = loads_extensions
EVENTS = (
    event("fs.open", file="/w/a", flags="O_RDONLY"),
    event("fs.error", file="/w/b\udcff", op="openat", error="ENOENT"),
    event("stderr", message="no /w/a here\n"),
    closed("/w/a"),
    event("fs.rename", op="rename", file="/w/a", file_new="/v/b"),
    event("fs.open", file="/lib/real.so.6", file_passed="/lib/so", flags="O_RDONLY"),
    event("metric.fs", file="/w/a"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return record(tmp_path, EVENTS)


def keep(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as written:
        written.text_factory = decode_text
        keep_answers(written)
        written.execute("UPDATE event SET data = '{}'")  # so that nothing can be read from events


def test_events_are_grouped_by_the_names_that_are_kept(path: Path) -> None:
    with open_session(path) as session:
        before, first = session.event_groups("file"), session.event_groups("file", top=1)
        of_one = session.event_groups("file", source="fs.error")
    keep(path)

    with open_session(path) as session:
        assert session.event_groups("file") == before
        assert session.event_groups("file", top=1) == first
        assert [group.value for group in session.event_groups("file", source="fs.error")] == [None]
    assert {group.value: group.events for group in before} == {
        "/w/a": 4, "/w/b\udcff": 1, "/lib/real.so.6": 1, None: 1
    }  # fmt: skip
    assert [group.value for group in of_one] == ["/w/b\udcff"]


@pytest.mark.parametrize(
    ("base", "ids"), [("a", [1, 4, 5]), ("b", [5]), ("b\udcff", [2]), ("so", [6]), ("w", [])]
)
def test_events_are_found_by_last_names(path: Path, base: str, ids: list[int]) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert events_naming(db, {base}) is None
    keep(path)

    with closing(sqlite3.connect(path)) as db:
        db.text_factory = decode_text
        assert events_naming(db, {base}) == ids
