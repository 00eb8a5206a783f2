"""Reads, writes and maps of open files.

What a file moved is told by tallies, which count every call; the records of single calls are there
for the bytes that were written, and for failures.
"""

from __future__ import annotations

from errno import EAGAIN, EINTR

from scopetrace.decode import flows, sockets
from scopetrace.decode.state import DATA, FD, TALLIES, Handler, State, failed_fd
from scopetrace.decode.tasks import Task
from scopetrace.model.open_file import OpenFile
from scopetrace.model.operation import Noticed, Used, Written, build
from scopetrace.model.raw import CALLS as CALL_COUNTS
from scopetrace.model.raw import PART_UNREADABLE, RESULT_UNKNOWN, TALLY, Part, RawRecord

READS = (
    "read", "pread64", "readv", "preadv", "preadv2", "getdents", "getdents64", "recvfrom",
    "io_submit__read", "io_submit__readv", "io_uring_enter__read", "io_uring_enter__readv",
    "io_uring_enter__recv",
)  # fmt: skip
WRITES = (
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "vmsplice", "sendto", "sendmsg",
    "sendmmsg", "io_submit__write", "io_submit__writev", "io_uring_enter__write",
    "io_uring_enter__writev", "io_uring_enter__send", "io_uring_enter__sendmsg",
)  # fmt: skip
OUT_OF_SECOND = ("sendfile", "sendfile64")
"""Calls whose first argument is where the bytes go, and the second where they come from."""
ACROSS = ("splice", "copy_file_range")
OTHER_CALLS = int(Part.CALLS)
NO_FD = FD
"""The fd of a call that another thread let go while it waited."""


