"""Calls that make, copy and close fds.

A close is applied when it is made and an open when it returned (see the order of records), so a
number that one thread frees and another takes is never confused. A call that failed changes
nothing.
"""

from __future__ import annotations

import os
import struct

from scopetrace.decode import sockets
from scopetrace.decode.closing import emit_closed
from scopetrace.decode.control import received_fds
from scopetrace.decode.failed import emit_failed, emit_process_failed
from scopetrace.decode.failures import unshare_failed
from scopetrace.decode.fd_tables import FdTable
from scopetrace.decode.file_names import file_renamed, take_link_name
from scopetrace.decode.files import DecodedFile, open_file
from scopetrace.decode.parts import LINK, PATH, Parts
from scopetrace.decode.path_arguments import OPENS, open_flags, path_of
from scopetrace.decode.paths import text
from scopetrace.decode.state import INT, Handler, State, signed
from scopetrace.decode.tasks import CLONE_FILES, Task
from scopetrace.decode.transfers import add_tally, on_read, transfer_failed
from scopetrace.model.call import Call
from scopetrace.model.named import build
from scopetrace.model.open_file import CONSOLE_NAMES
from scopetrace.model.operation import Opened
from scopetrace.model.raw import RESULT_UNKNOWN, Part, RawRecord, Seen

F_DUPFD_CLOEXEC = 1030
CLOSE_RANGE_UNSHARE = 2
CLOSE_RANGE_CLOEXEC = 4
MSG_CMSG_CLOEXEC = 0x40000000
MFD_CLOEXEC = 1

O_CLOEXEC, O_CREAT, O_PATH, O_TMPFILE = os.O_CLOEXEC, os.O_CREAT, os.O_PATH, os.O_TMPFILE
"""As names of this module, which are numbers in C: each is asked for at every open."""

PAIR = struct.Struct("=ii")


