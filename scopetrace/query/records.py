"""Rows of the session file as the model's records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scopetrace.db.running import is_running
from scopetrace.model.event import EventRecord
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.model.session import SessionInfo
from scopetrace.query.sql_functions import JsonDecoder

EVENT_COLUMNS = (
    "e.id",
    "e.time_ns",
    "e.process",
    "e.tid",
    "e.sourcetype",
    "e.source",
    "e.channel",
    "e.data",
)

_CACHED_PROCESSES = 10_000
"""Process images whose facts are cached; a session can have any number."""
_SESSION_FIELDS = tuple(field for field in SessionInfo._fields if field != "path")


_REPEATED = tuple(
    Process._fields.index(name) for name in ("proc", "exe", "cwd", "username", "groupname")
)
"""Fields that many processes have in common: of a million processes each text is kept once."""
_NEWER_COLUMNS = {"tags": "'{}'", "args_missing": "0"}
"""Columns of `process` that files of version 1 lack → the SQL of their default."""


class _Facts(NamedTuple):
    """The fields of an EventRecord about its process."""

    proc: str
    cmd: str
    pid: int
    uid: int
    gid: int
    username: str
    groupname: str
    args: tuple[str, ...]
    tags: dict[str, str]


_NO_PROCESS = _Facts("", "", 0, 0, 0, "", "", (), {})
"""Stands for a process that could not be written."""


class RecordReader:
    """Makes EventRecords of rows of `EVENT_COLUMNS`."""

    def __init__(self, db: sqlite3.Connection, host: str) -> None:
        self._db = db
        self._host = host
        self._facts: dict[int, _Facts] = {}
        self._decode = JsonDecoder()
        self._columns = process_columns(db, _Facts._fields)

    def read(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[EventRecord]:
        """Yield a record for each row."""
        host = self._host
        for number, time_ns, process, tid, sourcetype, source, channel, data in rows:
            facts = self._facts.get(process) or self._look_up(process)
            yield EventRecord(
                number, time_ns, sourcetype, source, host, facts.proc, facts.cmd, facts.pid, tid,
                facts.uid, facts.gid, facts.username, facts.groupname, channel,
                self._decode(data), facts.args, facts.tags, process,
            )  # fmt: skip

    def _look_up(self, process: int) -> _Facts:
        if len(self._facts) >= _CACHED_PROCESSES:
            self._facts.clear()
        row = self._db.execute(
            f"SELECT {self._columns} FROM process WHERE id = ?", (process,)
        ).fetchone()
        if row is None:
            return _NO_PROCESS
        facts = _Facts._make(_decoded(row, _Facts._fields, self._decode))
        self._facts[process] = facts
        return facts


def read_processes(
    db: sqlite3.Connection, clauses: str = "ORDER BY id", parameters: Sequence[object] = ()
) -> Iterator[Process]:
    """Yield process images; `clauses` of SQL choose and order them, by default as they began."""
    columns, decode = process_columns(db, Process._fields), JsonDecoder()
    texts: dict[str, str] = {}
    for row in db.execute(f"SELECT {columns} FROM process {clauses}", parameters):
        values = _decoded(row, Process._fields, decode)
        for at in _REPEATED:
            values[at] = texts.setdefault(values[at], values[at])
        yield Process._make(values)


def process_columns(db: sqlite3.Connection, fields: Sequence[str]) -> str:
    """Return the columns of `process` for a SELECT; missing ones of old files as defaults."""
    there = {name for _, name, *_ in db.execute("PRAGMA table_info(process)")}
    return ", ".join(
        field
        if field in there or field not in _NEWER_COLUMNS
        else f"{_NEWER_COLUMNS[field]} AS {field}"
        for field in fields
    )


def read_process_ends(
    db: sqlite3.Connection, ids: Sequence[int] | None = None
) -> Iterator[ProcessEnd]:
    """Yield how process images ended, for those that have; with `ids`, of these alone."""
    chosen = "" if ids is None else f" AND id IN ({', '.join('?' * len(ids))})"
    rows = db.execute(
        f"SELECT {', '.join(ProcessEnd._fields)} FROM process"
        f" WHERE ended_ns NOTNULL{chosen} ORDER BY id",
        ids or (),
    )
    for number, ended_ns, exit_code, signal, replaced in rows:
        yield ProcessEnd(number, ended_ns, exit_code, signal, bool(replaced))


def read_info(db: sqlite3.Connection, path: Path) -> SessionInfo:
    """Return the row of the table `session`, with the status of now."""
    return as_of_now(read_recorded(db, path))


def read_recorded(db: sqlite3.Connection, path: Path) -> SessionInfo:
    """Return the row of the table `session`; it says "running" if the recorder was killed, too."""
    row = db.execute(f"SELECT {', '.join(_SESSION_FIELDS)} FROM session").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("the file has no row about its session")
    return recorded_info(dict(zip(_SESSION_FIELDS, row, strict=True)), path)


def recorded_info(row: dict[str, Any], path: Path) -> SessionInfo:
    """Return the facts of a row of the table `session`, by column."""
    return SessionInfo(**{**row, "args": tuple(json.loads(row["args"])), "path": path})


def as_of_now(info: SessionInfo) -> SessionInfo:
    """Return the facts with the status of now: "interrupted" if the recorder was killed."""
    if info.status != "running":
        return info
    alive = is_running(info.recorder_pid, info.recorder_started_ticks, info.boot_id)
    return info if alive else info._replace(status="interrupted")


def _decoded(
    row: tuple[Any, ...], fields: Sequence[str], decode: Callable[[str], Any]
) -> list[Any]:
    """Return a row with its JSON fields `args` and `tags` decoded."""
    values = list(row)
    at = fields.index("args")
    values[at] = tuple(decode(values[at]))
    if "tags" in fields:
        at = fields.index("tags")
        values[at] = decode(values[at])
    return values
