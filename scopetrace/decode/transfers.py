"""Calls that transfer bytes: reads, writes, and what goes from fd to fd; maps of open files.

How much went through a file is in tallies, which count every call; the records of single calls are
there for the bytes that were written, for what went through sockets, and for failures.
"""

from __future__ import annotations

from errno import EAGAIN, EINTR

from scopetrace.decode import sockets
from scopetrace.decode.failed import emit_failed_fd
from scopetrace.decode.files import DecodedFile
from scopetrace.decode.parts import CALLS as OTHER_CALLS
from scopetrace.decode.parts import DATA, TALLY
from scopetrace.decode.state import INT, Handler, State
from scopetrace.decode.tasks import Task
from scopetrace.model.call import Call
from scopetrace.model.counts import number_of
from scopetrace.model.named import build
from scopetrace.model.operation import Noticed, Used, Written
from scopetrace.model.raw import CALLS as CALLS_LAYOUT
from scopetrace.model.raw import PART_UNREADABLE, RESULT_UNKNOWN, RawRecord
from scopetrace.model.raw import TALLY as TALLY_LAYOUT

unpack_tally = TALLY_LAYOUT.unpack

CLOSED_MEANWHILE = INT
"""The fd of a call that another thread closed while the call waited."""


def on_tally(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Add what went through one fd (RAW_TALLY); of an fd that stays open, emit it now."""
    fd = record.arg1 & INT
    add_tally(state, task, fd, record)
    file = task.table.fds.get(fd)
    if not record.arg2 or file is None:
        return
    sockets.learn_final_state(state, task, record, fd)
    usage, time_ns = task.table.use(file), record.entered_ns + state.offset_ns
    if file.socket is not None:
        file.socket.emit_used(state.emit, task, usage, time_ns)
    else:
        state.emit(build(Used, (task.group.image, task.tid, time_ns, file, usage)))


def add_tally(state: State, task: Task, fd: int, record: RawRecord) -> None:
    """Add the TALLY part of a record, if it has one, to the usage of the file behind `fd`."""
    parts = record.parts()
    tally = parts.get(TALLY)
    file = task.table.fds.get(fd)
    if tally is None or file is None:
        return
    usage = task.table.use(file)
    usage.add(unpack_tally(tally))
    others = parts.get(OTHER_CALLS)
    if others is not None and file.named:
        whole = others[: len(others) - len(others) % CALLS_LAYOUT.size]
        for row, outgoing, *counts in CALLS_LAYOUT.iter_unpack(whole):
            usage.add_call(bool(outgoing), state.calls[row].op, counts)


def on_write(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit the bytes that went out."""
    count = record.result
    if count == RESULT_UNKNOWN:
        _notice_unfinished(state, task, record)
        return
    if count < 0:
        transfer_failed(state, task, record, call)
        return
    fd, serial = record.arg1 & INT, record.fd_serial
    if fd == CLOSED_MEANWHILE:
        _notice_closed_meanwhile(state, task, record, "wrote {} to")
        return
    file = task.table.fds.get(fd)
    if file is not None and file.socket is not None:
        sockets.transferred(state, task, record, call, fd, True)
        file, serial = _console_side(task, fd, count), 0
    data = record.parts().get(DATA)
    if data is None or file is None or not count:
        return
    usage = task.table.use(file)
    usage.emitted_bytes += count
    time_ns = record.entered_ns + state.offset_ns
    unreadable = len(data) < count and bool(record.flags().get(DATA, 0) & PART_UNREADABLE)
    if len(data) > count:
        data = data[:count]
    image = task.group.image
    state.emit(build(Written, (image, task.tid, time_ns, file, data, count, serial, unreadable)))


def _console_side(task: Task, fd: int, count: int) -> DecodedFile | None:
    """Return the console that a socket is as well, counting what went there.

    The tallies of such an fd count for its flow.
    """
    file = task.table.consoles.get(fd)
    if file is not None:
        usage = task.table.use(file)
        usage.write_bytes += count
    return file


def _notice_unfinished(state: State, task: Task, record: RawRecord) -> None:
    """Report that a thread was killed inside a write: whether the bytes went out is not known."""
    file, size = task.table.fds.get(record.arg1 & INT), len(record.parts().get(DATA, b""))
    if file is None or not (file.named or file.socket):
        return
    image, time_ns = task.group.image, record.entered_ns + state.offset_ns
    where = file.path if file.named else "a socket"
    message = (
        f"{image.proc} ({image.pid}) ended while it wrote {size} bytes to {where}: whether they"
        " were written is not known"
    )
    state.emit(Noticed(image, task.tid, time_ns, message, "unfinished", 1))


def on_read(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit what came in; there are records of that only for sockets, and for failures."""
    if record.result < 0:
        transfer_failed(state, task, record, call)
    elif record.arg1 & INT == CLOSED_MEANWHILE:
        _notice_closed_meanwhile(state, task, record, "read {} from")
    else:
        sockets.transferred(state, task, record, call, record.arg1 & INT, False)


def _notice_closed_meanwhile(state: State, task: Task, record: RawRecord, did: str) -> None:
    """Report bytes of a file that another thread had closed by then: its close was emitted."""
    image, time_ns = task.group.image, record.entered_ns + state.offset_ns
    of_bytes = (record.transferred, "byte")
    count, noun = of_bytes if record.transferred else (record.result, "message")
    message = (
        f"{image.proc} ({image.pid}) {did.format(number_of(count, noun))} what another thread had"
        " closed by then: no other event has that"
    )
    state.emit(Noticed(image, task.tid, time_ns, message, "unseen", count))


def transfer_failed(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that bytes could not be transferred; EAGAIN and EINTR are no failures."""
    if record.result >= 0 or -record.result in (EAGAIN, EINTR):
        return
    fd = record.argument(call.fd)
    file = task.table.fds.get(fd & INT)
    if file is not None and file.socket is not None:
        sockets.transfer_failed(state, task, record, call, file, file.socket)
    else:
        emit_failed_fd(state, task, record, call.op, "read_write", fd)


def on_sync(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that what was written could not be put onto the disk."""
    if record.result < 0:
        emit_failed_fd(state, task, record, call.op, "read_write", record.arg1)


def on_batch(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Do nothing: each operation that io_submit or io_uring_enter begins has its own record."""


def on_splice(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit what went from fd to fd; of a socket at either end, bytes that were not copied."""
    source, target = record.argument(call.fd) & INT, record.argument(call.fd2) & INT
    if record.result < 0:
        _splice_failed(state, task, record, call, source, target)
        return
    if record.result:
        sockets.transferred(state, task, record, call, target, True)
        _console_side(task, target, record.result)
    sockets.transferred(state, task, record, call, source, False)


def _splice_failed(
    state: State, task: Task, record: RawRecord, call: Call, source: int, target: int
) -> None:
    """Emit the failure of the socket, if one of the two is one; else of the file."""
    for fd in (target, source):
        file = task.table.fds.get(fd)
        if file is not None and file.socket is not None:
            sockets.transfer_failed(state, task, record, call, file, file.socket)
            return
    transfer_failed(state, task, record, call)


def on_mmap(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Note that an open file is used as memory."""
    file = task.table.fds.get(record.argument(call.fd) & INT)
    if file is not None:
        task.table.use(file).mapped = True


DIRECTIONS: dict[str, Handler] = {"in": on_read, "out": on_write, "across": on_splice}
"""What decodes each call that transfers bytes in this direction, unless it has a handler."""

CALLS: dict[str, Handler] = {
    **dict.fromkeys(("io_submit__sync", "io_uring_enter__sync"), on_sync),
    **dict.fromkeys(("io_submit", "io_destroy"), on_batch),
    **dict.fromkeys(("io_uring_enter", "io_uring_register"), on_batch),
    **dict.fromkeys(("mmap__ring", "mmap2__ring"), on_batch),
    **dict.fromkeys(("mmap", "mmap2"), on_mmap),
}
