"""Calls that send signals, and those that put processes into groups, which signals are sent to.

Other signals than SIGKILL are known by their delivery (`decode.lifecycle`), which no tracer sees of
that one. Who has got it is worked out when the session is read: a process may be gone before the
record of the call that killed it.
"""

from __future__ import annotations

from scopetrace.decode.failed import emit_process_failed
from scopetrace.decode.failures import What, on_process_call
from scopetrace.decode.parts import Parts
from scopetrace.decode.state import INT, Handler, State, signed
from scopetrace.decode.tasks import Task
from scopetrace.model.call import Call
from scopetrace.model.names import signal_name
from scopetrace.model.operation import KillSent
from scopetrace.model.process import ALL_PROCESSES
from scopetrace.model.raw import RESULT_UNKNOWN, RawRecord

KILL = "SIGKILL "
"""How the words about it begin."""
NAMES_NO_GROUP = ("pidfd_send_signal", "rt_sigqueueinfo", "tkill")
"""Calls that send to one process, whatever their first argument."""


def _signalled(position: int, whom: str) -> What:
    """Describe a signal by the argument at that position and its receiver by the first two."""

    def what(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
        number = record.argument(position) & INT
        return f"{signal_name(number)} to {whom.format(*map(signed, record.args[:2]))}"

    return what


def _on_signal_call(what: What) -> Handler:
    """Return the handler of a call that sends a signal; if it is sent, SIGKILL alone is known."""
    refused = on_process_call(what)

    def handler(state: State, task: Task, record: RawRecord, call: Call) -> None:
        if record.result not in (0, RESULT_UNKNOWN):
            return refused(state, task, record, call)
        about = what(task, record, record.parts(), call)
        if about.startswith(KILL):
            target = _receiver(state, task, record, call.op)
            group = _receiving_group(state, task, record, call.op)
            time_ns = record.entered_ns + state.offset_ns
            state.emit(KillSent(task.group.image, task.tid, time_ns, call.op, about, target, group))

    return handler


def _receiver(state: State, task: Task, record: RawRecord, op: str) -> int:
    """Return the process that a signal was sent to; 0: several, or it is not known."""
    if op == "pidfd_send_signal":
        return record.arg5
    number = signed(record.arg1)
    if number <= 0:
        return 0
    pid = state.pids.of(task.group, number)
    if op == "tkill":
        thread = state.tree.tasks.get(pid)
        return thread.group.pid if thread is not None else 0
    return pid


def _receiving_group(state: State, task: Task, record: RawRecord, op: str) -> int:
    """Return the process group that a signal was sent to (kill(2)); 0: none, or not known."""
    number = signed(record.arg1)
    if number > 0 or op in NAMES_NO_GROUP:
        return 0
    if number == 0:
        return task.group.process_group
    if number == ALL_PROCESSES:
        return 0 if task.group.pid_namespaces else ALL_PROCESSES
    return state.pids.of(task.group, -number)


def on_setpgid(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Note the new process group of a process (setpgid(2))."""
    pid, group = signed(record.arg1), signed(record.arg2)
    if record.result < 0:
        emit_process_failed(state, task, record, call.op, f"{pid} into group {group}")
        return
    moved = state.tree.groups.get(state.pids.of(task.group, pid)) if pid else task.group
    if moved is not None:
        moved.process_group = state.pids.of(task.group, group) if group else moved.pid


def on_setsid(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Note that a process leads a group of its own (setsid(2))."""
    if record.result < 0:
        emit_process_failed(state, task, record, call.op, "")
    else:
        task.group.process_group = task.group.pid


SIGNALS: dict[str, What] = {
    **dict.fromkeys(("kill", "rt_sigqueueinfo"), _signalled(2, "{0}")),
    "tkill": _signalled(2, "thread {0}"),
    **dict.fromkeys(("tgkill", "rt_tgsigqueueinfo"), _signalled(3, "thread {1} of {0}")),
    "pidfd_send_signal": _signalled(2, "pidfd {0}"),
}
"""What each call that sends a signal is about."""

CALLS: dict[str, Handler] = {
    **{op: _on_signal_call(what) for op, what in SIGNALS.items()},
    "setpgid": on_setpgid,
    "setsid": on_setsid,
}
