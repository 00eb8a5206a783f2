"""Who killed a process: who sent SIGKILL to it, to its process group, or to all, while it lived.

No tracer sees the delivery of SIGKILL, only that it was sent (`proc.kill`), perhaps to several at
once. Of those that may have killed a process, the first is taken.
"""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from scopetrace.model.process import ALL_PROCESSES, Process, ProcessEnd
from scopetrace.query.few_events import few_events

ROOT = 0
"""The user who may signal every process (kill(2))."""


class Kill(NamedTuple):
    """One call that sent SIGKILL."""

    time_ns: int
    """Unix time, ns."""
    sender: int
    """Its pid."""
    uid: int
    """Its user."""


class Kills:
    """The calls that sent SIGKILL.

    Args:
        to_processes: pid of the receiver → those that were sent to it, in their order.
        to_groups: process group, or ALL_PROCESSES → those that were sent to it, likewise.
    """

    def __init__(
        self, to_processes: dict[int, list[Kill]], to_groups: dict[int, list[Kill]]
    ) -> None:
        self._to_processes = to_processes
        self._to_groups = to_groups

    def killer_of(
        self, images: Sequence[Process], end: ProcessEnd | None, group: int | None
    ) -> int | None:
        """Return the pid of the process that killed one; None: none did, or it is not recorded.

        Args:
            images: of the process that ended, in their order.
            end: how it ended; None: it did not.
            group: its process group; None: not known.
        """
        if end is None or end.signal != signal.SIGKILL:
            return None
        last = images[-1]
        lived = range(images[0].started_ns, end.ended_ns + 1)
        sent = [*self._to_processes.get(last.pid, ()), *self._to_groups.get(group or 0, ())]
        sent += (kill for kill in self._to_groups.get(ALL_PROCESSES, ()) if _may_hit(kill, last))
        first = min((kill for kill in sent if kill.time_ns in lived), default=None)
        return None if first is None else first.sender


def _may_hit(kill: Kill, process: Process) -> bool:
    """Return whether a SIGKILL to all went to a process: not to its sender (kill(2))."""
    return kill.sender != process.pid and kill.uid in (ROOT, process.uid)


def read_kills(db: sqlite3.Connection) -> Kills:
    """Return the calls of a session that sent SIGKILL, as far as their receivers are known."""
    rows = db.execute(
        "SELECT e.time_ns, p.pid, p.uid, json_extract(e.data, '$.target_pid'),"
        f" json_extract(e.data, '$.target_group') FROM {few_events(db)} AS e"
        " JOIN process AS p ON p.id = e.process WHERE e.source = 'proc.kill' ORDER BY e.id"
    )
    to_processes: dict[int, list[Kill]] = {}
    to_groups: dict[int, list[Kill]] = {}
    for time_ns, pid, uid, target, group in rows:
        sent = Kill(time_ns, pid, uid)
        if target:
            to_processes.setdefault(target, []).append(sent)
        if group:
            to_groups.setdefault(group, []).append(sent)
    return Kills(to_processes, to_groups)
