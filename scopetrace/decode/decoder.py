"""The decoder: one record in, the operations that it meant out.

Each watched call has one handler, named in the `CALLS` of its module by the call's name; each
other kind of record has one as well. A handler changes the state of the tree first and emits
after. A record that makes a handler fail is counted and forgotten: the state of one process may
then be incomplete, but recording goes on.
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
    sockets,
    transfers,
)
from scopetrace.decode.state import Handler, State, group_failed, recording_ended
from scopetrace.decode.tasks import Task
from scopetrace.model.operation import Ended, ImageStarted, Operation, Synced
from scopetrace.model.raw import RawKind, RawRecord

CALLS: dict[str, Handler] = {
    **transfers.CALLS,
    **failures.CALLS,
    **fds.CALLS,
    **lifecycle.CALLS,
    **name_changes.CALLS,
    **cwd.CALLS,
    **sockets.CALLS,
}
"""What decodes each row of syscalls.def."""

SYSCALL = int(RawKind.SYSCALL)
"""As a plain number, which is quicker to compare than a member of an enumeration."""
WHOLE_SESSION = frozenset(map(int, (RawKind.SYNC, RawKind.END)))
"""Records that are about no task."""

KINDS: dict[int, Handler] = {
    RawKind.TALLY: transfers.tallied,
    RawKind.FD: fds.found,
    RawKind.COUNT: cwd.counted,
    RawKind.NOTE: notices.noted,
    **lifecycle.KINDS,
}
"""What decodes each record that is no call."""


class Decoder:
    """Decodes the records of one session.

    Args:
        calls: (name, group) of each row of syscalls.def, in order.
        emit: takes each operation.
        clock_offset_ns: Unix time less CLOCK_MONOTONIC.
    """

    def __init__(
        self,
        calls: Sequence[tuple[str, str]],
        emit: Callable[[Operation], None],
        clock_offset_ns: int,
    ) -> None:
        self.state = State(emit, clock_offset_ns)
        self.misunderstood = 0
        """Records that made no sense."""
        self.first_misunderstood = ""
        """What was wrong with the first of them."""
        ops = [name.partition("__")[0] or name for name, _group in calls]
        self._rows = [
            (CALLS.get(name, ignored), op) for (name, _group), op in zip(calls, ops, strict=True)
        ]
        self.state.calls = ops

    def decode(self, record: RawRecord) -> None:
        """Take one record."""
        state, kind = self.state, record.kind
        try:
            task = state.tree.tasks.get(record.tid)
            if kind in WHOLE_SESSION:
                self._announce(record)
                return
            if task is None or task.group.pid != record.pid:
                task = self._adopt(record, task)
            handler, op = self._rows[record.syscall]
            if kind != SYSCALL:
                handler = KINDS.get(kind, ignored)
            handler(state, task, record, op)
        except Exception as error:
            self.misunderstand(error)

    def misunderstand(self, error: Exception) -> None:
        """Count one record that made no sense."""
        self.misunderstood += 1
        self.first_misunderstood = self.first_misunderstood or repr(error)

    def _announce(self, record: RawRecord) -> None:
        """Pass on what concerns the whole session."""
        time_ns = record.entered_ns + self.state.offset_ns
        if record.kind == RawKind.SYNC:
            self.state.emit(Synced(time_ns))
        else:
            recording_ended(self.state, time_ns)
            self.state.emit(Ended(time_ns, *record.args))

    def _adopt(self, record: RawRecord, stale: Task | None) -> Task:
        """Take in a task nobody saw being made; `stale` had its number and ended unseen."""
        time_ns = record.entered_ns + self.state.offset_ns
        if stale is not None:
            group_failed(self.state, stale, time_ns)
        task, is_new = self.state.tree.adopt(record.pid, record.tid, time_ns)
        if is_new:
            self.state.emit(ImageStarted(task.group.image, time_ns, False))
        return task


def ignored(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Do nothing: what the record says is told by others, or by none."""
