"""Who holds what a call asked for: a port, a lock, a file.

Who had a lock or a file is in the record. Of a port the session's own tables often know. Else
/proc is searched, by the recorder and after the call: the holder may have changed in between, and
of another user's process only root sees the fds. A search takes milliseconds, so a session makes a
bounded number of them (`State.searches_left`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scopetrace.decode.paths import text
from scopetrace.decode.socket import CREATED, LISTENING
from scopetrace.decode.state import State
from scopetrace.decode.tasks import Task
from scopetrace.model.flow import Address
from scopetrace.model.open_file import FileStat

LISTENS, UNCONNECTED, ENDED = "0A", "07", "06"
"""States in /proc/net/tcp and /proc/net/udp (include/net/tcp_states.h)."""
ANY_HOST = frozenset(("0.0.0.0", "::", ""))
PROC = Path("/proc")


class Holder(NamedTuple):
    """A process, as far as it may be seen."""

    pid: int
    cmd: str


def holder_of_address(
    state: State, task: Task, transport: str, local: Address, *, listens: bool = False
) -> Holder | None:
    """Return who is bound to an address that is in use; `listens`: and listens there."""
    for other in state.tree.tasks.values():
        for file in other.table.fds.values():
            sock = file.socket
            if sock is None or sock.transport != transport or sock.local is None:
                continue
            is_bound = sock.state == CREATED and not listens
            waits = sock.state == LISTENING or not sock.is_stream
            if (waits or is_bound) and _overlap(sock.local, local):
                return Holder(other.group.pid, other.group.image.cmd)
    if not state.may_search():
        return None
    return _holder_of_sockets(state, set(_inodes(task.group.pid, transport, local)))


def _overlap(held: Address, asked: Address) -> bool:
    if asked.family == "unix":
        return bool(held.host) and asked.host in (held.host, held.bound)
    return held.port == asked.port and (
        held.host == asked.host or held.host in ANY_HOST or asked.host in ANY_HOST
    )


def waits_to_end(task: Task, transport: str, local: Address) -> bool:
    """Whether only a connection has a port that ended a moment ago: tcp(7), TIME_WAIT."""
    return any(state == ENDED for state, _ in _bound(task.group.pid, transport, local.port))


def _inodes(pid: int, transport: str, local: Address) -> Iterator[str]:
    """Yield the inodes of the sockets that are bound to an address: proc_pid_net(5)."""
    if local.family == "unix":
        for line in _lines(_net(pid, "unix")):
            words = line.split()
            if words[7:8] == [local.host]:
                yield words[6]
        return
    for state, inode in _bound(pid, transport, local.port):
        if state in (LISTENS, UNCONNECTED):
            yield inode


def _bound(pid: int, transport: str, port: int) -> Iterator[tuple[str, str]]:
    """Yield the states and the inodes of the sockets that have a port."""
    kind = transport.rpartition(".")[2].lower()
    for name in (kind, f"{kind}6"):
        for line in _lines(_net(pid, name)):
            words = line.split()
            if len(words) > 9 and words[1].rpartition(":")[2] == f"{port:04X}":
                yield words[3], words[9]


def _net(pid: int, name: str) -> Path:
    """Return the table of a process's network; our own if the process has ended."""
    path = PROC / str(pid) / "net" / name
    return path if path.exists() else PROC / "net" / name


def _holder_of_sockets(state: State, inodes: set[str]) -> Holder | None:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    folders = (folder for folder in _entries(PROC) if folder.name.isdigit())
    holds = (each for each in folders if any(link in wanted for link in _fd_links(each)))
    found = next((each for each in holds if each.name != str(os.getpid())), None)
    return None if found is None else _known(state, int(found.name))


def holder_of_lock(state: State, file: FileStat, table: bytes | None, asker: int) -> Holder | None:
    """Return who holds a lock on a file: proc_locks(5).

    `table`: the text of /proc/locks when the call failed; None: it was not read then. `asker` is
    the process that wants a lock; one of its own counts only if no other process has any.
    """
    if table is None and not state.may_search():
        return None
    place = f"{os.major(file.dev):02x}:{os.minor(file.dev):02x}:{file.ino}"
    lines = _lines(PROC / "locks") if table is None else text(table).splitlines()
    fields = (line.split() for line in lines if "->" not in line)
    pids = [int(each[4]) for each in fields if len(each) > 5 and each[5] == place]
    found = sorted((pid for pid in pids if pid > 0), key=lambda pid: pid == asker)
    return _known(state, found[0]) if found else None


def holder_in(state: State, part: bytes | None) -> Holder | None:
    """Return the process of a HOLDER part, which was seen when the call failed."""
    if part is None:
        return None
    return _known(state, int.from_bytes(part[:4], sys.byteorder), part[4:])


def _known(state: State, pid: int, command: bytes | None = None) -> Holder:
    """Return a process with its command line: that of the session, or else of /proc."""
    group = state.tree.groups.get(pid)
    if group is not None:
        return Holder(pid, group.image.cmd)
    joined = _content(PROC / str(pid) / "cmdline") if command is None else command
    return Holder(pid, text(joined.rstrip(b"\0").replace(b"\0", b" ")))


def _fd_links(process: Path) -> list[str]:
    return [_link(entry) for entry in _entries(process / "fd")]


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _lines(path: Path) -> list[str]:
    return text(_content(path)).splitlines()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
