"""Make a new session file; it is complete when it gets its name.

It is made under a hidden name (`db.paths.hidden_path`), with its tables and its row of the table
`session`, and then renamed. So an incomplete session is never listed, and a copy of the file alone
is always a session.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from scopetrace.db.errors import session_error
from scopetrace.db.file_size_limit import PAGE_BYTES
from scopetrace.db.paths import hidden_path
from scopetrace.db.schema import migrate
from scopetrace.db.text import decode_text, place_for, stored


class Rows(NamedTuple):
    """Rows to copy into a new file, with all columns of their table."""

    table: str
    values: list[tuple[Any, ...]]
    places: list[str]
    """The SQL placeholder of each column."""


@contextmanager
def new_session_file(
    path: Path, about: Mapping[str, Any], rows: Iterable[Rows] = ()
) -> Iterator[None]:
    """Make a session file; it gets its name after the body of the `with`.

    Raises:
        SessionError: it cannot be made; the hidden file is deleted.
    """
    hidden = hidden_path(path)
    try:
        _create(hidden)
        with closing(sqlite3.connect(hidden, isolation_level=None)) as db:
            db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            db.execute("PRAGMA synchronous = OFF")  # a crash now costs only the hidden file
            migrate(db)
            _insert_session(db, about)
            for each in rows:
                if each.values:
                    places = ", ".join(each.places)
                    db.executemany(f"INSERT INTO {each.table} VALUES ({places})", each.values)
        yield
        hidden.rename(path)
    except (sqlite3.Error, OSError) as error:
        for left in (hidden, Path(f"{hidden}-journal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)
        raise session_error("write", path, error) from None


def read_about(db: sqlite3.Connection) -> dict[str, Any]:
    """Return the row of the table `session`; the connection's `text_factory` is `decode_text`."""
    cursor = db.execute("SELECT * FROM session")
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))


def take_rows(db: sqlite3.Connection, table: str, last: int = 0) -> Rows:
    """Return the rows of a table after its first `last` ones, numbered from 1 for a new file.

    No rows if the file cannot be read any more: it may have been truncated.
    """
    places: list[str] = []
    try:
        columns = db.execute(f"PRAGMA table_info({table})").fetchall()
        places = ["CAST(? AS TEXT)" if column[2] == "TEXT" else "?" for column in columns]
        names = ", ".join(column[1] for column in columns[1:])
        db.text_factory = bytes
        found = db.execute(
            f"SELECT id - {last}, {names} FROM {table} WHERE id > {last} ORDER BY id"
        )
        return Rows(table, found.fetchall(), places)
    except sqlite3.Error:
        return Rows(table, [], places)
    finally:
        db.text_factory = decode_text


def _create(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, 0o600)  # whatever the umask
    finally:
        os.close(fd)


def _insert_session(db: sqlite3.Connection, about: Mapping[str, Any]) -> None:
    places = ", ".join(map(place_for, about.values()))
    values = [stored(value) for value in about.values()]
    db.execute(f"INSERT INTO session ({', '.join(about)}) VALUES ({places})", values)
