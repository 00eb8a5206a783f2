"""System calls that were recorded whole, from the table `syscall`, in the order of their entry.

What is asked of a row in SQL is asked of the names in `VALUES`. Rows that are not asked for are
read as well where they say what a descriptor is.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

from scopetrace.db.schema import has_index, has_table
from scopetrace.errors import UsageError
from scopetrace.model.nearest import no_field
from scopetrace.model.whole_call import DAMAGED, END, FOUND, SIGNAL
from scopetrace.query.call_evidence import Failures, data_of_failure
from scopetrace.query.conditions import Condition, all_of, marks, of_processes
from scopetrace.query.session_base import sql_int
from scopetrace.query.where import bounded, checked
from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.call_set import UnknownCall, parse_call_set
from scopetrace.syscalls.chains import MOST_RELATED, Chain, Chains
from scopetrace.syscalls.descriptors import (
    AFTERWARDS,
    UNDER_WAY,
    Descriptors,
    Files,
    changes,
    touches,
)
from scopetrace.syscalls.recorded import (
    MAX_ERRNO,
    CallTotal,
    Recorded,
    call_name,
    error_of,
    read_row,
)
from scopetrace.syscalls.rows import Row, rows

_PAGE = 1000
"""Rows that are read at once: no statement stays open while they are shown."""

VALUES = {
    "id": "s.id",
    "time_ns": "s.time_ns",
    "duration_ns": "s.duration_ns",
    "duration_us": "s.duration_ns / 1e3",
    "duration_ms": "s.duration_ns / 1e6",
    "pid": "p.pid",
    "tid": "s.tid",
    "proc": "p.proc",
    "abi": "CASE s.abi WHEN 0 THEN 'x86-64' WHEN 1 THEN 'i386' WHEN 2 THEN 'x32' END",
    "name": "syscall_name(s.abi, s.number)",
    "number": "s.number",
    "result": "s.result",
    "error": "syscall_error(s.abi, s.result)",
    "failed": f"(s.abi < {SIGNAL} AND coalesce(s.result, 0) BETWEEN -{MAX_ERRNO} AND -1)",
}
"""Name of a field in `--where` → its SQL."""
_NUMBERS = ("time_ns", "duration_ns", "process", "tid", "abi", "number")
_SOUND = (
    " AND ".join(f"typeof(s.{name}) = 'integer'" for name in _NUMBERS)
    + " AND typeof(s.result) IN ('integer', 'null') AND typeof(s.data) = 'blob'"
    + f" AND s.abi IN ({', '.join(map(str, (*map(int, Abi), SIGNAL, END, FOUND)))})"
    + f" AND (s.abi <> {END} OR coalesce(s.result, 0) BETWEEN 0 AND {0xFFFF})"
)
"""Whether the columns of a row are such as the recorder writes; `read_row` looks at its bytes."""
_COLUMNS = (
    "s.id, s.time_ns, s.duration_ns, s.process, coalesce(p.pid, 0), coalesce(p.proc, ''), s.tid,"
    f" iif({_SOUND}, s.abi, {DAMAGED}), s.number, s.result, s.data"
)
_FROM = "syscall AS s LEFT JOIN process AS p ON p.id = s.process"


class SyscallFilter(NamedTuple):
    """Which calls to return; an empty value does not filter."""

    calls: str = ""
    """A set of calls (`syscalls.call_set`)."""
    pid: tuple[int, ...] = ()
    """Processes or threads."""
    proc: tuple[str, ...] = ()
    failed: bool = False
    error: str = ""
    """The name of an error."""
    where: str | None = None
    number: int | None = None
    """The number of one row (`Recorded.id`)."""

    @property
    def is_of_calls(self) -> bool:
        """Whether signals and ends of threads do not match."""
        return bool(self.failed or self.error or self.where)


def unknown_field(name: str) -> UsageError:
    """Return the error for a field that calls do not have."""
    return UsageError(no_field("call", name, VALUES))


def _number_of(error: str) -> int:
    number = getattr(errno, error.upper(), None)
    if not isinstance(number, int) or not error.upper().startswith("E"):
        from scopetrace.model.nearest import did_you_mean

        near = did_you_mean(error.upper(), errno.errorcode.values())
        raise UsageError(f"there is no error named {error}{near}")
    return number


def _are_calls(chosen: Callable[[Row], bool]) -> str:
    """Return the SQL condition that a row of the session is a call that the table describes so."""
    numbers: dict[Abi, list[int]] = {abi: [] for abi in Abi}
    for row in filter(chosen, rows()):
        for abi, found in numbers.items():
            if (number := row.numbers[abi]) is not None:
                found.append(number)
    parts = (
        f"s.abi = {int(abi)} AND s.number IN ({', '.join(map(str, found))})"
        for abi, found in numbers.items()
    )
    return f"({' OR '.join(parts)})"


def _of_names(names: frozenset[str]) -> Condition:
    """Return the condition that a row is a call of one of these names, or stands between calls."""
    of_names = _are_calls(lambda row: row.name in names)
    return Condition(f"({of_names} OR s.abi IN ({SIGNAL}, {END}) OR NOT ({_SOUND}))")


def _of_threads(wanted: SyscallFilter) -> list[Condition]:
    found = of_processes((), wanted.proc, "p.")
    if wanted.pid:
        places = marks(wanted.pid)
        found.append(Condition(f"(p.pid IN ({places}) OR s.tid IN ({places}))", wanted.pid * 2))
    return found


def _conditions(wanted: SyscallFilter) -> Condition:
    found = [Condition(f"s.abi <> {FOUND}"), *_of_threads(wanted)]
    if wanted.number is not None:
        found.append(Condition("s.id = ?", (wanted.number,)))
    if wanted.is_of_calls:
        found.append(Condition(_SOUND))
    if wanted.calls and wanted.calls != "all":
        try:
            found.append(_of_names(parse_call_set(wanted.calls)))
        except UnknownCall as error:
            raise UsageError(str(error)) from None
    if wanted.failed:
        found.append(Condition(VALUES["failed"]))
    if wanted.error:
        number = _number_of(wanted.error)
        found.append(Condition(f"(s.abi < {SIGNAL} AND s.result = ?)", (-number,)))
    if wanted.where is not None:
        expression = checked(wanted.where, VALUES, unknown_field)
        columns = ", ".join(f"{sql} AS {name}" for name, sql in VALUES.items())
        found.append(
            Condition(
                f"s.abi < {SIGNAL} AND EXISTS (SELECT 1 FROM (SELECT {columns}) WHERE {expression})"
            )
        )
    return all_of(found)


def add_call_functions(db: sqlite3.Connection) -> None:
    """Add the SQL functions syscall_name(abi, number) and syscall_error(abi, result)."""

    def name(abi: Any, number: Any) -> str:
        return call_name(abi, number) if isinstance(abi, int) and isinstance(number, int) else ""

    def error(abi: Any, result: Any) -> str:
        is_call = isinstance(abi, int) and abi < SIGNAL and isinstance(result, int)
        return error_of(result) if is_call else ""

    db.create_function("syscall_name", 2, name, deterministic=True)
    db.create_function("syscall_error", 2, error, deterministic=True)


class Shown(NamedTuple):
    """One row to show, and the descriptors of its process in this moment."""

    made: Recorded
    files: Files


class SyscallQuery:
    """The calls of one session that a `SyscallFilter` lets through.

    Raises:
        UsageError: the filter is wrong.
    """

    def __init__(
        self, db: sqlite3.Connection, failures: list[BaseException], wanted: SyscallFilter
    ) -> None:
        self._db = db
        self._failures = failures
        self._strict = wanted.where is not None
        self._condition = _conditions(wanted)
        add_call_functions(db)

    @property
    def is_recorded(self) -> bool:
        """Whether the session has any call."""
        if not has_table(self._db, "syscall"):
            return False
        return self._db.execute("SELECT 1 FROM syscall LIMIT 1").fetchone() is not None

    @property
    def has_threads(self) -> bool:
        """Whether the rows that match are of more than one thread."""
        others = "SELECT 1 FROM syscall WHERE tid <> (SELECT tid FROM syscall LIMIT 1) LIMIT 1"
        if self._db.execute(others).fetchone() is None:
            return False
        sql = f"SELECT count(*) FROM (SELECT DISTINCT s.tid FROM {_FROM} WHERE {{}} LIMIT 2)"
        return self._number(sql) > 1

    @property
    def last_id(self) -> int:
        """The number of the last row by now; 0: there is none."""
        return self._number(f"SELECT coalesce(max(s.id), 0) FROM {_FROM} WHERE {{}}")

    def _number(self, sql: str) -> int:
        with bounded(self._db, self._failures, self._strict):
            found = self._db.execute(sql.format(self._condition.sql), self._condition.parameters)
            return int(found.fetchone()[0])

    def count(self) -> int:
        """Return how many rows match."""
        return self._number(f"SELECT count(*) FROM {_FROM} WHERE {{}}")

    def read(self, last: int | None = None, after_id: int = 0) -> Iterator[Recorded]:
        """Return the rows that match, in the order in which the calls were made."""
        return (made for made, shown in self._marked(last, after_id, False) if shown)

    def follow(self, last: int | None = None) -> Iterator[Shown]:
        """Return them with the descriptors of their process.

        The descriptors of one process are one object, which changes with the next row.
        """
        descriptors = Descriptors(_folders(self._db))
        for made, shown in self._marked(last, 0, True):
            is_late = made.name in AFTERWARDS
            if not is_late:
                descriptors.follow(made)
            if shown:
                yield Shown(made, descriptors.of(made.pid))
            if is_late:
                descriptors.follow(made)

    def life(self, fds: Collection[int], paths: Collection[str]) -> Iterator[Shown]:
        """Return the calls that match and are about a descriptor or a path, in any process.

        They come with the descriptors that there are after the call.
        """
        descriptors = Descriptors(_folders(self._db))
        for made, shown in self._marked(None, 0, True):
            files = descriptors.of(made.pid)
            before = [files.names.get(fd) for fd in fds]
            used = made.is_call and touches(made, files, fds, paths)
            descriptors.follow(made)
            if not (shown and made.is_call):
                continue
            after = [files.names.get(fd) for fd in fds]
            if used or before != after or touches(made, files, (), paths):
                yield Shown(made, files)

    @property
    def numbers(self) -> tuple[int, int]:
        """The numbers of the first and of the last call of the session; 0, 0: it has none."""
        sql = f"SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM syscall WHERE abi < {SIGNAL}"
        first, last = self._db.execute(sql).fetchone()
        return first, last

    def failures(self) -> Failures:
        """Return what was found out about failures, for calls in the order of their times."""
        return Failures(self._db)

    def at(self, time_ns: int, tid: int) -> Recorded | None:
        """Return the call that a thread entered at this Unix time (ns); None: there is none."""
        return self._first("s.time_ns = ? AND s.tid = ?", time_ns, tid)

    def failure(self, made: Recorded) -> dict[str, Any]:
        """Return the data of the event of a call that failed; empty: there is none."""
        return data_of_failure(self._db, made) if made.error else {}

    def chain(self, shown: Shown) -> Chain:
        """Return what belongs to a call: descriptors, children, signals, locks."""
        return Chains(self._between, self._by_id).of(shown.made, shown.files)

    def _by_id(self, number: int) -> Recorded | None:
        return self._first("s.id = ?", number)

    def _first(self, condition: str, *values: int) -> Recorded | None:
        sql = f"SELECT {_COLUMNS} FROM {_FROM} WHERE {condition} AND s.abi < {SIGNAL}"
        found = self._db.execute(sql, values).fetchone()
        made = read_row(found) if found else None
        return made if made and made.is_call else None

    def _between(
        self, from_ns: int, to_ns: int, pid: int | None, backwards: bool
    ) -> Iterator[Recorded]:
        """Yield rows from one time to another, at most `MOST_RELATED`."""
        of_process = "" if pid is None else " AND p.pid = ?"
        down = " DESC" if backwards else ""
        sql = (
            f"SELECT {_COLUMNS} FROM {_FROM} WHERE s.time_ns BETWEEN ? AND ? AND s.abi <> {FOUND}"
            f"{of_process} ORDER BY s.time_ns{down}, s.id{down} LIMIT {MOST_RELATED}"
        )
        values = (from_ns, to_ns) if pid is None else (from_ns, to_ns, pid)
        return (read_row(row) for row in self._db.execute(sql, values))

    def totals(self) -> list[CallTotal]:
        """Return how often each call was made, how it ended, and how long it took in all."""
        sql = (
            "SELECT syscall_name(s.abi, s.number) AS name, count(*),"
            " CAST(total(s.duration_ns) AS INTEGER),"
            f" sum({VALUES['failed']}), max(s.duration_ns) FROM {_FROM}"
            f" WHERE s.abi < {SIGNAL} AND {_SOUND} AND {self._condition.sql} GROUP BY name"
        )
        with bounded(self._db, self._failures, self._strict):
            found = self._db.execute(sql, self._condition.parameters).fetchall()
        totals = [CallTotal(*row) for row in found]
        return sorted(totals, key=lambda total: (-total.duration_ns, total.name))

    def _marked(
        self, last: int | None, after_id: int, changing: bool
    ) -> Iterator[tuple[Recorded, bool]]:
        """Yield rows, and whether they match; with `changing` others that may matter, too."""
        if last == 0:
            return
        order = self._order()
        wanted, parameters = self._condition
        if last is not None and (place := self._place(last, order)):
            wanted = f"({wanted} AND ({order}) >= ({marks(place)}))"
            parameters = (*parameters, *place)
        others = f" OR {_CHANGING}" if changing else ""
        sql = f"SELECT {_COLUMNS}, {wanted} FROM {_FROM} WHERE ({wanted}{others}) AND"
        for row in self._pages(sql, (*parameters, *parameters), after_id, order):
            yield read_row(row[:-1]), bool(row[-1])

    def _order(self) -> str:
        """Return by what rows are sorted.

        They are in the order of their times if the index of that is there: it is made when the
        recording ends. Before, they are in the order in which the calls ended.
        """
        return "s.time_ns, s.id" if has_index(self._db, "syscall_time") else "s.id"

    def _place(self, last: int, order: str) -> tuple[object, ...]:
        """Return where in that order the last rows that match begin; empty: there are no others."""
        down = order.replace(",", " DESC,")
        sql = f"SELECT {order} FROM {_FROM} WHERE {self._condition.sql} ORDER BY {down} DESC"
        values = (*self._condition.parameters, sql_int(last - 1))
        with bounded(self._db, self._failures, self._strict):
            found = self._db.execute(f"{sql} LIMIT 1 OFFSET ?", values).fetchone()
        return tuple(found or ())

    def _pages(
        self, sql: str, parameters: Sequence[object], after_id: int, order: str
    ) -> Iterator[tuple[Any, ...]]:
        """Yield rows with higher ids, a page at a time.

        One term alone says where a page begins: of two, SQLite may look for the other one first,
        and read all earlier pages again (the + keeps a term from being looked for).
        """
        by_time = order != "s.id"
        key = f"+s.id > {after_id:d} AND ({order}) > (?, ?)" if by_time else "s.id > ?"
        at: tuple[int, ...] = (-1, -1) if by_time else (after_id,)
        while True:
            with bounded(self._db, self._failures, self._strict):
                page = self._db.execute(
                    f"{sql} {key} ORDER BY {order} LIMIT {_PAGE}", (*parameters, *at)
                ).fetchall()
            yield from page
            if len(page) < _PAGE:
                return
            at = (page[-1][1], page[-1][0]) if by_time else (page[-1][0],)


_CHANGING = (
    f"(s.abi = {FOUND} OR ((s.result >= 0 OR s.result = {UNDER_WAY}) AND"
    f" {_are_calls(lambda row: changes(row.name) or row.result.name == 'fd')}))"
)
"""Whether a row may change what descriptors are."""


def _folders(db: sqlite3.Connection) -> dict[int, str]:
    """Return pid → the folder in which its first program started."""
    found: dict[int, str] = {}
    for pid, cwd in db.execute("SELECT pid, cwd FROM process ORDER BY id"):
        found.setdefault(pid, cwd)
    return found
