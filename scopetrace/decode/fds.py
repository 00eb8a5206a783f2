"""Calls that make, copy and close fds.

A close is applied when it is made and an open when it returned (see the order of records), so a
number that one thread frees and another takes is never confused. A call that failed changes
nothing.
"""

from __future__ import annotations

import os
import struct

from scopetrace.decode import sockets
from scopetrace.decode.control import received_fds
from scopetrace.decode.failures import not_unshared
from scopetrace.decode.fd_tables import FdTable
from scopetrace.decode.file_names import renamed, take_name
from scopetrace.decode.paths import text
from scopetrace.decode.state import (
    FD,
    LINK,
    PATH,
    Handler,
    Parts,
    State,
    closed,
    failed,
    is_unknown,
    open_file,
    path_of,
    process_failed,
    signed,
)
from scopetrace.decode.tasks import CLONE_FILES, Task
from scopetrace.decode.transfers import add_tally, move_failed
from scopetrace.decode.transfers import received as came_in
from scopetrace.model.open_file import CONSOLE_NAMES, OpenFile
from scopetrace.model.operation import Opened, build
from scopetrace.model.raw import Part, RawRecord, Seen

F_DUPFD_CLOEXEC = 1030
CLOSE_RANGE_UNSHARE = 2
CLOSE_RANGE_CLOEXEC = 4
MSG_CMSG_CLOEXEC = 0x40000000
MFD_CLOEXEC = 1
CREAT_FLAGS = os.O_CREAT | os.O_WRONLY | os.O_TRUNC

PAIR = struct.Struct("=ii")
FLAGS_OF_HOW = struct.Struct("=Q")


