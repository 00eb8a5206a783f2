"""Processes in PID namespaces of their own (pid_namespaces(7)), by the recorder's numbers.

A signal has the pid of its sender in the namespace of the receiver. The sender may have exited when
the signal is decoded, as a child has whose SIGCHLD that is; so the numbers are kept for a while.
"""

from __future__ import annotations

from scopetrace.decode.tasks import ThreadGroup

MOST_KEPT = 65_536
NUMBERS = b"\nNSpid:"
"""A process's number in each namespace it is in, from the recorder's to its own (proc(5))."""


class PidNamespaces:
    """The pid of each process in the namespaces that it is in."""

    def __init__(self) -> None:
        self._pids: dict[tuple[int, int], int] = {}

    def born(self, group: ThreadGroup, parent: ThreadGroup, namespace: int, status: bytes) -> None:
        """Add a process of another namespace than the recorder's; `namespace` is its inode."""
        inside = _numbers(status)[1:]
        if not inside:
            return
        outer = parent.pid_namespaces[: len(inside) - 1]
        unknown = (0,) * (len(inside) - 1 - len(outer))
        group.pid_namespaces = (*outer, *unknown, namespace)
        for each, number in zip(group.pid_namespaces, inside, strict=True):
            self._pids.pop((each, number), None)
            self._pids[each, number] = group.pid
        while len(self._pids) > MOST_KEPT:
            del self._pids[next(iter(self._pids))]

    def of(self, receiver: ThreadGroup, number: int) -> int:
        """Return the process that has that number for `receiver`; 0: it is not known."""
        if not receiver.pid_namespaces:
            return number
        return self._pids.get((receiver.pid_namespaces[-1], number), 0)


def _numbers(status: bytes) -> list[int]:
    """Return the numbers of the NSpid line of /proc/PID/status."""
    line = status.partition(NUMBERS)[2].partition(b"\n")[0]
    return [int(word) for word in line.split() if word.isdigit()]
