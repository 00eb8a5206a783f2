"""Who touched a file: the events about it, under whatever name it had then.

Theory of operation. The events of a session may be a million, and few are about the file. Renames
and links alone say which names it can have had: the family. Events that contain the base name of
one of these are found by SQLite (`instr`), decoded, and given to `Files`, which says for each event
which file it was about. Where the session keeps which events have which names
(`query.file_names`), nothing is searched but the starts of programs.
"""

from __future__ import annotations

import json
import posixpath
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from scopetrace._fs_sums import Files, UsedFile
from scopetrace.db.text import encode_json
from scopetrace.model.touch import FILE, TOUCH_FIELDS, Touch, Who
from scopetrace.query.chains import Chains
from scopetrace.query.conditions import marks
from scopetrace.query.file_names import events_naming
from scopetrace.query.moves import MOST_NAMES, Moves
from scopetrace.query.named_files import Names, decode_names
from scopetrace.query.sql_functions import has_bytes

_MOST_KEPT = 20_000
"""Events that were found and are kept."""
_PAGE = 500
"""Events that are read at a time."""
_ACTIONS = {
    "fs.open": "open",
    "fs.rename": "rename",
    "fs.delete": "delete",
    "fs.mkdir": "make",
    "fs.link": "link",
    "fs.attr": "change",
    "fs.error": "fail",
    "proc.start": "run",
}


class Row(NamedTuple):
    """An event of a file, or of the start of a program."""

    id: int
    time_ns: int
    process: int
    source: str
    data: str
    names: Names


class FileEvents:
    """The events of files and of started programs of a session, found by texts in their data.

    Finding may take a look at all events, so those that were found last are kept, if they are few:
    the names that are meant are found by the same text as what happened to them.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._bases: AbstractSet[str] = frozenset()
        """What is kept has all events about files of these last names."""
        self._kept: list[Row] = []

    def about(self, names: AbstractSet[str]) -> Iterator[Row]:
        """Yield the events about files of these names, in their order."""
        return (row for row in self.alike(names) if not row.names.all.isdisjoint(names))

    def alike(self, names: AbstractSet[str]) -> Iterator[Row]:
        """Yield at least the events about files of these names, in their order.

        If the session has none, those whose data contains the base name of one of them.
        """
        bases = {posixpath.basename(name) or name for name in names}
        if bases <= self._bases:
            yield from self._kept
            return
        found = list[Row]()
        for row in _rows_with(self._db, bases):
            if len(found) <= _MOST_KEPT:
                found.append(row)
            yield row
        if len(found) <= _MOST_KEPT:
            self._bases, self._kept = bases, found


def _parts_of_others(texts: Iterable[str]) -> set[str]:
    """Return the texts that contain no other one: what has any of them has one of these."""
    found: set[str] = set()
    for text in sorted(texts, key=len):
        if not any(part in text for part in found):
            found.add(text)
    return found


def file_touches(
    db: sqlite3.Connection, names: Sequence[str], moves: Moves, events: FileEvents
) -> Who | None:
    """Return who touched the files that ever had one of `names`; None: no process.

    `moves` are those of the session (`read_moves`).
    """
    related = moves.family(names)
    files, found = Files(), list[tuple[UsedFile, Row]]()
    for name in names:
        files.at(name).exists = True  # perhaps before the session
    for row in events.about(related | moves.folders_above(related)):
        found += [(file, row) for file in _files_of(files, row, related)]
    now = ((files.present(file), row) for file, row in found)
    kept = [(file, row) for file, row in now if _had_one_of(file, names)]
    if not kept:
        return None
    chains = Chains(db)
    touches = (_touch(row, chains) for row in dict.fromkeys(row for _, row in kept))
    files_touched = Counter(file for file, _ in kept)
    ((most, _),) = files_touched.most_common(1)
    other = dict.fromkeys(name for file in files_touched for name in (file.path, *file.names))
    other.pop(most.path)
    return Who(FILE, most.path, tuple(other), tuple(filter(None, touches)))


def _had_one_of(file: UsedFile, names: Collection[str]) -> bool:
    return file.path in names or not file.names.keys().isdisjoint(names)


def _files_of(files: Files, row: Row, related: Iterable[str]) -> set[UsedFile]:
    """Take an event; return the files that it is about, below a folder that was renamed, too."""
    find, about = files.find, set(row.names.all)
    if row.source in ("proc.start", "fs.error"):  # no name changes
        return {files.at(name) for name in about}
    if row.source == "fs.rename":
        above = f"{row.names.file_new}/"
        about |= {name for name in related if name.startswith(above)}
    before = {find(name) for name in about}
    files.add([(row.source.encode(), row.process, row.data.encode("utf-8", "surrogatepass"))])
    return {file for file in before | {find(name) for name in about} if file is not None}


def _touch(row: Row, chains: Chains) -> Touch | None:
    """Return what an event says; None: a file was closed without having been used."""
    data: dict[str, Any] = json.loads(row.data)
    action = _ACTIONS.get(row.source) or _use(data)
    if not action:
        return None
    if row.source == "proc.start":
        data["file"] = data.get("exe")
    if row.source == "fs.close" and "duration" in data:
        data["duration_us"] = data["duration"]
    facts = {name: data[name] for name in TOUCH_FIELDS[FILE] if name in data}
    return Touch(row.id, row.time_ns, action, chains.of(row.process), facts)


def _use(data: dict[str, Any]) -> str:
    uses = (("read", "file_read_ops"), ("write", "file_write_ops"), ("map", "file_mapped"))
    return ", ".join(word for word, field in uses if data.get(field))


def _rows_with(db: sqlite3.Connection, bases: AbstractSet[str]) -> Iterator[Row]:
    if len(bases) > MOST_NAMES:
        return _rows(db)
    contains, texts = has_bytes(db), _parts_of_others(bases)
    parts = " OR ".join(f"{contains}(data, ?)" for _ in texts)
    parameters = tuple(encode_json(text)[1:-1] for text in texts)
    ids = events_naming(db, bases)
    if ids is None:
        return _rows(db, f" AND ({parts})", parameters)
    starts = db.execute(
        f"SELECT id FROM event WHERE source = 'proc.start' AND ({parts})", parameters
    )
    return _rows_of(db, sorted([*ids, *(number for (number,) in starts)]))


def _rows_of(db: sqlite3.Connection, ids: Sequence[int]) -> Iterator[Row]:
    for at in range(0, len(ids), _PAGE):
        some = ids[at : at + _PAGE]
        yield from _rows(db, f" AND id IN ({marks(some)})", some)


def last_rows(db: sqlite3.Connection, events: int) -> Iterator[Row]:
    """Yield those of the last events of a session, of whatever kind, that have names of files."""
    return _rows(db, " AND id > (SELECT max(id) FROM event) - ?", (events,))


def _rows(
    db: sqlite3.Connection, where: str = "", parameters: Sequence[str | int] = ()
) -> Iterator[Row]:
    rows = db.execute(
        "SELECT id, time_ns, process, source, data FROM event NOT INDEXED"
        f" WHERE (sourcetype = 'fs' OR source = 'proc.start'){where} ORDER BY id",
        tuple(parameters),
    )
    return (Row._make((*row, decode_names(row[-1]))) for row in rows)
