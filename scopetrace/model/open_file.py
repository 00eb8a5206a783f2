"""Open files, and what processes did with them.

An `OpenFile` lives as long as the open file, so a source may compare it by identity and key its own
state by it. Paths are text whose undecodable bytes are lone surrogates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scopetrace.model.flow import Flow, FlowUsage

CONSOLE_NAMES = {1: "stdout", 2: "stderr"}
"""What the first program's inherited fds are called."""


class FileStat(NamedTuple):
    """What is kept of `struct raw_stat`, in its order."""

    dev: int
    ino: int
    size: int
    rdev: int
    mode: int
    uid: int
    gid: int
    links: int
    born_ns: int
    """When it was created, Unix time; 0: not known."""


class OpenFile:
    """One open file description: what every fd made from it by dup or fork shares.

    `path` is what it is called now, or was last; empty if it is not known. `named` is true for what
    has a path in the file system (regular files, folders, devices, named pipes), false for pipes,
    sockets, memory and the rest.
    """

    __slots__ = (
        "__weakref__",
        "console",
        "fd",
        "muted",
        "named",
        "opened_ns",
        "passed",
        "path",
        "stat",
        "utf16",
    )

    def __init__(self, path: str, status: FileStat | None, opened_ns: int) -> None:
        self._begin(path, status, opened_ns)

    def _begin(self, path: str, status: FileStat | None, opened_ns: int) -> None:
        """Set all that there is; a subclass calls it instead of a constructor."""
        self.path = path
        self.stat = status
        self.named = path != "" and path[0] == "/" and path[:7] != "/memfd:"
        self.opened_ns = opened_ns
        """Unix time, ns: the channel of its events."""
        self.console = ""
        """stdout or stderr, if it is what the session started with there."""
        self.passed = ""
        """The absolute name that it was opened by; empty: its open was not recorded."""
        self.fd = -1
        """The fd that it was first known by."""
        self.muted = 0
        """The fd_serial of it that was muted last; 0: none was."""
        self.utf16 = ""
        """The byte order of what is written to it, if that was seen to be UTF-16."""


Counts = tuple[int, ...]
"""Calls, bytes and ns of one kind."""
NO_CALLS = (0, 0, 0)
NOTHING = (0, 0, 0, 0, 0, 0)


def _less(counts: Counts, others: Sequence[int]) -> Counts:
    """Return counts without those of other calls."""
    return tuple([counts[at] - others[at] for at in range(len(counts))])


class Usage:
    """What the processes that share one table of fds did with one open file."""

    __slots__ = (
        "calls",
        "emitted_bytes",
        "fds",
        "flows",
        "listening",
        "mapped",
        "measured",
        "opened",
        "read_bytes",
        "read_ns",
        "reads",
        "write_bytes",
        "write_ns",
        "writes",
    )

    def __init__(self, opened: bool, fds: int) -> None:
        self.opened = opened
        """It was opened here, not inherited."""
        self.fds = fds
        """How many fds of the table are this file."""
        self.mapped = False
        self.reads = self.read_bytes = self.read_ns = 0
        self.writes = self.write_bytes = self.write_ns = 0
        self.emitted_bytes = 0
        """Those of `write_bytes` that were emitted as `Written`."""
        self.flows: dict[Flow, FlowUsage] = {}
        """Of a socket: what was done with each of its flows."""
        self.listening = -1
        """Of a socket: the fd by which a process of this table had it listen; -1: none did."""
        self.measured = NOTHING
        """What of it has been measured."""
        self.calls: dict[tuple[str, str], list[int]] = {}
        """What other calls than read and write did since that was measured."""

    def of_flow(self, flow: Flow, opened: bool = False) -> FlowUsage:
        """Return the usage of a flow, a new one if there is none."""
        usage = self.flows.get(flow)
        if usage is None:
            usage = self.flows[flow] = FlowUsage(opened)
        return usage

    def unmeasured(self) -> tuple[int, ...]:
        """Return what was counted since the last call of this, as `struct raw_tally` has it."""
        now = (
            self.reads,
            self.read_bytes,
            self.read_ns,
            self.writes,
            self.write_bytes,
            self.write_ns,
        )
        before, self.measured = self.measured, now
        return now if before is NOTHING else _less(now, before)

    def add_call(self, outgoing: bool, op: str, counts: list[int]) -> None:
        """Note how much of what was added was another call's: calls, bytes, ns."""
        known = self.calls.setdefault(("write" if outgoing else "read", op), [0, 0, 0])
        for at, count in enumerate(counts):
            known[at] += count

    def unmeasured_calls(self) -> list[tuple[str, str, Counts]]:
        """Return what `unmeasured` does by call: read or write, its name; calls, bytes, ns."""
        if not (self.reads or self.writes or self.calls):
            return []
        now, found = self.unmeasured(), []
        reads, writes = now[:3], now[3:]
        for (which, op), counts in self.calls.items():
            found.append((which, op, tuple(counts)))
            if which == "read":
                reads = _less(reads, counts)
            else:
                writes = _less(writes, counts)
        if writes != NO_CALLS:
            found.insert(0, ("write", "write", writes))
        if reads != NO_CALLS:
            found.insert(0, ("read", "read", reads))
        self.calls = {}
        return found

    def reset_transfers(self) -> None:
        """Count from 0: what a socket transferred belongs to a connection that has ended."""
        self.reads = self.read_bytes = self.read_ns = 0
        self.writes = self.write_bytes = self.write_ns = 0

    def add(self, tally: tuple[int, ...]) -> None:
        """Add a `struct raw_tally`."""
        reads, read_bytes, read_ns, writes, write_bytes, write_ns = tally
        self.reads += reads
        self.read_bytes += read_bytes
        self.read_ns += read_ns
        self.writes += writes
        self.write_bytes += write_bytes
        self.write_ns += write_ns
