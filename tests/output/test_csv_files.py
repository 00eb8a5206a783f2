"""CSV files: named and headed as the views, with every value of every event."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from contextlib import closing

import pytest

from scopetrace.model.fields import SOURCES
from scopetrace.output.csv_files import NAMES, csv_files, headings
from scopetrace.query import open_session
from support.session_builder import closed, event, record


@pytest.fixture
def tables(tmp_path):
    """Return what makes the rows of each file, as dictionaries."""

    def make(*events):
        with open_session(record(tmp_path / "home", events)) as session:
            parts = (session.processes(), session.process_ends(), session.events())
            files: dict[str, bytes] = {}
            for name, data in csv_files(*parts, session.metrics()):
                files[name] = files.get(name, b"") + data
        assert files.keys() <= NAMES
        return {
            name: list(csv.DictReader(io.StringIO(data.decode(), newline="")))
            for name, data in files.items()
        }

    return make


def test_there_is_a_file_for_each_source_that_has_events(tables):
    found = tables(event("stderr", message="no\n"), closed("/a"), closed("/b"))

    assert found.keys() == {"processes.csv", "console.csv", "fs_close.csv"}
    assert [row["file"] for row in found["fs_close.csv"]] == ["/a", "/b"]
    assert found["fs_close.csv"][0]["file_read_bytes"] == "5155"
    assert found["console.csv"][0]["source"] == "stderr"
    assert found["processes.csv"][0]["exe"] == "/usr/bin/python3"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.view)
def test_the_columns_are_those_of_the_view(tmp_path, source):
    path = record(tmp_path / "home", [])
    with closing(sqlite3.connect(path)) as db:
        view = [name for _, name, *_ in db.execute(f"PRAGMA table_info({source.view})")]

    assert [name for name in headings(source) if name not in ("tid", "more")] == view


def test_texts_are_kept_as_they_are(tables):
    text = 'a "quoted", text\nof two lines\r\nand \x1b[31m'
    (row,) = tables(event("stdout", message=text))["console.csv"]

    assert row["message"] == text
    assert row["time"] == "2026-07-12T02:11:15.000000Z"


def test_what_is_no_utf8_is_written_out(tables):
    (row,) = tables(closed(os.fsdecode(b"/caf\xe9")))["fs_close.csv"]

    assert row["file"] == "/caf\\udce9"


def test_lists_and_fields_that_the_table_does_not_name_are_json(tables):
    found = tables(event("proc.start", args=["a", "b c"]), event("http.req", **{"x-mine": "yes"}))

    assert json.loads(found["proc_start.csv"][0]["args"]) == ["a", "b c"]
    assert json.loads(found["http_req.csv"][0]["more"]) == {"x-mine": "yes"}
    assert found["proc_start.csv"][0]["more"] == ""


def test_a_file_comes_in_pieces(tmp_path):
    events = [event("stdout", message="x" * 1000) for _ in range(300)]
    with open_session(record(tmp_path / "home", events)) as session:
        pieces = list(csv_files([], [], session.events(), []))

    assert len([name for name, _ in pieces if name == "console.csv"]) > 3
