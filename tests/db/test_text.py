from __future__ import annotations

import json
import os
import sqlite3

from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import Encoder

from scopetrace.db.text import bindable, decode_text, encode_json

names = st.binary(max_size=60).map(os.fsdecode)


@given(names)
def test_any_bytes_survive_json(name):
    text = encode_json({"file": name})

    assert text.encode()  # valid UTF-8
    assert json.loads(text) == {"file": name}


@given(st.text())
def test_json_is_the_same_as_msgspec_writes_it(text):
    assert encode_json([text]).encode() == Encoder().encode([text])


@given(names)
def test_any_bytes_survive_a_column_and_a_json_field(name):
    db = sqlite3.connect(":memory:")
    db.text_factory = decode_text

    column, field = db.execute(
        "SELECT CAST(? AS TEXT), json_extract(?, '$')", (bindable(name), encode_json(name))
    ).fetchone()

    assert column == name
    assert field == name.partition("\0")[0]  # SQLite ends text at a NUL there
    db.close()


def test_bytes_that_no_writer_wrote_are_read_too():
    assert decode_text(b"a\xff") == "a\udcff"
