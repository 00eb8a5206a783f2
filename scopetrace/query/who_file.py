"""Who touched a file: the events about it, under whatever name it had then.

Theory of operation. The events of a session may be a million, and few are about the file. Renames
and links alone say which names it can have had: the family. Events that contain the base name of
one of these are found by SQLite (`instr`), decoded, and given to `Files`, which says for each event
which file it was about.
"""

from __future__ import annotations

import json
import posixpath
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from scopetrace.db.text import encode_json
from scopetrace.model.touch import FILE, TOUCH_FIELDS, Touch, Who
from scopetrace.query.chains import Chains
from scopetrace.query.file_names import UsedFile
from scopetrace.query.files import Files
from scopetrace.query.named_files import Names, decode_names

MOST_NAMES = 500
"""Of one family; more base names would be too long a statement."""
_MOST_KEPT = 20_000
"""Events that were found and are kept."""
_ROUNDS = 4
"""How often renames are followed forwards and backwards: folders that swap names never end."""
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

    Finding takes a look at all events, so those that were found last are kept, if they are few:
    the names that are meant are found by the same text as what happened to them.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._texts: frozenset[str] | None = None
        self._kept: list[Row] = []

    def having(self, texts: Collection[str]) -> Iterator[Row]:
        """Yield the events whose data contains one of `texts`, in their order.

        With too many texts for one statement, all of them.
        """
        wanted = frozenset(texts)
        if wanted == self._texts:
            yield from self._kept
            return
        found: list[Row] = []
        for row in _rows_with(self._db, wanted):
            if len(found) <= _MOST_KEPT:
                found.append(row)
            yield row
        if len(found) <= _MOST_KEPT:
            self._texts, self._kept = wanted, found

    def about(self, names: Collection[str]) -> Iterator[Row]:
        """Yield the events about files of these names, in their order."""
        rows = self.having({posixpath.basename(name) or name for name in names})
        return (row for row in rows if not row.names.all.isdisjoint(names))


def file_touches(
    db: sqlite3.Connection, names: Sequence[str], moves: Sequence[Move], events: FileEvents
) -> Who | None:
    """Return who touched the files that ever had one of `names`; None: no process.

    `moves` are those of the session (`read_moves`).
    """
    related = family(names, moves)
    files, found = Files(), list[tuple[UsedFile, Row]]()
    for name in names:
        files.by_name.at(name).exists = True  # perhaps before the session
    for row in events.about(related | _folders_above(related, moves)):
        found += [(file, row) for file in _files_of(files, row, related)]
    kept = [(file.present, row) for file, row in found if _had_one_of(file.present, names)]
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
    find, about = files.by_name.find, set(row.names.all)
    if row.source in ("proc.start", "fs.error"):  # no name changes
        return {files.by_name.at(name) for name in about}
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
    facts = {name: data[name] for name in TOUCH_FIELDS[FILE] if name in data}
    return Touch(row.id, row.time_ns, action, chains.of(row.process), facts)


def _use(data: dict[str, Any]) -> str:
    uses = (("read", "file_read_ops"), ("write", "file_write_ops"), ("map", "file_mapped"))
    return ", ".join(word for word, field in uses if data.get(field))


class Move(NamedTuple):
    """A name that a file or folder got in place of another, or beside it."""

    old: str
    new: str

    def forwards(self, name: str) -> str | None:
        """Return what `name` became, None if the move is not about it."""
        return _replaced(name, self.old, self.new)

    def backwards(self, name: str) -> str | None:
        """Return what became `name`, None if the move is not about it."""
        return _replaced(name, self.new, self.old)


def _replaced(name: str, old: str, new: str) -> str | None:
    if name == old:
        return new
    return new + name[len(old) :] if name.startswith(f"{old}/") else None


def read_moves(db: sqlite3.Connection) -> list[Move]:
    """Return all renames and hard links, in their order."""
    rows = db.execute("SELECT data FROM event WHERE source IN ('fs.rename', 'fs.link') ORDER BY id")
    names = (decode_names(text) for (text,) in rows)
    found = (
        Move(each.file, each.file_new) if each.file_new else Move(each.linked, each.file)
        for each in names
    )
    return [move for move in found if move.old and move.new]


def family(names: Iterable[str], moves: Sequence[Move]) -> set[str]:
    """Return all names that files of these names can have had before or later."""
    found = set(names)
    for _ in range(_ROUNDS):
        before = len(found)
        for move in moves:
            found |= set(filter(None, map(move.forwards, found)))
        for move in reversed(moves):
            found |= set(filter(None, map(move.backwards, found)))
        if len(found) == before or len(found) > MOST_NAMES:
            break
    return found


def _folders_above(names: Iterable[str], moves: Iterable[Move]) -> set[str]:
    """Return the folders that were renamed and that any of `names` is below."""
    found: set[str] = set()
    for move in moves:
        if any(name.startswith((f"{move.old}/", f"{move.new}/")) for name in names):
            found |= set(move)
    return found


def _rows_with(db: sqlite3.Connection, texts: Collection[str]) -> Iterator[Row]:
    where, parameters = "", tuple[str, ...]()
    if len(texts) <= MOST_NAMES:
        parts = " OR ".join("instr(data, ?)" for _ in texts)
        where, parameters = f" AND ({parts})", tuple(encode_json(text)[1:-1] for text in texts)
    return _rows(db, where, parameters)


def last_rows(db: sqlite3.Connection, events: int) -> Iterator[Row]:
    """Yield those of the last events of a session, of whatever kind, that have names of files."""
    return _rows(db, " AND id > (SELECT max(id) FROM event) - ?", (events,))


def _rows(db: sqlite3.Connection, where: str, parameters: tuple[str | int, ...]) -> Iterator[Row]:
    rows = db.execute(
        "SELECT id, time_ns, process, source, data FROM event"
        f" NOT INDEXED WHERE (sourcetype = 'fs' OR source = 'proc.start'){where} ORDER BY id",
        parameters,
    )
    return (Row._make((*row, decode_names(row[-1]))) for row in rows)
