"""`scopetrace ps`: the processes that are being recorded now.

The session files say which recorders are running, and /proc which processes they trace: so a
process is listed before it is in the session, and a reused pid is not mistaken for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from scopetrace.cli.answers import chosen_form, format_option, print_bodies
from scopetrace.model.names import user_name
from scopetrace.output.tables import format_table
from scopetrace.query import list_sessions

HEADINGS = ("ID", "PID", "USER", "COMMAND")


class Traced(NamedTuple):
    """A live process and its session."""

    id: int
    pid: int
    username: str
    cmd: str


@click.command()
@format_option
def ps(form: str | None, as_json: bool) -> None:
    """List the processes that are being recorded now.

    ID is that of the session, for `events --id` and `stop`.

    \b
    scopetrace ps
    scopetrace ps -j | jq .pid   their pids
    """
    recorders = {info.recorder_pid: info.id for info in list_sessions() if info.status == "running"}
    rows = sorted(_traced_by(recorders)) if recorders else []
    chosen = chosen_form(form, as_json)
    if chosen == "table":
        print(format_table(HEADINGS, rows, ("PID",)))
    else:
        print_bodies(chosen, [row._asdict() for row in rows], Traced._fields)


def _traced_by(recorders: dict[int, int]) -> Iterator[Traced]:
    """Yield the processes that the recorders (pid → session id) trace."""
    for pid in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()):
        status = _status(pid)
        tracer = int(status.get("TracerPid", 0))
        # TracerPid is a thread of the recorder; its Tgid is the recorder's pid.
        recorder = int(_status(tracer).get("Tgid", 0)) if tracer else 0
        if recorder in recorders:
            username = user_name(int(status["Uid"].split()[0]))
            yield Traced(recorders[recorder], pid, username, _cmd(pid) or f"[{status['Name']}]")


def _status(pid: int) -> dict[str, str]:
    """Return /proc/PID/status (proc_pid_status(5)), {} if the process has exited."""
    try:
        text = os.fsdecode(Path(f"/proc/{pid}/status").read_bytes())
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.split("\n"))
    return {key: value.strip() for key, _, value in lines}


def _cmd(pid: int) -> str:
    """Return the command line, arguments joined by spaces; empty for a process that has none."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return os.fsdecode(arguments.rstrip(b"\0").replace(b"\0", b" "))
