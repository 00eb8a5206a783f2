"""The view of files: a row for each, put together from the fs events that were read so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scopetrace.dash.place import Place
from scopetrace.dash.rows import Row
from scopetrace.dash.scan_view import ScanView
from scopetrace.model.file_record import FILE_FIELDS, OWN, FileRecord
from scopetrace.output.files import COLUMNS, file_body, file_cells
from scopetrace.output.units import hidden_text
from scopetrace.query import Session
from scopetrace.query.file_scan import FileScan

MOST_FILES = 20_000
"""Files that are kept; of a session with more, the first ones are shown."""


class FilesView(ScanView[FileRecord, FileScan]):
    """Files: what for, how many bytes, by which programs."""

    name = "files"
    columns = COLUMNS
    sorts = ("", "bytes", "read_bytes", "written_bytes", "ops", "io_us", "file")
    fields = tuple(FILE_FIELDS)

    def begin(self, session: Session, pid: int | tuple[()]) -> FileScan:
        """Return a scan of the files of one process, or of all."""
        return session.file_scan(MOST_FILES, pid)

    def found(self, scan: FileScan, place: Place) -> tuple[list[FileRecord], str]:
        """Return the files known so far, without those of start-up, and what is left out."""
        files, notes = scan.records(), []
        if scan.is_full:
            notes.append(f"only {MOST_FILES:,} files, of events 1 to {scan.after_id:,}")
        own = [file for file in files if place.show_all or file.path_class == OWN]
        if hidden := len(files) - len(own):
            notes.append(hidden_text(hidden, "start-up file", "a"))
        return own, "; ".join(notes)

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
