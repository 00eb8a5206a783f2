"""What is read and counted in C is what SQLite says by its own functions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace import _scan
from scopetrace._scan import add_functions, count_values
from support.json_bytes import compact, escaped
from support.sqlite_extensions import loads_extensions

pytestmark = loads_extensions
NAMES = ("file", "fil", "op", "a", "no")
texts = st.text('ab"\\/,:{}[]\n\t\x01\x7f\x00é😀\udcff', max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(st.sampled_from(NAMES) | texts, values, max_size=4)


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        opened.text_factory = bytes
        add_functions(opened, _scan.__file__)
        opened.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, value, number)")
        yield opened


@pytest.mark.parametrize("encode", [compact, escaped])
@given(objects, st.sampled_from(NAMES))
def test_a_field_is_what_json_extract_says(
    db: sqlite3.Connection, encode: Any, data: dict[str, Any], name: str
) -> None:
    asked = "CAST(?1 AS TEXT), '$.' || ?2"
    sql = f"SELECT json_field({asked}), json_extract({asked})"
    found, expected = db.execute(sql, (encode(data), name)).fetchone()

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("data", [None, "", "[1]", " {}", '{"a":1', '{"a" :1}', "7", '{"a":}'])
def test_what_is_no_plain_object_is_left_to_json_extract(
    db: sqlite3.Connection, data: str | None
) -> None:
    answers: list[Any] = []
    for function in ("json_field", "json_extract"):
        try:
            answers.append(db.execute(f"SELECT {function}(?, '$.b')", (data,)).fetchone())
        except sqlite3.Error as error:
            answers.append(str(error))

    assert answers[0] == answers[1]


@given(texts, texts)
def test_has_bytes_is_whether_instr_finds_it(db: sqlite3.Connection, one: str, other: str) -> None:
    values = [text.replace("\0", "").encode("utf-8", "surrogatepass") for text in (one, other)]
    asked = "CAST(?1 AS TEXT), CAST(?2 AS TEXT)"
    found, place = db.execute(f"SELECT has_bytes({asked}), instr({asked})", values).fetchone()

    assert found == (place > 0)
    assert db.execute("SELECT has_bytes(NULL, 'a')").fetchone() == (None,)


numbers = st.none() | st.integers(-9, 9) | st.sampled_from((0.5, 2.25))


@given(st.lists(st.tuples(numbers | st.sampled_from(("", "a", "b", "ab")), numbers)))
def test_values_are_counted_as_by_group_by(db: sqlite3.Connection, rows: list[Any]) -> None:
    db.execute("DELETE FROM t")
    db.executemany("INSERT INTO t (value, number) VALUES (?, ?)", rows)
    expected = db.execute("SELECT value, count(*), sum(number) FROM t GROUP BY value").fetchall()

    sql = "SELECT count(count_value(?1, value, number)) FROM t WHERE id > ?"
    found = count_values(db, _scan.__file__, sql, (0,), True)
    assert sorted(found, key=repr) == sorted(expected, key=repr)

    sql = "SELECT count(count_value(?1, value)) FROM t"
    assert {(value, count, None) for value, count, _ in expected} == set(
        count_values(db, _scan.__file__, sql, (), False)
    )


def test_what_sqlite_refuses_is_its_error(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table: none") as caught:
        count_values(db, _scan.__file__, "SELECT count(count_value(?1, 1)) FROM none", (), False)

    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_ERROR


def test_a_statement_that_is_ended_from_outside_is_an_error(db: sqlite3.Connection) -> None:
    sql = """
    WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 1e7)
    SELECT count(count_value(?1, n)) FROM more"""
    db.set_progress_handler(lambda: True, 1000)
    try:
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            count_values(db, _scan.__file__, sql, (), False)
    finally:
        db.set_progress_handler(None, 0)


def test_it_is_no_matter_that_rows_are_still_being_read(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM t")
    db.execute("INSERT INTO t (value) VALUES (1), (2)")
    rows = db.execute("SELECT value FROM t ORDER BY id")
    assert rows.fetchone() == (1,)

    sql = "SELECT count(count_value(?1, value)) FROM t"
    assert count_values(db, _scan.__file__, sql, (), False) == [(1, 1, None), (2, 1, None)]
    assert rows.fetchone() == (2,)


@pytest.mark.parametrize("sql", ["count_value()", "count_value(1, 2)", "count_value(NULL, 2, 3)"])
def test_a_function_that_takes_rows_is_refused_to_other_statements(
    db: sqlite3.Connection, sql: str
) -> None:
    count_values(db, _scan.__file__, "SELECT count(count_value(?1, 1))", (), False)

    with pytest.raises(sqlite3.OperationalError, match="not for use in SQL"):
        db.execute(f"SELECT {sql}")
    with pytest.raises(sqlite3.OperationalError, match="not for use in SQL"):
        count_values(db, _scan.__file__, "SELECT count(count_value(?1))", (), False)
