from __future__ import annotations

import json
import sqlite3

import pytest

from scopetrace.query import sql_functions
from scopetrace.query.sql_functions import JsonDecoder, add_functions


@pytest.fixture
def db():
    connection = sqlite3.connect(":memory:")
    add_functions(connection)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b", "b"),
        ("b", "b"),
        ("/a/b/", "b"),
        ("/", "/"),
        ("", "/"),
        (None, None),
        (7, "7"),
    ],
)
def test_basename_is_what_follows_the_last_slash(db, path, name):
    assert db.execute("SELECT basename(?)", (path,)).fetchone() == (name,)


@pytest.mark.parametrize(
    ("value", "pattern", "found"),
    [
        ("abc", "b", 1),
        ("abc", "^b", 0),
        (None, "b", None),
        ("abc", None, None),
        (123, "2", 1),
        (b"a\xff", "a", 1),
        ("a\nb", "a$", 0),
        ("a\nb", "(?m)a$", 1),
    ],
)
def test_regexp_searches(db, value, pattern, found):
    assert db.execute("SELECT ? REGEXP ?", (value, pattern)).fetchone() == (found,)


def test_a_failure_in_a_function_is_kept():
    with sqlite3.connect(":memory:") as db:
        failures = add_functions(db)
        with pytest.raises(sqlite3.OperationalError):
            db.execute("SELECT 'a' REGEXP '('").fetchone()
    db.close()

    assert "missing )" in str(failures[0])


@pytest.mark.parametrize(
    ("data", "text", "found"),
    [
        ({"file": "/etc"}, "etc", 1),
        ({"file": "/etc"}, "file", 0),
        ({"n": 123}, "12", 1),
        ({"n": True}, "true", 1),
        ({"n": None}, "null", 0),
        ({"args": ["ls", {"deep": "x"}]}, "x", 1),
        ({"a": "x\ny"}, "x\ny", 1),
        ({"a": "x", "b": "y"}, '"', 0),
        ({}, "x", 0),
    ],
)
def test_text_is_looked_for_in_values_only(db, data, text, found):
    row = db.execute("SELECT has_text(?, ?)", (json.dumps(data), json.dumps(text))).fetchone()

    assert row == (found,)


def test_the_faster_decoder_gives_the_same(monkeypatch):
    monkeypatch.setattr(sql_functions, "_SLOW_DECODER_CALLS", 2)
    decode = JsonDecoder()
    texts = ['{"a": "\\udcff", "b": [1, 2.5, null, true]}', '{"a": "\u00e9\\u0000"}']

    assert [decode(text) for text in texts * 2] == [json.loads(text) for text in texts * 2]
