"""Who touched a file, a peer or a process: what was done, by whom, and who started that one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from scopetrace.model.json_value import Json

FILE, PEER, PROCESS = "file", "peer", "process"
"""What can be asked about."""


class Doer(NamedTuple):
    """A process while it did something, as the program that it ran then."""

    pid: int
    proc: str
    cmd: str

    @property
    def label(self) -> str:
        """Program and process id: `nginx[12]`."""
        return f"{self.proc}[{self.pid}]"


class Touch(NamedTuple):
    """One thing that was done to what is asked about."""

    id: int
    """The event that says so; 0: a row about a process does."""
    time_ns: int
    """Unix time, ns."""
    action: str
    """A word: open, read, rename, connect, signal…"""
    chain: tuple[Doer, ...]
    """Who did it, who started that one, and so on up to the first; empty: not known."""
    facts: Mapping[str, Json]
    """What else is known, by the names of `TOUCH_FIELDS`."""

    def body(self) -> dict[str, Json]:
        """Return it as JSON has it, without what is not known."""
        body: dict[str, Json] = {"id": self.id} if self.id else {}
        body |= {"_time": self.time_ns // 1000 / 1_000_000, "action": self.action}
        if self.chain:
            doer = self.chain[0]
            body |= {"pid": doer.pid, "proc": doer.proc, "cmd": doer.cmd}
            body["chain"] = [each.label for each in self.chain]
        return body | {name: value for name, value in self.facts.items() if value is not None}


class Who(NamedTuple):
    """The answer: all that touched one file, peer or process, in the order in which it did."""

    kind: str
    """FILE, PEER or PROCESS."""
    subject: str
    """The last name of the file (of several, of that touched most), the peer as it was asked
    for, or the command of the process."""
    names: tuple[str, ...]
    """Of files: their earlier and other names."""
    touches: tuple[Touch, ...]


COMMON_FIELDS = ("id", "_time", "action", "pid", "proc", "cmd", "chain")
TOUCH_FIELDS = {
    FILE: (
        *COMMON_FIELDS, "op", "file", "file_new", "file_target", "flags", "file_read_bytes",
        "file_write_bytes", "file_mapped", "duration_us", "file_perms", "file_owner", "file_group",
        "file_size", "error",
    ),
    PEER: (
        *COMMON_FIELDS, "op", "role", "net_transport", "net_protocol", "net_peer_name",
        "net_peer_ip", "net_peer_port", "net_host_ip", "net_host_port", "unix_peer_path",
        "unix_local_path", "net_target_host", "net_target_port", "net_bytes_sent",
        "net_bytes_recv", "duration_ms", "requests", "users", "net_close_reason", "error",
        "domain", "addrs", "rcode", "file", "file_new",
    ),
    PROCESS: (
        *COMMON_FIELDS, "child_pid", "child_cmd", "ppid", "exe", "cwd", "username", "signal",
        "sender_pid", "exit_code", "duration_us", "cpu_us", "max_rss_kib", "files",
        "files_written", "peers",
    ),
}  # fmt: skip
"""The names that the JSON of an answer has, by what was asked about, in their order."""
