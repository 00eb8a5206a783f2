"""Ends of open files: of one, of all in a table of fds, of all that a process had."""

from __future__ import annotations

from scopetrace.decode.fd_tables import FdTable, Released
from scopetrace.decode.state import State
from scopetrace.decode.tasks import Task
from scopetrace.model.named import build
from scopetrace.model.operation import STOPPED, Closed, ImageEnded


def emit_closed(state: State, task: Task, time_ns: int, op: str, released: Released | None) -> None:
    """Emit that a file was closed; None: none was."""
    if released is None:
        return
    file, usage = released
    sock = file.socket
    if sock is not None:
        sock.close(state.emit, task, op, usage, time_ns)
        state.closed_sockets.append(file)
    state.emit(build(Closed, (task.group.image, task.tid, time_ns, op, file, usage)))


def close_table(state: State, task: Task, table: FdTable, time_ns: int) -> None:
    """Emit that all files of a table were closed with the last task that used it."""
    for released in table.usages.items():
        emit_closed(state, task, time_ns, "exit", released)
    table.usages = {}


def end_tasks(state: State, task: Task, time_ns: int) -> None:
    """Forget all tasks of a task's process, closing what they had open."""
    tree = state.tree
    for tid in sorted(task.group.tids):
        member = tree.tasks[tid]
        if tree.remove(member):
            close_table(state, member, member.table, time_ns)


def forget_process(state: State, task: Task, time_ns: int) -> None:
    """Forget a process whose end was not recorded, with all its tasks."""
    group = task.group
    end_tasks(state, task, time_ns)
    state.emit(ImageEnded(group.image, time_ns, None, None, False))


def recording_ended(state: State, time_ns: int) -> None:
    """Emit what was done with every file that stays open when recording ends before the program."""
    done = set()
    for task in state.tree.tasks.values():
        if task.table not in done:
            done.add(task.table)
            for released in task.table.usages.items():
                emit_closed(state, task, time_ns, STOPPED, released)
