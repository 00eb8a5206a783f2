"""Where paths start, questions about files, and positions in them."""

from __future__ import annotations

from scopetrace.decode.failures import not_joined
from scopetrace.decode.paths import text, undeleted
from scopetrace.decode.state import FD, Handler, Parts, State, failed, failed_fd, path_of
from scopetrace.decode.tasks import Task
from scopetrace.model.operation import Counted
from scopetrace.model.raw import Part, RawRecord

STATS = (
    "stat", "lstat", "stat64", "lstat64", "newfstatat", "fstatat64", "statx", "access",
    "faccessat", "faccessat2", "readlink", "readlinkat", "statfs", "statfs64",
)  # fmt: skip


def moved(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A task went to another folder, root or namespace."""
    parts = record.parts()
    if record.result >= 0:
        _guess(task, record, parts, op)
        settle(task, parts)
    elif op == "setns":
        not_joined(state, task, record, op)
    elif Part.PATH in parts:
        failed(state, task, record, op, "cwd", path_of(task, record, parts, op))
    else:
        failed_fd(state, task, record, op, "cwd", record.arg1)


def settle(task: Task, parts: Parts) -> None:
    """Take in what the kernel says about a task's folders."""
    folders = task.folders
    folders.cwd = undeleted(text(parts.get(Part.CWD, b""))) or folders.cwd
    folders.root = undeleted(text(parts.get(Part.ROOT, b""))) or folders.root


def _guess(task: Task, record: RawRecord, parts: Parts, op: str) -> None:
    """Take in where a task went by what it passed, should the kernel's links be hidden."""
    if op == "chdir":
        task.folders.cwd = path_of(task, record, parts, op).file
    elif op == "fchdir":
        file = task.table.fds.get(record.arg1 & FD)
        task.folders.cwd = file.path if file is not None else ""
    elif op == "chroot":
        task.folders.root = path_of(task, record, parts, op).file


def asked(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A question about a name was answered, or failed."""
    if record.result < 0:
        failed(state, task, record, op, "stat", path_of(task, record, record.parts(), op))


def sought(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A position was set, or could not be."""
    if record.result < 0:
        failed_fd(state, task, record, op, "seek", record.arg1)


def counted(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Tell how often a call was made (RAW_COUNT)."""
    group = "stat" if op in STATS else "seek"
    time_ns = record.entered_ns + state.offset_ns
    state.emit(Counted(task.group.image, task.tid, time_ns, op, group, record.arg1))


CALLS: dict[str, Handler] = {
    **dict.fromkeys(("chdir", "fchdir", "chroot", "pivot_root", "setns"), moved),
    **dict.fromkeys(STATS, asked),
    **dict.fromkeys(("lseek", "_llseek"), sought),
}
