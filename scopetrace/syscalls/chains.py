"""What belongs to one call: who opened its descriptors and closes them, who waits for whom.

The rule: only calls that were recorded are named, and only where numbers say that they belong
together: the same descriptor between its opening and its closing, the id of a child, the address of
a futex.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from scopetrace.model.whole_call import END, SIGNAL
from scopetrace.syscalls.descriptors import FORKS, Files, positions, signed
from scopetrace.syscalls.recorded import Recorded

WAITS = ("wait4", "waitpid", "waitid")
ENDS = ("exit", "exit_group")
KILLS = ("kill", "tkill", "tgkill", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
EXECS = ("execve", "execveat")
FUTEX, WAKES, WAITING = "futex", (1, 3, 4, 5, 10), (0, 9)
FUTEX_COMMAND = 0x7F
CLOSES = ("close",)
REPLACES = ("dup2", "dup3")
CLOSE_RANGE = "close_range"
IGNORED = frozenset((17, 18, 23, 28))
"""SIGCHLD, SIGCONT, SIGURG and SIGWINCH, which do nothing without a handler: signal(7)."""


class Related(NamedTuple):
    """A call that belongs to the one that is asked about."""

    relation: str
    """What it did, as `opened by`."""
    made: Recorded


class Use(NamedTuple):
    """What was done with one descriptor of the call."""

    fd: int
    name: str
    """What it is; empty: not known."""
    opened: Recorded | None
    """None: it was open at the start, or how it came is not known."""
    before: Counter[str]
    """Name of a call → how often it was made with the descriptor before this one."""
    after: Counter[str]
    closed: Recorded | None
    """None: it was not closed by a call that was recorded, or long afterwards."""
    knows_before: bool = True
    """Whether `before` has all; else there may be more, since only MOST_RELATED calls are read."""
    knows_after: bool = True


class Chain(NamedTuple):
    """All that belongs to a call."""

    uses: tuple[Use, ...]
    related: tuple[Related, ...]


Rows = Callable[[int, int, int | None, bool], Iterator[Recorded]]
"""Returns the rows from one time to another (ns), of one process or of all, at most MOST_RELATED;
if the last argument holds, the last ones, backwards."""
MOST_RELATED = 200_000
"""So many rows are looked through for what belongs to a call."""
END_OF_TIME = 2**63 - 1


class Chains:
    """Finds what belongs to a call.

    Args:
        rows: reads calls.
        by_id: reads one call by its number.
    """

    def __init__(self, rows: Rows, by_id: Callable[[int], Recorded | None]) -> None:
        self._rows = rows
        self._by_id = by_id

    def of(self, made: Recorded, files: Files) -> Chain:
        """Return what belongs to a call; `files` are its descriptors as its line shows them."""
        uses = tuple(self._use(made, files, fd) for fd in _descriptors(made))
        return Chain(uses, tuple(self._related(made)))

    # -- descriptors

    def _use(self, made: Recorded, files: Files, fd: int) -> Use:
        origin = files.origins.get(fd, 0)
        opened = self._by_id(origin) if origin != made.id else None
        name = files.names.get(fd, "")
        before, knows_before, _ = self._uses_before(made, fd, opened)
        after, knows_after, closed = self._uses_after(made, fd)
        return Use(fd, name, opened, before, after, closed, knows_before, knows_after)

    def _uses_before(self, made: Recorded, fd: int, opened: Recorded | None) -> Uses:
        """Return what was done with a descriptor before, back to where it became another one."""
        rows = self._rows(_since(made, fd, opened), made.time_ns, made.pid, True)
        return _counted(rows, made, fd, lambda row: not _is_later(row, made))

    def _uses_after(self, made: Recorded, fd: int) -> Uses:
        rows = self._rows(made.time_ns, END_OF_TIME, made.pid, False)
        return _counted(rows, made, fd, lambda row: _is_later(row, made))

    # -- processes, signals, locks

    def _related(self, made: Recorded) -> Iterator[Related]:
        if made.name in FORKS and made.result:
            yield from self._life(made, made.result)
        elif made.name in WAITS and made.result is not None and made.result > 0:
            yield from self._first("started by", self._before(made), _started(made.result))
            yield from self._first("ended by", self._until(made, made.result), _is_end)
        elif made.name in ENDS or made.abi == END:
            yield from self._first("waited for by", self._until_after(made), _waited(made.pid))
        elif made.name in KILLS and made.result == 0:
            number, pid = _signal_of(made)
            yield from self._first("arrived as", self._after(made), _arrived(number, pid))
        elif made.error == "EINTR":
            rows = self._rows(made.time_ns, made.time_ns + made.duration_ns, made.pid, False)
            yield from _interrupted(made, rows)
        elif made.name == FUTEX and _command(made) in WAITING and made.result == 0:
            rows = self._rows(made.time_ns, made.time_ns + made.duration_ns, made.pid, False)
            yield from self._first("woken by", rows, _wakes(made))

    def _life(self, made: Recorded, child: int) -> Iterator[Related]:
        """Yield what became of a child: its program, its end, and who waited for it."""
        yield from self._first("then ran", self._after(made, child), _is_exec)
        yield from self._first("ended by", self._after(made, child), _is_end)
        yield from self._first("waited for by", self._after(made), _waited(child))

    def _first(
        self, relation: str, rows: Iterable[Recorded], matches: Callable[[Recorded], bool]
    ) -> Iterator[Related]:
        found = next(filter(matches, rows), None)
        if found is not None:
            yield Related(relation, found)

    def _after(self, made: Recorded, pid: int | None = None) -> Iterator[Recorded]:
        return self._rows(made.time_ns, END_OF_TIME, pid, False)

    def _until_after(self, made: Recorded) -> Iterator[Recorded]:
        """Yield the calls that ended after a call, whenever they began."""
        rows = self._rows(0, END_OF_TIME, None, False)
        return (row for row in rows if row.time_ns + row.duration_ns >= made.time_ns)

    def _before(self, made: Recorded) -> Iterator[Recorded]:
        """Yield the calls before the return of a call, the last one first."""
        return self._rows(0, made.time_ns + made.duration_ns, None, True)

    def _until(self, made: Recorded, pid: int) -> Iterator[Recorded]:
        return self._rows(0, made.time_ns + made.duration_ns, pid, False)


Uses = tuple[Counter[str], bool, Recorded | None]
"""Name of a call → how often it used a descriptor; whether these are all; the call at which that
ended, None: there is none, or it is not known."""


def _counted(
    rows: Iterable[Recorded], made: Recorded, fd: int, counts: Callable[[Recorded], bool]
) -> Uses:
    """Count the calls that use a descriptor, as far as it is the same one."""
    found, read = Counter[str](), 0
    for row in rows:
        read += 1
        if row.id == made.id or not (row.is_call and counts(row)):
            continue
        if _gives_up(row, fd):
            return found, True, row
        if fd in _descriptors(row):
            found[row.name] += 1
    return found, read < MOST_RELATED, None


def _is_later(row: Recorded, made: Recorded) -> bool:
    return (row.time_ns, row.id) > (made.time_ns, made.id)


def _descriptors(made: Recorded) -> list[int]:
    """Return the descriptors that a call is about, among them one that it made."""
    at = positions(made.abi, made.number)
    found = [fd for place in at.fds if (fd := signed(made.call.args[place])) >= 0]
    if at.makes_fd and made.result is not None and made.result >= 0:
        found.append(made.result)
    return [*dict.fromkeys(found)]


def _since(made: Recorded, fd: int, opened: Recorded | None) -> int:
    """Return from when on a descriptor was what the call uses, as far as its process made it."""
    if _makes(made, fd):
        return made.time_ns
    return opened.time_ns if opened and opened.pid == made.pid else 0


def _makes(row: Recorded, fd: int) -> bool:
    return positions(row.abi, row.number).makes_fd and row.result == fd


def _gives_up(row: Recorded, fd: int) -> bool:
    """Return whether after a call its process has not this descriptor any more, or another one."""
    if row.result is None or row.result < 0:
        return False
    if row.name in CLOSES:
        return signed(row.call.args[0]) == fd
    if row.name in REPLACES:
        return signed(row.call.args[1]) == fd
    if row.name == CLOSE_RANGE:
        return row.call.args[0] <= fd <= row.call.args[1] and not row.call.args[2]
    return _makes(row, fd)


def _started(child: int) -> Callable[[Recorded], bool]:
    return lambda row: row.name in FORKS and row.result == child


def _waited(child: int) -> Callable[[Recorded], bool]:
    return lambda row: row.name in WAITS and row.result == child


def _is_end(row: Recorded) -> bool:
    return row.name == "exit_group" or (row.abi == END and row.tid == row.pid)


def _is_exec(row: Recorded) -> bool:
    return row.name in EXECS and row.result == 0


def _signal_of(made: Recorded) -> tuple[int, int]:
    """Return which signal a call sends, and to which process; 0: to no single one."""
    if made.name == "tgkill":
        return made.call.args[2], signed(made.call.args[0])
    pid = 0 if made.name == "pidfd_send_signal" else signed(made.call.args[0])
    return made.call.args[1], max(pid, 0)


def _arrived(number: int, pid: int) -> Callable[[Recorded], bool]:
    return lambda row: row.abi == SIGNAL and row.number == number and pid in (0, row.pid, row.tid)


def interruption_rank(number: int, time_ns: int) -> tuple[bool, int]:
    """Return the rank of a signal that came during a call: the one with the highest interrupted it.

    That is the last one, since after each of the others the call was made again. A signal that does
    nothing without a handler ranks below all others.
    """
    return number not in IGNORED, time_ns


def _interrupted(made: Recorded, rows: Iterable[Recorded]) -> Iterator[Related]:
    """Yield the signal that interrupted a call, if it was recorded."""
    signals = (row for row in rows if row.abi == SIGNAL and row.tid == made.tid)
    found = max(signals, key=lambda row: interruption_rank(row.number, row.time_ns), default=None)
    if found is not None:
        yield Related("interrupted by", found)


def _command(made: Recorded) -> int:
    return made.call.args[1] & FUTEX_COMMAND


def _wakes(made: Recorded) -> Callable[[Recorded], bool]:
    address = made.call.args[0]

    def wakes(row: Recorded) -> bool:
        if row.name != FUTEX or row.tid == made.tid or not row.result or row.result < 0:
            return False
        return row.call.args[0] == address and _command(row) in WAKES

    return wakes
