"""Processes as read back: who started whom, what each ran, and how it ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from scopetrace.model.process import Process

PROCESS_FIELDS = (
    "pid", "ppid", "proc", "cmd", "exe", "cwd", "execs", "start_time", "duration_us", "exit_code",
    "signal", "killer_pid", "cpu_us", "max_rss_kib",
)  # fmt: skip
"""The names by which JSON speaks of a process."""


class ProcessNode(NamedTuple):
    """One process, from its fork (or the start of the session) to its end."""

    images: tuple[Process, ...]
    """The programs that it ran, one after the other: each exec adds one."""
    ended_ns: int | None
    """Unix time, ns; None: it runs, or its end was not recorded."""
    exit_code: int | None
    signal: int | None
    cpu_us: int | None
    """CPU time of itself, user and system; None: its end was not recorded. So is max_rss_kib."""
    max_rss_kib: int | None
    """The most memory that was resident, KiB."""
    children: tuple[ProcessNode, ...]
    killer_pid: int | None = None
    """Of a process that SIGKILL ended: who sent it; None: that was not recorded."""

    @property
    def process(self) -> Process:
        """The last program that it ran."""
        return self.images[-1]

    @property
    def key(self) -> int:
        """Number of the last program that it ran, which is unique in the session."""
        return self.process.id

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    @property
    def started_ns(self) -> int:
        """When it was forked, Unix time in ns."""
        return self.images[0].started_ns

    @property
    def duration_ns(self) -> int | None:
        """From its start to its end; None: no end was recorded."""
        return None if self.ended_ns is None else max(self.ended_ns - self.started_ns, 0)

    @property
    def failed(self) -> bool:
        """Whether it ended by a signal or with a status other than 0."""
        return self.signal is not None or self.exit_code not in (None, 0)

    @property
    def shims(self) -> tuple[str, ...]:
        """The programs that exec replaced on the way to the last one: sh, env, pyenv…"""
        programs = [image.proc for image in self.images]
        return tuple(proc for at, proc in enumerate(programs[1:-1], 1) if proc != programs[at - 1])

    def walk(self, depth: int = 0) -> Iterator[tuple[int, ProcessNode]]:
        """Yield this process and all below it with their depths, parents first."""
        pending = [(depth, self)]
        while pending:
            level, node = pending.pop()
            yield level, node
            pending.extend((level + 1, child) for child in reversed(node.children))

    def body(self) -> dict[str, object]:
        """Return the process as JSON has it, without its children and what is not known."""
        last = self.process
        facts = {
            "pid": self.pid,
            "ppid": self.images[0].ppid,
            "proc": last.proc,
            "cmd": last.cmd,
            "exe": last.exe,
            "cwd": last.cwd,
            "execs": [image.cmd for image in self.images[:-1]],
            "start_time": self.started_ns // 1000 / 1_000_000,
            "duration_us": None if self.duration_ns is None else self.duration_ns // 1000,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "killer_pid": self.killer_pid,
            "cpu_us": self.cpu_us,
            "max_rss_kib": self.max_rss_kib,
        }
        return {name: value for name, value in facts.items() if value is not None}


def all_nodes(roots: Iterable[ProcessNode]) -> Iterator[ProcessNode]:
    """Yield the processes of trees, parents before their children."""
    return (node for root in roots for _, node in root.walk())


def subtrees(roots: Iterable[ProcessNode], pids: Collection[int]) -> Iterator[ProcessNode]:
    """Yield the processes with one of these pids that are below no other one of them."""
    pending = [*roots][::-1]
    while pending:
        node = pending.pop()
        if node.pid in pids:
            yield node
        else:
            pending.extend(reversed(node.children))


def is_copy(parent: ProcessNode, child: ProcessNode) -> bool:
    """Whether a child ran no program of its own: it was forked, and went on as its parent."""
    only = child.images[0]
    return len(child.images) == 1 and any(
        (image.exe, image.args) == (only.exe, only.args) for image in parent.images
    )
