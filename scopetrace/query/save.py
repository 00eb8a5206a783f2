"""Copy a session into a file of its own, whole, with its indexes and without a log beside it.

SQLite copies what is committed by now (VACUUM INTO), also of a session that is being recorded; the
recorder goes on meanwhile. The copy of such a session is one that was stopped now, since nothing
will be added to it.

With `redact`, secrets are taken out (`query.redact` says which) row by row in the copy, before it
gets its name. Then it is rewritten, so that no free page has what stood there before.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from scopetrace.db.errors import session_error
from scopetrace.db.schema import LARGE_EVENTS, create_indexes, migrate
from scopetrace.db.text import bindable, decode_text, encode_json
from scopetrace.model.session import SessionInfo
from scopetrace.model.whole_call import SIGNAL
from scopetrace.query.keep_answers import keep_answers
from scopetrace.query.redact import (
    redact_args,
    redact_cmd,
    redact_data,
    redact_info,
    redact_payload,
    redact_tags,
    redact_words,
)
from scopetrace.syscalls.packed import without_memory

_PAGE = 1000
"""Rows that are read, changed and written at a time."""
_WITH_SECRETS = ("console", "file", "http", "process", "metric")
"""Sourcetypes whose data may have secrets: that of the others is names, numbers and addresses."""


def save_session(db: sqlite3.Connection, info: SessionInfo, path: Path, redact: bool) -> None:
    """Write a copy of a session to `path`, an empty file or none.

    Raises:
        SessionError: it cannot be written, or the session cannot be read.
    """
    try:
        db.execute("VACUUM INTO ?", (bindable(str(path)),))
        with closing(sqlite3.connect(path, isolation_level=None)) as copy:
            copy.text_factory = decode_text
            copy.execute("PRAGMA journal_mode = MEMORY")
            migrate(copy)
            _end(copy, info)
            create_indexes(copy)
            if info.events >= LARGE_EVENTS:
                keep_answers(copy)
            if redact:
                _redact(copy, info)
                copy.execute("VACUUM")
    except sqlite3.Error as error:
        raise session_error("write", path, error) from None


def _end(copy: sqlite3.Connection, info: SessionInfo) -> None:
    """Have the copy of a session without an end say how it ended."""
    copy.execute("UPDATE session SET events = (SELECT count(*) FROM event)")
    if info.status == "running":
        copy.execute("UPDATE session SET status = 'stopped', ended_ns = ?", (time.time_ns(),))
    elif info.status == "interrupted":
        copy.execute("UPDATE session SET status = 'interrupted'")


def _redact(copy: sqlite3.Connection, info: SessionInfo) -> None:
    copy.execute("BEGIN")
    args = encode_json(redact_info(info).args)
    config = copy.execute("SELECT config FROM session").fetchone()[0]
    copy.execute(
        "UPDATE session SET args = CAST(? AS TEXT), config = CAST(? AS TEXT)",
        (bindable(args), bindable(redact_words(config))),
    )
    types = ", ".join(f"'{name}'" for name in _WITH_SECRETS)
    _change(copy, "event", ("sourcetype", "data"), _redacted_event, f"sourcetype IN ({types})")
    _change(copy, "process", ("args", "cmd"), _redacted_process)
    _change(copy, "process", ("tags",), _redacted_tags)
    _change(copy, "metric", ("tags",), _redacted_tags)
    _change(copy, "payload", ("data",), lambda data: {"data": redact_payload(data)})
    calls = f"abi < {SIGNAL}"
    _change(copy, "syscall", ("data",), lambda data: {"data": without_memory(data)}, calls)
    copy.execute("COMMIT")


def _redacted_event(sourcetype: str, data: str) -> dict[str, str]:
    return {"data": encode_json(redact_data(sourcetype, json.loads(data)))}


def _redacted_process(args: str, cmd: str) -> dict[str, str]:
    listed = json.loads(args)
    return {"args": encode_json(redact_args(listed)), "cmd": redact_cmd(cmd, listed)}


def _redacted_tags(tags: str) -> dict[str, str]:
    return {"tags": encode_json(redact_tags(json.loads(tags)))}


def _change(
    copy: sqlite3.Connection,
    table: str,
    columns: tuple[str, ...],
    change: Callable[..., dict[str, Any]],
    where: str = "true",
) -> None:
    """Set columns of all rows of a table to what `change` makes of other columns of the row."""
    for number, *values in _rows(copy, table, columns, where):
        changed = change(*values)
        if changed.items() <= dict(zip(columns, values, strict=True)).items():
            continue
        places = ", ".join(
            f"{name} = {'CAST(? AS TEXT)' if isinstance(value, str) else '?'}"
            for name, value in changed.items()
        )
        bound = (bindable(v) if isinstance(v, str) else v for v in changed.values())
        copy.execute(f"UPDATE {table} SET {places} WHERE id = ?", (*bound, number))


def _rows(
    copy: sqlite3.Connection, table: str, columns: tuple[str, ...], where: str
) -> Iterator[tuple[Any, ...]]:
    """Yield id and columns of the rows, a page at a time, since they are changed meanwhile."""
    sql = (
        f"SELECT id, {', '.join(columns)} FROM {table} NOT INDEXED"
        f" WHERE id > ? AND {where} ORDER BY id LIMIT {_PAGE}"
    )
    after = 0
    while rows := copy.execute(sql, (after,)).fetchall():
        yield from rows
        after = rows[-1][0]
