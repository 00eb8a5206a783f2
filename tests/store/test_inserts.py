from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scopetrace
from scopetrace.db.schema import migrate
from scopetrace.db.text import stored
from scopetrace.model.event import Event
from scopetrace.model.form import MORE, form
from scopetrace.model.metric import Sample
from scopetrace.model.process import Process
from scopetrace.store.inserts import COLUMNS, Inserts, process_rows
from support.sqlite_extensions import loads_extensions

TEXTS = st.text(st.characters() | st.characters(categories=("Cs", "Cc")) | st.sampled_from('"\\\t'))
NUMBERS = st.integers(-(2**63), 2**64) | st.integers(0, 9)
VALUES = st.recursive(
    TEXTS | NUMBERS | st.sampled_from((0.5, -2.25)) | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(TEXTS, inner, max_size=3)
    ),
)
DATA = st.dictionaries(TEXTS, VALUES, max_size=5)
FORM = form("file", 'a "name"', "fd", MORE, "more")
FURTHER = st.none() | st.dictionaries(st.text("xyz", min_size=1), VALUES, max_size=3)
FILLED = st.tuples(st.just(FORM), VALUES, VALUES, VALUES, FURTHER, VALUES)
SMALL = st.integers(0, 2**63 - 1)
EVENT = st.builds(Event, SMALL, SMALL, SMALL, st.just("fs"), TEXTS, SMALL, DATA | FILLED)
EVENTS = st.lists(EVENT, max_size=5)
SAMPLES = st.lists(
    st.builds(
        Sample,
        SMALL,
        SMALL,
        TEXTS,
        st.just("counter"),
        st.just("byte"),
        st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
        DATA,
    ),
    max_size=5,
)


