from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from scopetrace.query.field_sql import NAMES, translate, unknown_name


def test_a_byte_that_is_no_utf_8_is_compared_as_sql_has_it():
    name = os.fsdecode(b"/\xff\x80")
    sql = NAMES["proc"].replace("p.proc", "?")
    with closing(sqlite3.connect(":memory:")) as db:
        stored = db.execute(f"SELECT {sql}", (name.encode("utf-8", "surrogatepass"),)).fetchone()[0]
    text = stored.decode() if isinstance(stored, bytes) else stored

    assert text == translate(name) == "/\uf7ff\uf780"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("sourcetyp", "; did you mean sourcetype"), ("zzzzzz", "")],
)
def test_a_name_that_no_event_has_is_refused_with_those_that_look_like_it(name, hint):
    sentence = str(unknown_name(name))
    assert sentence.startswith(f"no event has a field named {name}{hint}")
    assert ("did you mean" in sentence) == bool(hint)
