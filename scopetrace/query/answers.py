"""Answers that a large session keeps in its file, in the table `answer`.

What a program did with files and over connections is read from all events about them. For a million
events that takes seconds, so it is put together once, when the session ends
(`query.keep_answers`). An answer is used only if this version of scopetrace made it, from all
events that there are; without one, a reader puts it together itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

from scopetrace import __version__
from scopetrace.db.schema import has_table
from scopetrace.db.text import encode_json
from scopetrace.model.file_record import FileRecord, NameRecord
from scopetrace.model.flow_record import FlowRecord

_PART = 500
"""Records in one row of the table."""

Record = TypeVar("Record", FileRecord, FlowRecord, NameRecord)


def read_answer(
    db: sqlite3.Connection, kind: type[Record], texts: Collection[str] = ()
) -> list[Record] | None:
    """Return all records of a kind, in their order; None: they are not kept.

    With `texts`, at least those of which a value ends in one of these.
    """
    if not has_table(db, "answer"):
        return None
    has_text = " OR ".join("instr(data, ?)" for _ in texts) or "true"
    rows = db.execute(
        f"SELECT CASE WHEN {has_text} THEN data END FROM answer"
        " WHERE kind = ? AND made_from = ? ORDER BY id",
        (*(encode_json(text)[1:].encode() for text in texts), kind.__name__, _made_from(db, kind)),
    ).fetchall()
    found = (_decoded(kind, data) for (data,) in rows if data is not None)
    return list(chain.from_iterable(found)) if rows else None


def keep_answer(db: sqlite3.Connection, kind: type[Record], records: Iterable[Record]) -> None:
    """Keep the records of a kind in place of those that were kept."""
    db.execute("DELETE FROM answer WHERE kind = ?", (kind.__name__,))
    made_from = _made_from(db, kind)
    db.executemany(
        "INSERT INTO answer (kind, made_from, data) VALUES (?, ?, ?)",
        ((kind.__name__, made_from, _encoded(part)) for part in _parts(records)),
    )


def _parts(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield the records in lists; an empty one if there are none, so that this is known, too."""
    left = iter(records)
    yield list(islice(left, _PART))
    while part := list(islice(left, _PART)):
        yield part


def _made_from(db: sqlite3.Connection, kind: type[Record]) -> str:
    """Return what an answer depends on: the code, the fields of a record, the events."""
    (last,) = db.execute("SELECT max(id) FROM event").fetchone()
    return f"{__version__} {' '.join(kind._fields)} {last}"


def _encoded(records: list[Record]) -> bytes:
    from msgspec.json import encode

    try:
        return encode(records)
    except UnicodeEncodeError:  # a lone surrogate in a name
        return encode_json(records).encode()


def _decoded(kind: type[Record], data: bytes) -> list[Record]:
    from msgspec import DecodeError, convert
    from msgspec.json import Decoder

    try:
        return Decoder(list[kind]).decode(data)  # type: ignore[valid-type]
    except DecodeError:  # a lone surrogate in a name, which msgspec refuses
        return convert(json.loads(data), list[kind])  # type: ignore[valid-type]
