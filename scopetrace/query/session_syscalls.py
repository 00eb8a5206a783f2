"""The system calls of a session, if they were recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from scopetrace.db.schema import has_table
from scopetrace.errors import SessionError, UsageError
from scopetrace.model.event import EventRecord
from scopetrace.model.whole_call import DAMAGED
from scopetrace.query.session_base import SessionBase, listed, sql_int

if TYPE_CHECKING:
    from scopetrace.query.syscalls import Shown, SyscallQuery
    from scopetrace.syscalls.recorded import Recorded


NOT_OF_CALLS = ("console", "file", "metric")
"""Source types whose events are made of what several calls carried."""


class SyscallViews(SessionBase):
    """What is asked about system calls."""

    def syscalls(
        self,
        calls: str = "",
        pid: int | Iterable[int] = (),
        proc: str | Iterable[str] = (),
        failed: bool = False,
        error: str = "",
        where: str | None = None,
        last: int | None = None,
        after_id: int = 0,
    ) -> Iterator[Recorded]:
        """Return the system calls that `run --syscalls` recorded, in the order of their entry.

        Signals and ends of threads stand between them (`Recorded.is_call`), unless calls are chosen
        by how they ended or by an expression. While they are recorded, calls come in the order in
        which they ended.

        Args:
            calls: a set of calls: "openat,%network,!close"; empty: all.
            pid: ids of processes or threads.
            proc: programs by base name or glob.
            failed: only those that failed.
            error: only those that failed with this error: "ENOENT".
            where: an SQL expression over the fields of calls (`query.syscalls.VALUES`).
            last: only the last so many.
            after_id: only rows with a higher id.

        Raises:
            UsageError: the set, the error or the expression is wrong, or `last` is negative.
            SessionError: the file cannot be read.
        """
        if last is not None and last < 0:
            raise UsageError("the number of last calls cannot be negative")
        query = self.syscall_query(
            calls=calls, pid=pid, proc=proc, failed=failed, error=error, where=where
        )
        return query.read(last, after_id)

    def syscall(self, number: int) -> Shown:
        """Return one call by its number, with the descriptors of its process at that time.

        Raises:
            SessionError: the session has no such call, or its row is damaged.
        """
        query = self.syscall_query(number=number)
        found = next(query.follow(), None) if query.is_recorded else None
        if found is not None and found.made.abi == DAMAGED:
            raise SessionError(
                f"row {number} of the system calls of session {self.info.id} is damaged"
            )
        if found is None or not found.made.is_call:
            first, last = query.numbers if query.is_recorded else (0, 0)
            has = f"its calls are {first} to {last}" if last else "it has none"
            raise SessionError(f"session {self.info.id} has no system call {number}; {has}")
        return found

    def syscall_of(self, event: EventRecord) -> Recorded | None:
        """Return the system call that an event is about; None: it was not recorded.

        A call and its event have the same thread and the same time of entry.
        """
        if not has_table(self._db, "syscall") or event.sourcetype in NOT_OF_CALLS:
            return None
        return self.syscall_query().at(event.time_ns, event.tid)

    def syscall_query(
        self,
        *,
        calls: str = "",
        pid: int | Iterable[int] = (),
        proc: str | Iterable[str] = (),
        failed: bool = False,
        error: str = "",
        where: str | None = None,
        number: int | None = None,
    ) -> SyscallQuery:
        """Return the query that `syscalls` makes, for more than its rows; `number`: of one row.

        Raises:
            UsageError: the set, the error or the expression is wrong.
        """
        from scopetrace.query.syscalls import SyscallFilter, SyscallQuery

        pids = tuple(map(sql_int, listed(pid)))
        wanted = SyscallFilter(calls, pids, listed(proc), failed, error, where, sql_int(number))
        return SyscallQuery(self._db, self._failures, wanted)
