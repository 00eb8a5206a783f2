"""`scopetrace ps`: what is being traced at this moment.

The session files say which processes were seen; /proc says which of them live and who traces them,
so a number that was used again by a process of somebody else's is not shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from scopetrace.cli.options import json_option
from scopetrace.model.process import Process
from scopetrace.model.session import SessionInfo
from scopetrace.output.bodies import json_line
from scopetrace.output.tables import format_table
from scopetrace.query import list_sessions, open_session

HEADINGS = ("ID", "PID", "USER", "COMMAND")


@click.command()
@json_option
def ps(as_json: bool) -> None:
    """List the processes that are being traced now.

    ID is the session's, for events --id and for stop.

    \b
    scopetrace ps
    scopetrace ps -j | jq .pid
    """
    rows = [
        (info.id, process.pid, process.username, process.cmd)
        for info in list_sessions()
        if info.status == "running"
        for process in _traced_now(info)
    ]
    if not as_json:
        print(format_table(HEADINGS, rows, ("PID",)))
        return
    for row in rows:
        print(json_line(dict(zip(("id", "pid", "username", "cmd"), row, strict=True))))


def _traced_now(info: SessionInfo) -> Iterator[Process]:
    """Yield the latest image of each process that the session's recorder traces."""
    images = {process.pid: process for process in open_session(info.id).processes()}
    for pid, process in sorted(images.items()):
        tracer = _status_number(pid, "TracerPid")
        # TracerPid names a thread of the recorder; its Tgid is the recorder.
        if tracer and _status_number(tracer, "Tgid") == info.recorder_pid:
            yield process


def _status_number(pid: int, key: str) -> int | None:
    """Return a number from /proc/PID/status (proc_pid_status(5)), None if the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    return None