def on_open(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Add a file that was opened by its path, or emit why not."""
    parts = record.parts()
    if record.result < 0:
        path = path_of(task, record, parts, call)
        asks = open_flags(record, parts, call.op) & O_PATH  # for a name: nothing can be read
        emit_failed(state, task, record, call.op, "stat" if asks else "open_close", path)
        return
    passed, link = parts.get(PATH, b""), parts.get(LINK)
    as_passed = text(passed) if passed != link else ""
    # Mostly the kernel's link is what was passed. Else the path has to be worked out: it is the
    # name of the file if there is no link, and the one that it was opened by (`file.passed`).
    meant = path_of(task, record, parts, call).file if as_passed or not link else ""
    otherwise = text(passed) if link else meant
    file = open_file(parts, otherwise, record.entered_ns + state.offset_ns)
    flags = open_flags(record, parts, call.op)
    if flags & O_TMPFILE != O_TMPFILE:  # its path is that of a folder
        file.passed = meant if as_passed else file.path
    state.consoles.recognise_opened(file, task, state.tree)
    _add(state, task, record, file, bool(flags & O_CLOEXEC))
    created = flags & O_CREAT != 0 and state.created_files.is_new(
        file, flags, record.entered_ns, record.elapsed_ns
    )
    _emit_opened(state, task, call.op, file, record.result, flags, as_passed, created)


def _add(state: State, task: Task, record: RawRecord, file: DecodedFile, cloexec: bool) -> None:
    """Put a new file at the fd that a call returned."""
    released = task.table.open(record.result, file, cloexec)
    if released is not None:
        emit_closed(state, task, file.opened_ns, "unseen", released)


def _emit_opened(
    state: State,
    task: Task,
    op: str,
    file: DecodedFile,
    fd: int,
    flags: int | None,
    passed: str,
    created: bool = False,
) -> None:
    """Emit that a file was opened, unless it has no path."""
    if file.named:
        if passed == file.path:
            passed = ""
        image, time_ns = task.group.image, file.opened_ns
        state.emit(build(Opened, (image, task.tid, time_ns, op, file, fd, flags, passed, created)))


def on_new_fd(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Add an fd of something that has no path, or came from another process (pidfd_getfd)."""
    parts = record.parts()
    if record.result < 0:
        emit_process_failed(state, task, record, call.op, _what(record, parts, call.op))
        return
    time_ns = record.entered_ns + state.offset_ns
    file = _file_of(state, parts, time_ns)
    if file.socket is not None:
        released = task.table.put(record.result, file, cloexec=True)
        emit_closed(state, task, time_ns, "unseen", released)
        return
    _add(state, task, record, file, _makes_cloexec(record, call.op))
    if call.op == "pidfd_getfd":
        _emit_opened(state, task, call.op, file, record.result, None, "")


def _what(record: RawRecord, parts: Parts, op: str) -> str:
    """Say what a call that makes an fd was about, if it was about anything."""
    if op == "memfd_create":
        return text(parts.get(PATH, b""))
    if op == "io_uring_setup":
        return f"{record.arg1 & INT} entries"
    return f"fd {signed(record.arg2)}" if op == "pidfd_getfd" else ""


def _makes_cloexec(record: RawRecord, op: str) -> bool:
    """Whether the fd that a call makes closes at exec."""
    if op == "memfd_create":
        return bool(record.arg2 & MFD_CLOEXEC)
    if op == "eventfd2":
        return bool(record.arg2 & O_CLOEXEC)
    if op == "epoll_create1":
        return bool(record.arg1 & O_CLOEXEC)
    return op in ("pidfd_getfd", "io_uring_setup")


def on_pair(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Add the two fds of pipe(2) or socketpair(2)."""
    op, pair = call.op, record.parts().get(Part.PAIR, b"")
    if record.result < 0 and op == "socketpair":
        sockets.emit_not_created(state, task, record, call)
    elif record.result < 0:
        emit_process_failed(state, task, record, op, "")
    if record.result < 0 or len(pair) != PAIR.size:
        return
    flags = 0 if op == "pipe" else record.arg2
    time_ns = record.entered_ns + state.offset_ns
    fds = PAIR.unpack(pair)
    for fd in fds:
        file = DecodedFile("", None, time_ns)
        released = task.table.open(fd, file, bool(flags & O_CLOEXEC))
        emit_closed(state, task, time_ns, "unseen", released)
    if op == "socketpair":
        sockets.connect_pair(state, task, record, fds)


def on_dup(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Copy an fd, over another perhaps: dup, dup2, dup3, fcntl(F_DUPFD)."""
    new, op = record.result, call.op
    if new < 0:
        emit_process_failed(state, task, record, op, f"fd {signed(record.arg1)}")
        return
    old = record.arg1 & INT
    if op == "dup3":
        cloexec = bool(record.arg3 & O_CLOEXEC)
    else:
        cloexec = op.startswith("fcntl") and record.arg2 & INT == F_DUPFD_CLOEXEC
    if old not in task.table.fds and Part.LINK in (parts := record.parts()):
        known = _file_of(state, parts, record.entered_ns + state.offset_ns)
        task.table.put(old, known, cloexec=False)
    released = task.table.duplicate(old, new, cloexec)
    emit_closed(state, task, record.entered_ns + state.offset_ns, op, released)


def on_close(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Close one fd: the record was made as the call was about to be made."""
    if record.result < 0 and record.result != RESULT_UNKNOWN:
        return
    fd = record.arg1 & INT
    if record.copied:
        add_tally(state, task, fd, record)
        sockets.learn_final_state(state, task, record, fd)
    released = task.table.close(fd)
    if released is not None:
        emit_closed(state, task, record.entered_ns + state.offset_ns, call.op, released)


def on_close_range(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Close a range of fds, or mark them to close at exec (close_range(2))."""
    if record.result < 0:
        what = f"fds {record.arg1 & INT} to {record.arg2 & INT}"
        emit_process_failed(state, task, record, call.op, what)
        return
    first, last, flags = record.arg1 & INT, record.arg2 & INT, record.arg3
    if flags & CLOSE_RANGE_UNSHARE:
        state.tree.unshare(task, CLONE_FILES)
    within = task.table.within(first, last)
    if flags & CLOSE_RANGE_CLOEXEC:
        task.table.cloexec.update(within)
        return
    time_ns = record.entered_ns + state.offset_ns
    for released in task.table.close_many(within):
        emit_closed(state, task, time_ns, call.op, released)


def on_recvmsg(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Take in a message, and the fds in it (SCM_RIGHTS); an RAW_FD record of each follows."""
    if record.result < 0:
        transfer_failed(state, task, record, call)
        return
    controls = record.all_parts(Part.CONTROL)
    if record.transferred or not controls:
        on_read(state, task, record, call)
    time_ns = record.entered_ns + state.offset_ns
    cloexec = bool(record.argument(call.options) & MSG_CMSG_CLOEXEC)
    for fd in (fd for control in controls for fd in received_fds(control)):
        released = task.table.open(fd, DecodedFile("", None, time_ns), cloexec)
        emit_closed(state, task, time_ns, "unseen", released)
        task.table.received[fd] = call.op


def on_unshare(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Give a task its own table of fds, or its own folders."""
    if record.result == 0:
        state.tree.unshare(task, record.arg1)
    else:
        unshare_failed(state, task, record, call)


def on_fd(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Take in what an fd is (RAW_FD): it was inherited, received, renamed, or missed before."""
    fd, seen, table = record.arg1 & INT, record.arg2, task.table
    parts, time_ns = record.parts(), record.entered_ns + state.offset_ns
    file, known = _file_of(state, parts, time_ns), table.fds.get(fd)
    # 1. The file that is there is called otherwise now. If it is another one, another thread has
    #    put it there meanwhile, and the record of that follows.
    if seen == Seen.RENAMED and known is not None:
        if _is_same(known, file):
            file_renamed(state, task, known, file, record)
        return
    how = table.received.pop(fd, None)
    # 2. An fd that is not in the table yet, or is another file there: its close was missed.
    if known is None or not (_is_unidentified(known) or _is_same(known, file)):
        emit_closed(state, task, time_ns, "unseen", table.put(fd, file, cloexec=False))
        known = file
    # 3. An fd that came in a message, or with pipe(2): now it is known what it is.
    elif known is not file:
        known = _identified(state, table, known, file, parts)
    if how is not None:
        _emit_opened(state, task, how, known, fd, None, "")
    if seen == Seen.INHERITED and fd in CONSOLE_NAMES:
        _name_console(state, table, fd, known, time_ns)


def _identified(
    state: State, table: FdTable, known: DecodedFile, file: DecodedFile, parts: Parts
) -> DecodedFile:
    """Take in what was found out about a file in the table; return the file that it is."""
    if not _is_unidentified(known):
        take_link_name(known, file, text(parts.get(LINK, b"")))
        return known
    if file.socket is not None and known.socket is None:
        table.replace(known, file)
        return file
    known.path, known.stat, known.named = file.path, file.stat, file.named
    state.consoles.recognise(known)
    state.remember_socket(known)
    return known


def _name_console(state: State, table: FdTable, fd: int, file: DecodedFile, time_ns: int) -> None:
    """Note that an fd is stdout or stderr.

    A socket is one file on all its fds, so its console side is a file of its own for each fd.
    """
    if file.socket is not None:
        file = table.consoles[fd] = DecodedFile(file.path, file.stat, time_ns)
        file.console = CONSOLE_NAMES[fd]
        return
    state.consoles.add(file, CONSOLE_NAMES[fd])
    for other in table.fds.values():  # a terminal is often stdin as well
        if not other.console:
            state.consoles.recognise(other)


def _file_of(state: State, parts: Parts, time_ns: int) -> DecodedFile:
    """Return the file that parts describe; a socket that is known by its inode is that one."""
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


def _is_unidentified(file: DecodedFile) -> bool:
    """Whether all that is known is that there is an fd."""
    return not file.path and file.stat is None


def _is_same(one: DecodedFile, other: DecodedFile) -> bool:
    """Whether two open files are the same file, as far as that is known."""
    if one.stat is not None and other.stat is not None:
        return one.stat[:2] == other.stat[:2]
    return one.path == other.path


OPENS_OF_URING = ("io_uring_enter__openat", "io_uring_enter__openat2")
NEW_FDS = ("memfd_create", "eventfd", "eventfd2", "epoll_create", "epoll_create1")
NEW_FDS_OF_OTHERS = ("pidfd_getfd", "io_uring_setup")
RECEIVES = ("recvmsg", "recvmmsg", "recvmmsg_time64", "io_uring_enter__recvmsg")

CALLS: dict[str, Handler] = {
    **dict.fromkeys((*OPENS, *OPENS_OF_URING), on_open),
    **dict.fromkeys(("dup", "dup2", "dup3", "fcntl", "fcntl64"), on_dup),
    **dict.fromkeys(("pipe", "pipe2", "io_uring_enter__pipe2", "socketpair"), on_pair),
    **dict.fromkeys((*NEW_FDS, *NEW_FDS_OF_OTHERS), on_new_fd),
    **dict.fromkeys(RECEIVES, on_recvmsg),
    **dict.fromkeys(("close", "io_uring_enter__close"), on_close),
    "close_range": on_close_range,
    "unshare": on_unshare,
}
