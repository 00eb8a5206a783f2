"""Reads, writes and maps of open files.

What a file moved is told by tallies, which count every call; the records of single calls are there
for the bytes that were written, and for failures.
"""

from __future__ import annotations

from errno import EAGAIN, EINTR

from scopetrace.decode.state import DATA, FD, TALLIES, Handler, State, failed_fd
from scopetrace.decode.tasks import Task
from scopetrace.model.operation import Noticed, Written, build
from scopetrace.model.raw import RESULT_UNKNOWN, TALLY, RawRecord

READS = ("read", "pread64", "readv", "preadv", "preadv2", "getdents", "getdents64")
WRITES = ("write", "pwrite64", "writev", "pwritev", "pwritev2", "vmsplice")
OUT_OF_SECOND = ("sendfile", "sendfile64")
"""Calls whose first argument is where the bytes go, and the second where they come from."""
ACROSS = ("splice", "copy_file_range")


def tallied(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Add what one fd moved (RAW_TALLY)."""
    add_tally(task, record.arg1 & FD, record)


def add_tally(task: Task, fd: int, record: RawRecord) -> None:
    """Add the TALLY part of a record, if it has one, to the file behind `fd`."""
    tally = record.parts().get(TALLIES)
    file = task.table.fds.get(fd)
    if tally is not None and file is not None:
        task.table.use(file).add(TALLY.unpack(tally))


def wrote(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Emit the bytes that went out."""
    moved = record.result
    if moved == RESULT_UNKNOWN:
        _unfinished(state, task, record)
        return
    if moved < 0:
        move_failed(state, task, record, op)
        return
    data = record.parts().get(DATA)
    file = task.table.fds.get(record.arg1 & FD)
    if data is None or file is None or not moved:
        return
    task.table.use(file).told_bytes += moved
    time_ns = record.entered_ns + state.offset_ns
    if len(data) > moved:
        data = data[:moved]
    image = task.group.image
    state.emit(build(Written, (image, task.tid, time_ns, file, data, moved, record.stream)))


def _unfinished(state: State, task: Task, record: RawRecord) -> None:
    """Say that a thread was killed inside a write: whether the bytes went out, nobody can tell."""
    file, size = task.table.fds.get(record.arg1 & FD), len(record.parts().get(DATA, b""))
    if file is None or not file.named:
        return
    image, time_ns = task.group.image, record.entered_ns + state.offset_ns
    message = (
        f"{image.proc} ({image.pid}) was killed while it wrote {size} bytes to {file.path}: whether"
        " they were written is not known"
    )
    state.emit(Noticed(image, task.tid, time_ns, message, "unfinished", 1))


def move_failed(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Emit a failure; to be asked to come back later is none."""
    if record.result < 0 and -record.result not in (EAGAIN, EINTR):
        fd = record.arg2 if op in OUT_OF_SECOND else record.arg1
        failed_fd(state, task, record, op, "read_write", fd)


def mapped(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Note that an open file is used as memory."""
    file = task.table.fds.get(record.arg5 & FD)
    if file is not None:
        task.table.use(file).mapped = True


CALLS: dict[str, Handler] = {
    **dict.fromkeys(WRITES, wrote),
    **dict.fromkeys((*READS, *OUT_OF_SECOND, *ACROSS), move_failed),
    "mmap": mapped,
    "mmap2": mapped,
}
