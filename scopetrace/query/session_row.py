"""The row of the table `session` of a file at rest, read without SQLite.

Before SQLite reads a row it parses the schema. That takes a millisecond, mostly for the views: too
long for a list of 10,000 sessions. The format of the file is documented and does not change
(https://sqlite.org/fileformat2.html; the numbers here are its sections). Whatever is not as in a
file that a recorder has finished is left to SQLite: a log, a journal, another table, damage.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from struct import error as StructError
from struct import unpack_from
from typing import Any, NamedTuple

from scopetrace.db.file_size_limit import PAGE_BYTES
from scopetrace.db.schema import APPLICATION_ID, MIGRATIONS, SESSION_COLUMNS, SESSION_TABLE
from scopetrace.db.text import decode_text

_MAGIC = b"SQLite format 3\0"
_HEADER = ">16sH3B3xII24xII4xI20xI"
_HEADER_BYTES = 100
_NO_LOG, _UTF_8 = 1, 1
_INTERIOR, _LEAF = 5, 13
"""Types of pages of tables (1.6)."""
_VARINT_BYTES = 9
_LONG = 0x80
"""Of a byte of such a number that another one follows."""
_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8)
"""Of a value, by its serial type (2.1)."""
_ZERO, _ONE, _FIRST_TEXT = 8, 9, 13
_SQL = SESSION_TABLE.encode()
_SQL_TYPE = _FIRST_TEXT + 2 * len(_SQL)
_TABLE = b"\7\x17\x1b\x1b\1%c%ctablesessionsession" % (_SQL_TYPE >> 7 | _LONG, _SQL_TYPE & 0x7F)
"""How the table's row in the schema begins (2.6): types, name; then its page, a byte, and _SQL."""
_MOST_DEPTH = 20
"""Of pages below one another; a file has 3."""

Values = list[Any]


class _Header(NamedTuple):
    """What the file says about itself (1.3)."""

    magic: bytes
    page_bytes: int
    write_version: int
    read_version: int
    reserved_bytes: int
    changes: int
    pages: int
    encoding: int
    user_version: int
    application_id: int
    valid_for: int
    """The number of changes for which `pages` holds."""


def read_row(path: Path) -> dict[str, Any] | None:
    """Return the row as SQLite returns it, by column; None: SQLite has to read it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        pages = _Pages(fd)
        row = pages.session()
        has_journal = os.access(f"{path}-journal", os.F_OK)
        return row if not has_journal and pages.are_unchanged() else None
    except (OSError, ValueError, LookupError, StructError):
        return None
    finally:
        os.close(fd)


class _Pages:
    """The pages of one file; its methods raise what `read_row` catches if they are damaged."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._begin = os.pread(fd, PAGE_BYTES, 0)
        self._header = _Header(*unpack_from(_HEADER, self._begin))
        self._check()

    def session(self) -> dict[str, Any]:
        """Return the only row of the table `session`, without `config`, its last column."""
        columns = SESSION_COLUMNS[:-1]
        ((number, record),) = self._rows(self._root())
        return dict(zip(columns, [number, *_values(record, len(columns))[1:]], strict=True))

    def are_unchanged(self) -> bool:
        """Return whether the file is as when reading began."""
        return os.pread(self._fd, _HEADER_BYTES, 0) == self._begin[:_HEADER_BYTES]

    def _check(self) -> None:
        header = self._header
        is_ours = header.magic == _MAGIC and header.application_id == APPLICATION_ID
        is_known = 0 < header.user_version <= len(MIGRATIONS) and header.encoding == _UTF_8
        has_no_log = header.write_version == header.read_version == _NO_LOG
        size = os.fstat(self._fd).st_size
        is_whole = header.valid_for == header.changes and header.pages * header.page_bytes == size
        if not (is_ours and is_known and has_no_log and is_whole):
            raise ValueError("it is no finished session")

    def _root(self) -> int:
        """Return the page at which the table `session` begins, from the schema (2.6)."""
        for _, row in self._rows(1):
            if row.startswith(_TABLE) and row[len(_TABLE) + 1 :] == _SQL:
                return row[len(_TABLE)]
        raise LookupError("it has no such table")

    def _rows(self, root: int) -> Iterator[tuple[int, bytes]]:
        """Yield the rowid and the record of each row of a table, in their order."""
        for page, at in self._cells(root, 0):
            size, at = _varint(page, at)
            rowid, at = _varint(page, at)
            yield rowid, self._payload(page, at, size)

    def _cells(self, number: int, depth: int) -> Iterator[tuple[bytes, int]]:
        """Yield the leaf pages of a table with the place of each row in them (1.6)."""
        page = self._page(number)
        at = _HEADER_BYTES if number == 1 else 0
        kind, count = page[at], unpack_from(">H", page, at + 3)[0]
        if kind not in (_INTERIOR, _LEAF) or depth > _MOST_DEPTH:
            raise ValueError("it is no page of a table")
        cells = unpack_from(f">{count}H", page, at + (8 if kind == _LEAF else 12))
        if kind == _LEAF:
            yield from ((page, cell) for cell in cells)
            return
        below = [unpack_from(">I", page, cell)[0] for cell in cells]
        for child in (*below, unpack_from(">I", page, at + 8)[0]):
            yield from self._cells(child, depth + 1)

    def _page(self, number: int) -> bytes:
        size = self._header.page_bytes
        if number == 1 and size == PAGE_BYTES:
            return self._begin
        return os.pread(self._fd, size, (number - 1) * size)

    def _payload(self, page: bytes, at: int, size: int) -> bytes:
        """Return a row, also from further pages."""
        usable = self._header.page_bytes - self._header.reserved_bytes
        most = usable - 35
        if size <= most:
            return page[at : at + size]
        least = (usable - 12) * 32 // 255 - 23
        local = least + (size - least) % (usable - 4)
        local = local if local <= most else least
        found, (further,) = page[at : at + local], unpack_from(">I", page, at + local)
        while further and len(found) < size:
            page = self._page(further)
            found += page[4:usable]
            (further,) = unpack_from(">I", page)
        return found[:size]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of 1 to 9 bytes, and where it ends; 9 bytes of a negative one not (1.6)."""
    number = 0
    last = at + _VARINT_BYTES - 1
    while at < last and data[at] >= _LONG:
        number = number << 7 | data[at] & 0x7F
        at += 1
    return number << (8 if at == last else 7) | data[at], at + 1


def _values(record: bytes, columns: int) -> Values:
    """Return the first values of a row by their serial types (2.1)."""
    end, at = _varint(record, 0)
    header_bytes, values = end, Values()
    while at < header_bytes and len(values) < columns:
        kind, at, start = record[at], at + 1, end
        if kind >= _LONG:
            kind, at = _varint(record, at - 1)
        if kind >= _FIRST_TEXT and kind % 2:
            end += (kind - _FIRST_TEXT) // 2
            values.append(decode_text(record[start:end]))
        elif kind < len(_INTEGER_BYTES):
            end += _INTEGER_BYTES[kind]
            values.append(int.from_bytes(record[start:end], signed=True) if kind else None)
        elif kind in (_ZERO, _ONE):
            values.append(kind - _ZERO)
        else:
            raise ValueError("it is no integer and no text")
    if end > len(record):
        raise ValueError("it is longer than its row")
    return values
