"""Where paths start, questions about files, and positions in them."""

from __future__ import annotations

from scopetrace.decode.failed import emit_failed, emit_failed_fd
from scopetrace.decode.failures import setns_failed
from scopetrace.decode.parts import CWD, PATH, ROOT, Parts
from scopetrace.decode.path_arguments import path_of
from scopetrace.decode.paths import text, undeleted
from scopetrace.decode.state import INT, Handler, State
from scopetrace.decode.tasks import Task
from scopetrace.model.call import Call
from scopetrace.model.operation import Counted
from scopetrace.model.raw import RawRecord


def on_chdir(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Change the working directory or the root of a task: chdir, fchdir, chroot, setns…"""
    parts = record.parts()
    if record.result >= 0:
        _change_by_arguments(task, record, parts, call)
        change_folders(task, parts)
    elif call.op == "setns":
        setns_failed(state, task, record, call)
    elif PATH in parts:
        emit_failed(state, task, record, call.op, "cwd", path_of(task, record, parts, call))
    else:
        emit_failed_fd(state, task, record, call.op, "cwd", record.arg1)


def change_folders(task: Task, parts: Parts) -> None:
    """Take in what the kernel says about a task's working directory and root."""
    folders = task.folders
    folders.cwd = undeleted(text(parts.get(CWD, b""))) or folders.cwd
    folders.root = undeleted(text(parts.get(ROOT, b""))) or folders.root


def _change_by_arguments(task: Task, record: RawRecord, parts: Parts, call: Call) -> None:
    """Take in what the program passed, should the kernel's links be hidden."""
    if call.op == "chdir":
        task.folders.cwd = path_of(task, record, parts, call).file
    elif call.op == "fchdir":
        file = task.table.fds.get(record.arg1 & INT)
        task.folders.cwd = file.path if file is not None else ""
    elif call.op == "chroot":
        task.folders.root = path_of(task, record, parts, call).file


def on_stat(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a question about a name failed; answers are only counted."""
    if record.result < 0:
        path = path_of(task, record, record.parts(), call)
        emit_failed(state, task, record, call.op, "stat", path)


def on_seek(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a position could not be set."""
    if record.result < 0:
        emit_failed_fd(state, task, record, call.op, "seek", record.arg1)


def on_count(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit how often a call was made that made no record (RAW_COUNT)."""
    if call.group in GROUPS:
        time_ns, image = record.entered_ns + state.offset_ns, task.group.image
        state.emit(Counted(image, task.tid, time_ns, call.op, call.group, record.arg1))


GROUPS: dict[str, Handler] = {"stat": on_stat, "seek": on_seek}
"""What decodes each call of these groups of syscalls.def."""

CALLS: dict[str, Handler] = {
    **dict.fromkeys(("chdir", "fchdir", "chroot", "pivot_root", "setns"), on_chdir),
}