def tallied(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Add what one fd moved (RAW_TALLY); of one that stays open, tell it now."""
    fd = record.arg1 & FD
    add_tally(state, task, fd, record)
    file = task.table.fds.get(fd)
    if not record.arg2 or file is None:
        return
    sockets.last_word(state, task, record, fd)
    usage, time_ns = task.table.use(file), record.entered_ns + state.offset_ns
    if file.socket is not None:
        flows.used(state.emit, task, file, usage, time_ns)
    else:
        state.emit(build(Used, (task.group.image, task.tid, time_ns, file, usage)))


def add_tally(state: State, task: Task, fd: int, record: RawRecord) -> None:
    """Add the TALLY part of a record, if it has one, to the file behind `fd`."""
    parts = record.parts()
    tally = parts.get(TALLIES)
    file = task.table.fds.get(fd)
    if tally is None or file is None:
        return
    usage = task.table.use(file)
    usage.add(TALLY.unpack(tally))
    others = parts.get(OTHER_CALLS)
    if others is not None and file.named:
        whole = others[: len(others) - len(others) % CALL_COUNTS.size]
        for row, outgoing, *counts in CALL_COUNTS.iter_unpack(whole):
            usage.add_call(bool(outgoing), state.calls[row], counts)


def wrote(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Emit the bytes that went out."""
    moved = record.result
    if moved == RESULT_UNKNOWN:
        _unfinished(state, task, record)
        return
    if moved < 0:
        move_failed(state, task, record, op)
        return
    fd, stream = record.arg1 & FD, record.fd_serial
    if fd == NO_FD:
        _let_go(state, task, record, "wrote {} to")
        return
    file = task.table.fds.get(fd)
    if file is not None and file.socket is not None:
        sockets.moved(state, task, record, op, fd, True)
        file, stream = _console_reached(task, fd, moved), 0
    data = record.parts().get(DATA)
    if data is None or file is None or not moved:
        return
    task.table.use(file).emitted_bytes += moved
    time_ns = record.entered_ns + state.offset_ns
    unreadable = len(data) < moved and bool(record.flags().get(DATA, 0) & PART_UNREADABLE)
    if len(data) > moved:
        data = data[:moved]
    image = task.group.image
    state.emit(build(Written, (image, task.tid, time_ns, file, data, moved, stream, unreadable)))


def _console_reached(task: Task, fd: int, moved: int) -> OpenFile | None:
    """Return what a socket is as the console, and count what went there: tallies tell of flows."""
    file = task.table.consoles.get(fd)
    if file is not None:
        task.table.use(file).write_bytes += moved
    return file


def _unfinished(state: State, task: Task, record: RawRecord) -> None:
    """Say that a thread was killed inside a write: whether the bytes went out, nobody can tell."""
    file, size = task.table.fds.get(record.arg1 & FD), len(record.parts().get(DATA, b""))
    if file is None or not (file.named or file.socket):
        return
    image, time_ns = task.group.image, record.entered_ns + state.offset_ns
    where = file.path if file.named else "a socket"
    message = (
        f"{image.proc} ({image.pid}) ended while it wrote {size} bytes to {where}: whether they"
        " were written is not known"
    )
    state.emit(Noticed(image, task.tid, time_ns, message, "unfinished", 1))


def received(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Bytes came in; there are records of that only for sockets, and for failures."""
    if record.result < 0:
        move_failed(state, task, record, op)
    elif record.arg1 & FD == NO_FD:
        _let_go(state, task, record, "read {} from")
    else:
        sockets.moved(state, task, record, op, record.arg1 & FD, False)


def _let_go(state: State, task: Task, record: RawRecord, did: str) -> None:
    """Say that bytes moved of what another thread had closed by then: it is told as closed."""
    image, time_ns = task.group.image, record.entered_ns + state.offset_ns
    what = f"{record.transferred} bytes" if record.transferred else f"{record.result} messages"
    message = (
        f"{image.proc} ({image.pid}) {did.format(what)} what another thread had closed by then:"
        " they are in no other event"
    )
    count = record.transferred or record.result
    state.emit(Noticed(image, task.tid, time_ns, message, "unseen", count))


def move_failed(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Emit a failure; to be asked to come back later is none."""
    if record.result >= 0 or -record.result in (EAGAIN, EINTR):
        return
    fd = record.arg2 if op in OUT_OF_SECOND else record.arg1
    file = task.table.fds.get(fd & FD)
    if file is not None and file.socket is not None:
        sockets.move_failed(state, task, record, op, file)
    else:
        failed_fd(state, task, record, op, "read_write", fd)


def synced(state: State, task: Task, record: RawRecord, op: str) -> None:
    """What was written could not be put onto the disk."""
    if record.result < 0:
        failed_fd(state, task, record, op, "read_write", record.arg1)


def told_by_others(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Do nothing: each operation that a call asks for has a record of its own."""


def moved_across(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Bytes went from fd to fd; of a socket at either end, a part that nobody saw went by."""
    if op in OUT_OF_SECOND:
        source, target = record.arg2 & FD, record.arg1 & FD
    else:
        source, target = record.arg1 & FD, record.arg3 & FD
    if record.result < 0:
        _across_failed(state, task, record, op, source, target)
        return
    if record.result:
        sockets.moved(state, task, record, op, target, True)
        _console_reached(task, target, record.result)
    sockets.moved(state, task, record, op, source, False)


def _across_failed(
    state: State, task: Task, record: RawRecord, op: str, source: int, target: int
) -> None:  # fmt: skip
    """Blame the socket, if one of the two is one; else the file."""
    for fd in (target, source):
        file = task.table.fds.get(fd)
        if file is not None and file.socket is not None:
            sockets.move_failed(state, task, record, op, file)
            return
    move_failed(state, task, record, op)


def mapped(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Note that an open file is used as memory."""
    file = task.table.fds.get(record.arg5 & FD)
    if file is not None:
        task.table.use(file).mapped = True


CALLS: dict[str, Handler] = {
    **dict.fromkeys(WRITES, wrote),
    **dict.fromkeys(READS, received),
    **dict.fromkeys((*OUT_OF_SECOND, *ACROSS), moved_across),
    **dict.fromkeys(("io_submit__sync", "io_uring_enter__sync"), synced),
    **dict.fromkeys(
        ("io_submit", "io_destroy", "io_uring_enter", "mmap__ring", "mmap2__ring"), told_by_others
    ),
    "mmap": mapped,
    "mmap2": mapped,
}
