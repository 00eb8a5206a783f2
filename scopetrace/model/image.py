"""Process images: what every operation is about, and every event belongs to.

An image lives as long as what it is, so a source may compare it by identity and key its own state
by it.
"""

from __future__ import annotations

from scopetrace.model.rules import Rules


class Image:
    """A process from its fork or exec to its next exec or end: one `Process` row.

    The pipeline sets `rules` before a source sees the image.
    """

    __slots__ = (
        "ancestors",
        "args",
        "args_missing",
        "cmd",
        "cwd",
        "env",
        "env_missing",
        "exe",
        "gid",
        "groupname",
        "id",
        "parent",
        "peer_names",
        "pid",
        "ppid",
        "proc",
        "rules",
        "started_ns",
        "uid",
        "username",
    )

    rules: Rules

    def __init__(self, serial: int, pid: int, ppid: int, started_ns: int) -> None:
        self.id = serial
        """`Process.id`."""
        self.pid = pid
        self.ppid = ppid
        self.parent = 0
        """`id` of the image that forked it, or that it was before its exec; 0: not recorded."""
        self.ancestors: tuple[str, ...] = ()
        """`proc` of the processes it descends from, nearest first."""
        self.started_ns = started_ns
        self.proc = self.cmd = self.exe = self.cwd = ""
        self.args: tuple[str, ...] = ()
        self.env: tuple[str, ...] = ()
        """NAME=value; empty unless the environment is recorded."""
        self.args_missing = self.env_missing = 0
        """How many more there are than were kept."""
        self.uid = self.gid = -1
        """Effective ids when the image started; -1: unknown."""
        self.username = self.groupname = ""
        self.peer_names: dict[str, str] = {}
        """Address → the name that the process looked it up by (`model.peer_names`)."""

    def inherit(self, image: Image) -> None:
        """Take over what a child shares with its parent until it execs."""
        self.proc, self.cmd, self.exe, self.cwd = image.proc, image.cmd, image.exe, image.cwd
        self.args, self.args_missing = image.args, image.args_missing
        self.env, self.env_missing = image.env, image.env_missing
        self.uid, self.gid = image.uid, image.gid
        self.username, self.groupname = image.username, image.groupname
        self.peer_names = image.peer_names
