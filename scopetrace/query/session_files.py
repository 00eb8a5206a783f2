"""The files of a session, and the text that was written to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from scopetrace.query.conditions import of_processes
from scopetrace.query.session_base import SessionBase, listed, sql_int

if TYPE_CHECKING:
    from scopetrace.model.file_record import FileRecord
    from scopetrace.query.file_scan import FileScan
    from scopetrace.query.log_scan import LogScan


class FileViews(SessionBase):
    """What is asked about files."""

    def files(
        self,
        pid: int | Iterable[int] = (),
        proc: str | Iterable[str] = (),
        *,
        apart: bool = False,
    ) -> list[FileRecord]:
        """Return a record for each file, in the order in which they came up.

        Args:
            pid: only what these processes did to files.
            proc: only what these programs did, by base name or glob.
            apart: a record for each program that used a file, of what it did.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.files import read_files, read_files_apart
        from scopetrace.query.flows import images_of

        pids, programs = tuple(map(sql_int, listed(pid))), listed(proc)
        with self.reading():
            images = images_of(self._db, pids, programs) if pids or programs else None
            read = read_files_apart if apart else read_files
            return read(self._db, self.path_classes, images)

    def file_scan(self, most: int, pid: int | Iterable[int] = ()) -> FileScan:
        """Return what reads `files` step by step, at most so many, of all or of some processes.

        Of a file with very many processes not all are named.
        """
        from scopetrace.query.file_scan import FileScan

        query = self._query(sourcetype="fs", pid=pid)
        return FileScan(self._db, query, self.path_classes, most)

    def log_scan(self, pid: int | Iterable[int] = ()) -> LogScan:
        """Return what reads the logs and the console step by step, of all or of some processes."""
        from scopetrace.query.log_scan import LogScan

        return LogScan(self._db, of_processes(tuple(map(sql_int, listed(pid))), ()))