@cache
def opened() -> sqlite3.Connection:
    """Return a session in memory, which takes too long to make for each example."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.text_factory = bytes
    migrate(db)
    return db


@contextmanager
def inserting(plain: bool) -> Iterator[tuple[sqlite3.Connection, Inserts]]:
    """Yield an empty session in memory, and what inserts rows into it."""
    db = opened()
    inserts = Inserts(db, plain)
    db.execute("BEGIN")
    try:
        yield db, inserts
    finally:
        inserts.close()
        if db.in_transaction:
            db.execute("ROLLBACK")


def added(plain: bool, table: str, rows: list[Any]) -> list[tuple[Any, ...]]:
    """Return the rows that a table has after these were added."""
    with inserting(plain) as (db, inserts):
        inserts.add(table, rows)
        return db.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()


@given(EVENTS)
def test_both_ways_write_the_same_events(events: list[Event]) -> None:
    assert added(True, "event", events) == added(False, "event", events)


@given(SAMPLES)
def test_both_ways_write_the_same_metrics(samples: list[Sample]) -> None:
    assert added(True, "metric", samples) == added(False, "metric", samples)


@pytest.mark.parametrize("plain", [True, False])
def test_a_form_needs_a_value_for_each_of_its_names(plain: bool) -> None:
    with pytest.raises(ValueError, match=r"values|shorter"):
        added(plain, "event", [Event(1, 1, 1, "fs", "fs.open", 0, (FORM, "/a"))])


def test_all_bytes_of_a_text_are_escaped_as_msgspec_does() -> None:
    texts = ["".join(map(chr, range(first, first + 9))) for first in range(300)]
    events = [Event(1, 1, 1, "fs", "fs.open", 0, {text: [text]}) for text in texts]
    assert added(True, "event", events) == added(False, "event", events)


def test_rows_that_are_not_plain_keep_their_place() -> None:
    names = ["/a", "/\udcff", "/b", "/\udcfe", "/c"]
    events = [Event(at, 1, 1, "file", name, 0, {"file": name}) for at, name in enumerate(names)]
    rows = added(True, "event", events)
    assert [row[1] for row in rows] == [0, 1, 2, 3, 4]
    assert [row[5] for row in rows] == [name.encode("utf-8", "surrogatepass") for name in names]


def test_blobs_and_nulls_come_back() -> None:
    calls = [(1, 2, 3, 4, 0, 5, None, b"\0data"), (1, 2, 3, 4, 0, 5, -1, b"")]
    assert [row[-2:] for row in added(True, "syscall", calls)] == [(None, b"\0data"), (-1, b"")]


@pytest.mark.parametrize("plain", [True, False])
def test_a_row_that_is_refused_raises_the_error_of_sqlite(plain: bool) -> None:
    with inserting(plain) as (db, inserts):
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 1}")
        large = [Event(1, 1, 1, "fs", "fs.open", 0, {"file": "x" * 1000})] * 100
        with pytest.raises(sqlite3.OperationalError, match="full") as raised:
            inserts.add("event", large)
        assert raised.value.sqlite_errorcode == sqlite3.SQLITE_FULL
        db.execute(f"PRAGMA max_page_count = {2**31}")


@pytest.mark.parametrize("plain", [True, False])
def test_rows_before_a_refused_one_are_there(plain: bool) -> None:
    with inserting(plain) as (db, inserts):
        calls = [
            (1, 2, 3, 4, 0, 5, 0, b""),
            (None, 2, 3, 4, 0, 5, 0, b""),
            (3, 2, 3, 4, 0, 5, 0, b""),
        ]
        with pytest.raises(sqlite3.Error, match="NOT NULL"):
            inserts.add("syscall", calls)
        inserts.add("syscall", calls[2:])
        assert db.execute("SELECT time_ns FROM syscall ORDER BY id").fetchall() == [(1,), (3,)]


@loads_extensions
def test_truth_values_and_none_are_plain() -> None:
    with inserting(True) as (db, inserts):
        event = Event(1, 1, 1, "fs", "fs.close", 0, {"a": True, "b": False, "c": None})
        assert inserts._plain["event"].add([event], 0) == 1
        assert db.execute("SELECT data FROM event").fetchone() == (
            b'{"a":true,"b":false,"c":null}',
        )


@loads_extensions
def test_further_fields_of_a_form_are_plain() -> None:
    with inserting(True) as (db, inserts):
        data = (FORM, "/a", None, 3, {"x": True, "y": None}, "z")
        assert inserts._plain["event"].add([Event(1, 1, 1, "fs", "fs.open", 0, data)], 0) == 1
        assert db.execute("SELECT data FROM event").fetchone() == (
            b'{"file":"/a","fd":3,"x":true,"y":null,"more":"z"}',
        )


@loads_extensions
def test_a_row_of_another_width_is_refused_and_the_next_is_inserted() -> None:
    with inserting(True) as (db, inserts):
        with pytest.raises(ValueError, match="3 values"):
            inserts._plain["event"].add([(1, 2, 3)], 0)
        assert inserts._plain["event"].add([Event(1, 1, 1, "fs", "fs.open", 0, {})], 0) == 1
        assert db.execute("SELECT count(*) FROM event").fetchone() == (1,)


@loads_extensions
def test_a_closed_statement_is_refused() -> None:
    with inserting(True) as (_db, inserts):
        inserts.close()
        with pytest.raises(ValueError, match="closed"):
            inserts.add("event", [Event(1, 1, 1, "fs", "fs.open", 0, {})])


@loads_extensions
def test_all_tables_have_the_short_way_here() -> None:
    with inserting(True) as (_db, inserts):
        assert inserts._plain.keys() == COLUMNS.keys()


def test_a_connection_that_loads_no_extensions_takes_the_general_way() -> None:
    class Cautious(sqlite3.Connection):
        def enable_load_extension(self, enable: bool) -> None:
            raise sqlite3.NotSupportedError

    with closing(sqlite3.connect(":memory:", factory=Cautious)) as db:
        migrate(db)
        Inserts(db).add("event", [Event(1, 1, 1, "fs", "fs.open", 0, {"file": "/a"})])
        assert db.execute("SELECT data FROM event").fetchall() == [('{"file":"/a"}',)]


def test_a_python_for_which_it_was_not_compiled_takes_the_general_way(monkeypatch) -> None:
    monkeypatch.delattr(scopetrace, "_inserts", raising=False)
    monkeypatch.setitem(sys.modules, "scopetrace._inserts", None)
    with inserting(True) as (db, inserts):
        assert inserts._plain == {}
        inserts.add(
            "event", [Event(1, 1, 1, "fs", "fs.open", 0, (FORM, "/a", None, 3, None, None))]
        )
        assert db.execute("SELECT data FROM event").fetchone() == (b'{"file":"/a","fd":3}',)


PROCESSES = st.lists(
    st.builds(
        Process,
        *(SMALL, SMALL, SMALL, SMALL, SMALL, TEXTS, TEXTS, st.lists(TEXTS).map(tuple)),
        *(TEXTS, TEXTS, SMALL, SMALL, TEXTS, TEXTS),
        tags=st.dictionaries(TEXTS, TEXTS, max_size=3),
        args_missing=SMALL,
    ),
    max_size=3,
)


@given(PROCESSES)
def test_rows_of_processes_hold_each_field_as_its_column_does(processes: list[Process]) -> None:
    expected = [tuple(stored(value) for value in process) for process in processes]

    assert process_rows(processes) == expected
