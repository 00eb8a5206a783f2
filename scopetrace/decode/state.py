"""What every decoder works on, and the few things that several of them do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple
from weakref import WeakSet, WeakValueDictionary

from scopetrace.decode.addresses import BoundNames
from scopetrace.decode.consoles import Consoles
from scopetrace.decode.fd_tables import FdTable, Gone
from scopetrace.decode.flows import let_go
from scopetrace.decode.paths import DELETED, absolute, text, undeleted
from scopetrace.decode.pids import PidNamespaces
from scopetrace.decode.tasks import Task, Tree
from scopetrace.model.open_file import FileStat, OpenFile
from scopetrace.model.operation import (
    STOPPED,
    Closed,
    Failed,
    ImageEnded,
    Operation,
    ProcessFailed,
    build,
)
from scopetrace.model.raw import RESULT_REFUSED, RESULT_UNKNOWN, STAT, Part, RawRecord

FD = 0xFFFFFFFF
"""An int argument is the low half of a register; a negative fd is then no fd of a table."""

PATH, PATH2, DATA, LINK, STATUS_OF_FILE, TALLIES, NAME, NAME2 = map(
    int,
    (
        Part.PATH, Part.PATH2, Part.DATA, Part.LINK, Part.STAT, Part.TALLY, Part.NAME, Part.NAME2,
    ),
)  # fmt: skip
ADDRESS, LOCAL, PEER, SOCKET_FACTS, EARLY = map(
    int, (Part.ADDRESS, Part.LOCAL, Part.PEER, Part.SOCKET, Part.EARLY)
)
"""Kinds of parts as plain numbers: a member of an enumeration takes three times as long to find."""

MAX_ERRNO = 4095
"""Results below its negative are no errors (include/linux/err.h)."""
ERESTART = range(512, 517)
"""Errors that only the kernel sees: the call goes on (include/linux/errno.h)."""


MOST_LET_GO = 256


class State:
    """The state of a session while it is decoded."""

    __slots__ = (
        "bound", "calls", "consoles", "emit", "given", "let_go", "offset_ns", "pids",
        "sockets", "tree",
    )  # fmt: skip

    def __init__(self, emit: Callable[[Operation], None], offset_ns: int) -> None:
        self.emit = emit
        self.offset_ns = offset_ns
        """Unix time less the clock of the records."""
        self.calls: Sequence[str] = ()
        """The calls that the rows of syscalls.def are of."""
        self.tree = Tree()
        self.consoles = Consoles()
        self.pids = PidNamespaces()
        self.sockets: WeakValueDictionary[int, OpenFile] = WeakValueDictionary()
        """Sockets by inode, so that one which is passed on or inherited remains the same."""
        self.bound = BoundNames()
        self.given: WeakSet[OpenFile] = WeakSet()
        """Files that were opened without a name and have one now (`decode.file_names`)."""
        self.let_go: deque[OpenFile] = deque(maxlen=MOST_LET_GO)
        """Sockets closed last: each may be under way to another process."""

    def remember_socket(self, file: OpenFile) -> None:
        """Let a socket be found again, wherever it turns up."""
        if file.socket is not None and file.stat is not None:
            self.sockets[file.stat.ino] = file


Handler = Callable[[State, Task, RawRecord, str], None]
"""Decodes one record; the text is the name of the call."""

Parts = dict[int, bytes]


class Names(NamedTuple):
    """What a path argument means, and what the program passed if that is another text."""

    file: str
    passed: str = ""


NO_NAMES = Names("")


def signed(value: int) -> int:
    """Return an int argument with its sign."""
    value &= 0xFFFFFFFF
    return value - 0x100000000 if value & 0x80000000 else value


def open_file(parts: Parts, otherwise: str, opened_ns: int) -> OpenFile:
    """Return a new open file; `otherwise` is its path if the kernel's link is missing.

    A link's " (deleted)" goes if the file has no name left, or was not asked for by that name.
    """
    raw_stat = parts.get(STATUS_OF_FILE)
    status = build(FileStat, STAT.unpack(raw_stat)) if raw_stat else None
    link = text(parts.get(LINK, b"")) or otherwise
    if link[-1:] == ")" and _is_gone(otherwise, status):
        link = undeleted(link)
    return OpenFile(link, status, opened_ns)


def _is_gone(otherwise: str, status: FileStat | None) -> bool:
    """Whether " (deleted)" at the end of a link is the kernel's remark, not part of the name."""
    if status is not None and status.links == 0:
        return True
    if otherwise:
        return not otherwise.endswith(DELETED)
    return status is None