def opened(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A file was opened by its path."""
    parts = record.parts()
    if record.result < 0:
        failed(state, task, record, op, "open_close", path_of(task, record, parts, op))
        return
    passed = parts.get(PATH, b"")
    link = parts.get(LINK)
    flags = _flags(record, parts, op)
    name = text(passed) if link else path_of(task, record, parts, op).file
    file = open_file(parts, name, record.entered_ns + state.offset_ns)
    name = text(passed) if passed != link else ""
    if flags & os.O_TMPFILE != os.O_TMPFILE:  # its path is that of a folder
        file.passed = path_of(task, record, parts, op).file if name else file.path
    state.consoles.recognise_opened(file, task, state.tree)
    _take(state, task, record, op, file, bool(flags & os.O_CLOEXEC))
    _emit_opened(state, task, record, op, file, record.result, flags, name)


def _flags(record: RawRecord, parts: Parts, op: str) -> int:
    """Return the flags of open(2) that a call was made with."""
    if op == "open":
        return record.arg2 & FD
    if op == "creat":
        return CREAT_FLAGS
    if op != "openat2" and Part.HOW not in parts:
        return record.arg3 & FD
    how = parts.get(Part.HOW, b"")
    return int(FLAGS_OF_HOW.unpack_from(how)[0]) if len(how) >= FLAGS_OF_HOW.size else 0


def _take(
    state: State, task: Task, record: RawRecord, op: str, file: OpenFile, cloexec: bool
) -> None:
    """Put a new file at the fd that a call returned."""
    gone = task.table.open(record.result, file, cloexec)
    if gone is not None:
        closed(state, task, file.opened_ns, "unseen", gone)


def _emit_opened(
    state: State, task: Task, record: RawRecord, op: str, file: OpenFile, fd: int,
    flags: int | None, passed: str,
) -> None:  # fmt: skip
    if file.named:
        if passed == file.path:
            passed = ""
        image, time_ns = task.group.image, file.opened_ns
        state.emit(build(Opened, (image, task.tid, time_ns, op, file, fd, flags, passed)))


def made(state: State, task: Task, record: RawRecord, op: str) -> None:
    """An fd was made of something that has no path, or came from another process."""
    parts = record.parts()
    if record.result < 0:
        process_failed(state, task, record, op, _what(record, parts, op))
        return
    time_ns = record.entered_ns + state.offset_ns
    file = _found_file(state, parts, time_ns)
    if file.socket is not None:
        gone = task.table.put(record.result, file, cloexec=True)
        closed(state, task, time_ns, "unseen", gone)
        return
    _take(state, task, record, op, file, _makes_cloexec(record, op))
    if op == "pidfd_getfd":
        _emit_opened(state, task, record, op, file, record.result, None, "")


def _what(record: RawRecord, parts: Parts, op: str) -> str:
    """Say what a call that makes an fd was about, if it was about anything."""
    if op == "memfd_create":
        return text(parts.get(PATH, b""))
    if op == "io_uring_setup":
        return f"{record.arg1 & FD} entries"
    return f"fd {signed(record.arg2)}" if op == "pidfd_getfd" else ""


def _makes_cloexec(record: RawRecord, op: str) -> bool:
    """Whether the fd that a call makes closes at exec."""
    if op == "memfd_create":
        return bool(record.arg2 & MFD_CLOEXEC)
    if op == "eventfd2":
        return bool(record.arg2 & os.O_CLOEXEC)
    if op == "epoll_create1":
        return bool(record.arg1 & os.O_CLOEXEC)
    return op in ("pidfd_getfd", "io_uring_setup")


def paired(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Two fds were made at once."""
    pair = record.parts().get(Part.PAIR, b"")
    if record.result < 0 and op == "socketpair":
        sockets.not_made(state, task, record, op)
    elif record.result < 0:
        process_failed(state, task, record, op, "")
    if record.result < 0 or len(pair) != PAIR.size:
        return
    flags = 0 if op == "pipe" else record.arg2
    time_ns = record.entered_ns + state.offset_ns
    fds = PAIR.unpack(pair)
    for fd in fds:
        file = OpenFile("", None, time_ns)
        gone = task.table.open(fd, file, bool(flags & os.O_CLOEXEC))
        closed(state, task, time_ns, "unseen", gone)
    if op == "socketpair":
        sockets.paired(state, task, record, fds)


def duplicated(state: State, task: Task, record: RawRecord, op: str) -> None:
    """An fd was copied, over another perhaps."""
    new = record.result
    if new < 0:
        process_failed(state, task, record, op, f"fd {signed(record.arg1)}")
        return
    old = record.arg1 & FD
    if op == "dup3":
        cloexec = bool(record.arg3 & os.O_CLOEXEC)
    else:
        cloexec = op.startswith("fcntl") and record.arg2 & FD == F_DUPFD_CLOEXEC
    if old not in task.table.fds and Part.LINK in (parts := record.parts()):
        known = _found_file(state, parts, record.entered_ns + state.offset_ns)
        task.table.put(old, known, cloexec=False)
    gone = task.table.duplicate(old, new, cloexec)
    closed(state, task, record.entered_ns + state.offset_ns, op, gone)


def close_one(state: State, task: Task, record: RawRecord, op: str) -> None:
    """An fd is about to be closed."""
    if record.result < 0 and not is_unknown(record):
        return
    fd = record.arg1 & FD
    if record.copied:
        add_tally(state, task, fd, record)
        sockets.last_word(state, task, record, fd)
    gone = task.table.close(fd)
    if gone is not None:
        closed(state, task, record.entered_ns + state.offset_ns, op, gone)


def close_range(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A range of fds was closed, or marked to close at exec."""
    if record.result < 0:
        what = f"fds {record.arg1 & FD} to {record.arg2 & FD}"
        process_failed(state, task, record, op, what)
        return
    first, last, flags = record.arg1 & FD, record.arg2 & FD, record.arg3
    if flags & CLOSE_RANGE_UNSHARE:
        state.tree.unshare(task, CLONE_FILES)
    within = task.table.within(first, last)
    if flags & CLOSE_RANGE_CLOEXEC:
        task.table.cloexec.update(within)
        return
    time_ns = record.entered_ns + state.offset_ns
    for gone in task.table.close_many(within):
        closed(state, task, time_ns, op, gone)


def received(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A message came, and fds with it perhaps (SCM_RIGHTS), which records of their own explain."""
    if record.result < 0:
        move_failed(state, task, record, op)
        return
    if record.transferred or not record.all_parts(Part.CONTROL):
        came_in(state, task, record, op)
    time_ns = record.entered_ns + state.offset_ns
    flags = record.arg4 if op.startswith("recvmmsg") else record.arg3
    for control in record.all_parts(Part.CONTROL):
        for fd in received_fds(control):
            file = OpenFile("", None, time_ns)
            gone = task.table.open(fd, file, bool(flags & MSG_CMSG_CLOEXEC))
            closed(state, task, time_ns, "unseen", gone)
            task.table.received[fd] = op


def unshared(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A task got its own table or folders."""
    if record.result == 0:
        state.tree.unshare(task, record.arg1)
    else:
        not_unshared(state, task, record, op)


def found(state: State, task: Task, record: RawRecord, op: str) -> None:
    """An fd that nobody saw being made or renamed (RAW_FD), or that was inherited or received."""
    fd, seen, table = record.arg1 & FD, record.arg2, task.table
    parts = record.parts()
    file = _found_file(state, parts, record.entered_ns + state.offset_ns)
    known = table.fds.get(fd)
    if seen == Seen.RENAMED and known is not None:
        if _same(known, file):
            renamed(state, task, known, file, record)
        return  # else another thread has put another file there, which will be told
    how = table.received.pop(fd, None)
    if known is None or not (_unidentified(known) or _same(known, file)):
        closed(state, task, file.opened_ns, "unseen", table.put(fd, file, cloexec=False))
        known = file
    elif known is not file:
        known = _found_again(state, table, known, file, parts)
    if how is not None:
        _emit_opened(state, task, record, how, known, fd, None, "")
    if seen == Seen.INHERITED and fd in CONSOLE_NAMES:
        _name_console(state, table, fd, known, record.entered_ns + state.offset_ns)


def _found_again(
    state: State, table: FdTable, known: OpenFile, file: OpenFile, parts: Parts
) -> OpenFile:
    """Take in what was found out about a file that is known; return the file that it is."""
    if not _unidentified(known):
        take_name(known, file, text(parts.get(LINK, b"")))
        return known
    if file.socket is not None and known.socket is None:
        table.replace(known, file)
        return file
    known.path, known.stat, known.named = file.path, file.stat, file.named
    state.consoles.recognise(known)
    state.remember_socket(known)
    return known


def _name_console(state: State, table: FdTable, fd: int, file: OpenFile, time_ns: int) -> None:
    """Note what an fd is called: of a socket, which is one file on all its fds, apart from it."""
    if file.socket is not None:
        file = table.consoles[fd] = OpenFile(file.path, file.stat, time_ns)
        file.console = CONSOLE_NAMES[fd]
        return
    state.consoles.add(file, CONSOLE_NAMES[fd])
    for other in table.fds.values():  # a terminal is often stdin as well
        if not other.console:
            state.consoles.recognise(other)


def _found_file(state: State, parts: Parts, time_ns: int) -> OpenFile:
    """Return the file that parts describe: a socket that is known already is the same again."""
    file = open_file(parts, "", time_ns)
    if sockets.learn(file, parts) is None:
        state.consoles.recognise(file)
        return file
    known = state.sockets.get(file.stat.ino) if file.stat is not None else None
    if known is not None:
        known.duplicated = True
        return known
    state.remember_socket(file)
    return file


def _unidentified(file: OpenFile) -> bool:
    return not file.path and file.stat is None


def _same(one: OpenFile, other: OpenFile) -> bool:
    """Whether two open files are the same file, as far as that is known."""
    if one.stat is not None and other.stat is not None:
        return one.stat[:2] == other.stat[:2]
    return one.path == other.path


CALLS: dict[str, Handler] = {
    **dict.fromkeys(("open", "openat", "openat2", "creat", "open_by_handle_at"), opened),
    **dict.fromkeys(("dup", "dup2", "dup3", "fcntl", "fcntl64"), duplicated),
    **dict.fromkeys(("pipe", "pipe2", "socketpair"), paired),
    **dict.fromkeys(
        (
            "memfd_create", "eventfd", "eventfd2", "epoll_create", "epoll_create1", "pidfd_getfd",
            "io_uring_setup",
        ),
        made,
    ),
    **dict.fromkeys(("recvmsg", "recvmmsg", "recvmmsg_time64"), received),
    **dict.fromkeys(("io_uring_enter__openat", "io_uring_enter__openat2"), opened),
    "io_uring_enter__recvmsg": received,
    **dict.fromkeys(("close", "io_uring_enter__close"), close_one),
    "close_range": close_range,
    "unshare": unshared,
}  # fmt: skip
