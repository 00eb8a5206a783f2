"""The last lines of standard error, of all processes or of some."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from scopetrace.query.last_lines import STDOUT, last_lines
from support.session_builder import event, image, record


def test_the_lines_of_one_process_since_an_event(tmp_path: Path) -> None:
    events = [
        event("stderr", message="early\n"),
        event("stderr", process=2, message="other\n"),
        event("stderr", message="a\n\nb\nc"),
        event("stderr", message="d\n"),
        event("stdout", message="out\n"),
    ]
    path = record(tmp_path, events, [image(2, pid=71)])
    with sqlite3.connect(path) as db:
        assert last_lines(db) == ("a", "b", "cd")
        assert last_lines(db, [2]) == ("other",)
        assert last_lines(db, [1], since=3) == ("d",)
        assert last_lines(db, [3]) == ()
        assert last_lines(db, [1], stream=STDOUT) == ("out",)
    db.close()


def test_lines_have_no_colours_also_where_an_event_ends_within_one(tmp_path: Path) -> None:
    events = [
        event("stderr", message="\x1b[01m\x1b[Kb.c:1:\x1b[m\x1b["),
        event("stderr", message="K no\n"),
    ]
    with sqlite3.connect(record(tmp_path, events)) as db:
        assert last_lines(db) == ("b.c:1: no",)
    db.close()
