"""The view of files: a row for each, put together from the fs events that were read so far."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scopetrace.dash.place import Place
from scopetrace.dash.rows import Row
from scopetrace.dash.view import SHOW_EVERY_S, ListView
from scopetrace.model.file_record import FILE_FIELDS, OWN, FileRecord
from scopetrace.output.files import COLUMNS, file_body, file_cells
from scopetrace.query import Session
from scopetrace.query.file_scan import FileScan

MOST_FILES = 20_000
"""Files that are kept; of a session with more, the first ones are shown."""


class FilesView(ListView[FileRecord]):
    """Files: what for, how many bytes, by which programs."""

    name = "files"
    columns = COLUMNS
    sorts = ("", "bytes", "read_bytes", "written_bytes", "ops", "io_us", "file")
    has_classes = True
    fields = tuple(FILE_FIELDS)

    def __init__(self) -> None:
        self._scan: FileScan | None = None
        self._scanned: int | None = None
        """The pid that the scan is about."""

    def records(
        self, session: Session, place: Place
    ) -> Iterator[tuple[list[FileRecord], str] | None]:
        """Yield the files known so far; the next call goes on where this one was left."""
        scan, upto = self._scan_of(session, place.scope.pid), session.last_id
        shown_s = time.monotonic()
        while scan.read_on(upto):
            if time.monotonic() - shown_s >= SHOW_EVERY_S:
                yield _own(scan.records(), place, f"events read: {scan.after_id:,} of {upto:,}")
                shown_s = time.monotonic()
            else:
                yield None
        note = (
            f"only {MOST_FILES:,} files, of events 1 to {scan.after_id:,}" if scan.is_full else ""
        )
        yield _own(scan.records(), place, note)

    def _scan_of(self, session: Session, pid: int | None) -> FileScan:
        if self._scan is None or self._scanned != pid:
            self._scan = session.file_scan(MOST_FILES, () if pid is None else pid)
            self._scanned = pid
        return self._scan

    def row(self, place: Place, number: int, record: FileRecord) -> Row:
        """Return the row of a file."""
        scope = place.scope._replace(files=(record.path, *record.names))
        return Row(number, file_cells(record), Place("events", scope))

    def body(self, record: FileRecord) -> Mapping[str, Any]:
        """Return a file as `scopetrace files -j` has it."""
        return file_body(record)

    def value(self, record: FileRecord, field: str) -> Any:
        """Return the value of a field."""
        return FILE_FIELDS[field](record)

    def texts(self, record: FileRecord) -> Sequence[str]:
        """Return its names."""
        return record.path, *record.names

    def words(self, place: Place) -> list[str]:
        """Return the command that answers the same."""
        words = ["files"]
        if place.scope.pid is not None:
            words += ["-p", str(place.scope.pid)]
        if place.match:
            words += ["-m", place.match]
        if place.sort:
            words += ["-s", place.sort]
        if place.reverse:
            words.append("-r")
        return [*words, "-A"] if place.show_all else words


def _own(files: list[FileRecord], place: Place, note: str) -> tuple[list[FileRecord], str]:
    """Return the files that are not there for the start-up, and what is hidden."""
    if place.show_all:
        return files, note
    own = [file for file in files if file.path_class == OWN]
    hidden = len(files) - len(own)
    notes = [note, f"{hidden:,} start-up files hidden: a shows them" if hidden else ""]
    return own, "; ".join(filter(None, notes))