AT_FDCWD = -100
FIRST_FOLDER = dict.fromkeys(
    (
        "openat", "openat2", "unlinkat", "renameat", "renameat2", "linkat", "mkdirat", "mknodat",
        "fchmodat", "fchmodat2", "fchownat", "newfstatat", "fstatat64", "statx", "faccessat",
        "faccessat2", "readlinkat", "execveat", "futimesat", "utimensat", "utimensat_time64",
        "open_tree", "fspick", "mount_setattr", "move_mount", "io_uring_enter",
    ),
    0,
) | {"fanotify_mark": 3}  # fmt: skip
"""Which argument is the fd that the first path of a call starts from, counted from 0."""
SECOND_FOLDER = {"renameat": 2, "renameat2": 2, "linkat": 2, "symlinkat": 1, "move_mount": 2}
"""The same for the second path."""


def path_of(task: Task, record: RawRecord, parts: Parts, op: str) -> Names:
    """Return what the first path argument means; empty if the record has none."""
    return _names(task, record, parts.get(PATH, b""), parts.get(NAME), FIRST_FOLDER.get(op))


def second_path_of(task: Task, record: RawRecord, parts: Parts, op: str) -> Names:
    """Return what the second path argument means."""
    return _names(task, record, parts.get(PATH2, b""), parts.get(NAME2), SECOND_FOLDER.get(op))


def _names(
    task: Task, record: RawRecord, passed: bytes, name: bytes | None, folder: int | None
) -> Names:
    """Return what a path means: `name` if the kernel was asked, else what is known of its start.

    A program that made itself unreadable hides where it is and the links of its fds, but not what
    was learnt of them before. `folder` is the argument that a relative path starts from.
    """
    asked = text(passed)
    if name:
        return build(Names, (text(name), "" if name == passed else asked))
    start = task.folders.cwd
    if folder is not None and (fd := signed(record.args[folder])) != AT_FDCWD:
        file = task.table.fds.get(fd)
        start = file.path if file is not None and file.named else ""
        if not passed and record.result >= 0:  # AT_EMPTY_PATH: the file that the fd is
            return Names(start)
    file_name = absolute(start, task.folders.root, asked) if passed else ""
    return Names(file_name, "" if asked == file_name else asked)


def _is_error(error: int) -> bool:
    """Whether a call has ended with this error, or was refused by a filter of the program's own."""
    return error == -RESULT_REFUSED or (0 < error <= MAX_ERRNO and error not in ERESTART)


def failed(
    state: State, task: Task, record: RawRecord, op: str, kind: str, name: Names,
    other: Names = NO_NAMES,
) -> None:  # fmt: skip
    """Emit that a call failed, unless its end is not known or it goes on."""
    error = -record.result
    if not _is_error(error):
        return
    time_ns = record.entered_ns + state.offset_ns
    image = task.group.image
    state.emit(build(Failed, (image, task.tid, time_ns, op, kind, *name, *other, error)))


def failed_fd(state: State, task: Task, record: RawRecord, op: str, kind: str, fd: int) -> None:
    """Emit that a call on an fd failed; of what has no path, nothing is said."""
    file = task.table.fds.get(fd & FD)
    if file is None or file.named:
        failed(state, task, record, op, kind, Names(file.path if file else ""))


def process_failed(state: State, task: Task, record: RawRecord, op: str, what: str) -> None:
    """Emit that a call about something else than a file failed, as `failed` does."""
    error = -record.result
    if not _is_error(error):
        return
    time_ns = record.entered_ns + state.offset_ns
    state.emit(ProcessFailed(task.group.image, task.tid, time_ns, op, what, error))


def closed(state: State, task: Task, time_ns: int, op: str, gone: Gone | None) -> None:
    """Emit that a file was closed, if it was."""
    if gone is None:
        return
    file, usage = gone
    if file.socket is not None:
        let_go(state.emit, task, op, file, usage, time_ns)
        state.let_go.append(file)
    state.emit(build(Closed, (task.group.image, task.tid, time_ns, op, file, usage)))


def table_ended(state: State, task: Task, table: FdTable, time_ns: int) -> None:
    """Emit that all files of a table were closed with the last task that used it."""
    for gone in table.usages.items():
        closed(state, task, time_ns, "exit", gone)
    table.usages = {}


def group_failed(state: State, task: Task, time_ns: int) -> None:
    """Forget a process whose end nobody saw, with all its tasks."""
    group = task.group
    end_tasks(state, task, time_ns)
    state.emit(ImageEnded(group.image, time_ns, None, None, False))


def end_tasks(state: State, task: Task, time_ns: int) -> None:
    """Forget all tasks of a task's process, closing what they had open."""
    tree = state.tree
    for tid in sorted(task.group.tids):
        member = tree.tasks[tid]
        if tree.remove(member):
            table_ended(state, member, member.table, time_ns)


def recording_ended(state: State, time_ns: int) -> None:
    """Emit what was done with every file that stays open when recording ends before the program."""
    told = set()
    for task in state.tree.tasks.values():
        if task.table not in told:
            told.add(task.table)
            for gone in task.table.usages.items():
                closed(state, task, time_ns, STOPPED, gone)


def is_unknown(record: RawRecord) -> bool:
    """Whether nobody knows what the call returned."""
    return record.result == RESULT_UNKNOWN
