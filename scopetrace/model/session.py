"""Sessions: one run of `scopetrace run`, one file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class SessionInfo(NamedTuple):
    """What is known about a session without reading its events."""

    id: int
    path: Path
    command: str
    """Base name of the command."""
    args: tuple[str, ...]
    cwd: str
    pid: int
    """The first process: the command itself."""
    recorder_pid: int
    recorder_started_ticks: int
    """Field 22 of /proc/PID/stat: a later process with the recorder's pid has another."""
    boot_id: str
    host: str
    uid: int
    username: str
    version: str
    """Of scopetrace."""
    started_ns: int
    """When the first process started, Unix time in ns; so is ended_ns."""
    ended_ns: int | None
    """When the last process ended, or recording was stopped; None while recording, or if the
    recorder was killed."""
    status: str
    """running, finished, stopped (recording ended before the program did), incomplete (something
    could not be written) or interrupted (the recorder was killed)."""
    exit_code: int | None
    """Of the first process; None while it runs, or if a signal ended it."""
    signal: int | None
    events: int
    lost: int
    """Events and records that could not be recorded, all reasons together."""
