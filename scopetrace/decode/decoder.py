"""The decoder: one record in, the operations that it meant out.

A row of syscalls.def is decoded by a handler: that of its name (`CALLS` of the module for its
family), or of its group (`GROUPS`), or of the direction in which it transfers bytes (`DIRECTIONS`);
each other kind of record has a handler in `KINDS`. A handler changes the state first and emits
after. A record that makes a handler fail is counted and dropped: the state of one process may then
be incomplete, but recording continues.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scopetrace.decode import (
    cwd,
    failures,
    fds,
    lifecycle,
    name_changes,
    notices,
    signals_sent,
    sockets,
    transfers,
    whole_calls,
)
from scopetrace.decode.closing import forget_process, recording_ended
from scopetrace.decode.state import Handler, State
from scopetrace.decode.tasks import Task
from scopetrace.model.call import Call
from scopetrace.model.operation import CallsMade, Ended, ImageStarted, Operation, Synced
from scopetrace.model.raw import WAY_NAMES, RawKind, RawRecord

CALLS: dict[str, Handler] = {
    **transfers.CALLS,
    **failures.CALLS,
    **signals_sent.CALLS,
    **fds.CALLS,
    **lifecycle.CALLS,
    **name_changes.CALLS,
    **cwd.CALLS,
    **sockets.CALLS,
}
"""What decodes rows of syscalls.def, by name."""

SYSCALL = int(RawKind.SYSCALL)
"""As a plain number, which is quicker to compare than a member of an enumeration."""
WHOLE_SESSION = frozenset(map(int, (RawKind.SYNC, RawKind.WAY, RawKind.END)))
"""Records that are about no task."""

KINDS: dict[int, Handler] = {
    RawKind.TALLY: transfers.on_tally,
    RawKind.FD: whole_calls.on_fd,
    RawKind.COUNT: cwd.on_count,
    RawKind.NOTE: notices.on_note,
    RawKind.CALL: whole_calls.on_call,
    **lifecycle.KINDS,
}
"""What decodes each record that is no call."""


class Decoder:
    """Decodes the records of one session.

    Args:
        calls: the rows of syscalls.def, in order.
        emit: takes each operation.
        clock_offset_ns: Unix time less CLOCK_MONOTONIC.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        emit: Callable[[Operation], None],
        clock_offset_ns: int,
    ) -> None:
        self.state = State(calls, emit, clock_offset_ns)
        self.misunderstood = 0
        """Records that made no sense."""
        self.first_misunderstood = ""
        """What was wrong with the first of them."""
        self._rows = [(handler_of(call), call) for call in calls]

    def decode(self, record: RawRecord) -> None:
        """Decode one record."""
        state, kind = self.state, record.kind
        try:
            task = state.tree.tasks.get(record.tid)
            if kind != SYSCALL and kind in WHOLE_SESSION:
                self._announce(record)
                return
            if task is None or task.group.pid != record.pid:
                task = self._adopt(record, task)
            handler, call = self._rows[record.syscall]
            if kind != SYSCALL:
                handler = KINDS.get(kind, on_unknown)
            handler(state, task, record, call)
        except Exception as error:
            self.misunderstand(error)

    def misunderstand(self, error: Exception) -> None:
        """Count one record that made no sense."""
        self.misunderstood += 1
        self.first_misunderstood = self.first_misunderstood or repr(error)

    def _announce(self, record: RawRecord) -> None:
        """Emit what concerns the whole session."""
        time_ns = record.entered_ns + self.state.offset_ns
        if record.kind == RawKind.SYNC:
            self.state.emit(Synced(time_ns))
        elif record.kind == RawKind.WAY:
            self.state.emit(
                CallsMade(time_ns, WAY_NAMES.get(record.arg1, str(record.arg1)), record.arg2)
            )
        else:
            recording_ended(self.state, time_ns)
            self.state.emit(Ended(time_ns, *record.args))

    def _adopt(self, record: RawRecord, stale: Task | None) -> Task:
        """Add a task whose birth was not recorded; `stale` had its tid, and its end was missed."""
        time_ns = record.entered_ns + self.state.offset_ns
        if stale is not None:
            forget_process(self.state, stale, time_ns)
        task, is_new = self.state.tree.adopt(record.pid, record.tid, time_ns)
        if is_new:
            self.state.emit(ImageStarted(task.group.image, time_ns, False))
        return task


def handler_of(call: Call) -> Handler:
    """Return what decodes the records of a row of syscalls.def."""
    found = CALLS.get(call.name) or cwd.GROUPS.get(call.group)
    return found or transfers.DIRECTIONS.get(call.direction) or on_unknown


def on_unknown(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Do nothing: this kind of record means no operation."""
