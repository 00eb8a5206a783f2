"""Process images: one row for each program a process ran, so that such facts stand once."""

from __future__ import annotations

from typing import NamedTuple

from scopetrace.model.shown import shell_line

ALL_PROCESSES = -1
"""In place of a process group: all processes that the sender may signal (kill(2))."""


class Process(NamedTuple):
    """A process from its fork or exec to its next exec, change of user, or its end."""

    id: int
    """Serial within the session, from 1; never reused, as pids are."""
    pid: int
    ppid: int
    parent: int
    """`id` of the image that forked it or that it was before the exec; 0: outside the session."""
    started_ns: int
    """Unix time, ns."""
    proc: str
    """Base name of the program."""
    cmd: str
    """Command line, arguments joined by spaces; it ends in `... (N more)` if some are missing."""
    args: tuple[str, ...]
    exe: str
    cwd: str
    uid: int
    gid: int
    username: str
    groupname: str
    tags: dict[str, str] = {}  # noqa: RUF012 (never changed: it stands for "none")
    """The tags that the configuration gives to this process."""
    args_missing: int = 0
    """How many more arguments there were than were kept (argslimit)."""

    @property
    def command(self) -> str:
        """The command line as it would be typed in a shell, or the program's name."""
        typed = shell_line(self.args) if self.args else self.cmd or self.proc
        return f"{typed} ... ({self.args_missing} more)" if self.args_missing else typed


class ProcessEnd(NamedTuple):
    """How an image ended; `replaced` when an exec or setuid put another in its place."""

    id: int
    ended_ns: int
    exit_code: int | None
    signal: int | None
    replaced: bool
