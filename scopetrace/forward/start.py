"""What the first line of a connection says: who is recorded, and with which configuration.

It is AppScope's process-start message: that one comes from each process, this from the recording,
about the program that was started. Of what it starts in turn, proc.start tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from scopetrace import __version__
from scopetrace.config import Config, config_data
from scopetrace.model.process import Process

MACHINE_ID = Path("/etc/machine-id")


def start_message(config: Config, process: Process, host: str, identity: str) -> dict[str, Any]:
    """Return the message about the first process of a recording, on this machine."""
    about = {
        "libscopever": __version__,
        "pid": process.pid,
        "ppid": process.ppid,
        "gid": process.gid,
        "groupname": process.groupname,
        "uid": process.uid,
        "username": process.username,
        "hostname": host,
        "procname": process.proc,
        "cmd": process.cmd,
        "id": identity,
        "cgroup": _first_line(Path(f"/proc/{process.pid}/cgroup")),
        "machine_id": _first_line(MACHINE_ID),
        "uuid": str(uuid4()),
    }
    configuration = {"current": config_data(config)}
    return {
        "format": "ndjson",
        "info": {"process": about, "configuration": configuration, "environment": {}},
    }


def _first_line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").partition("\n")[0]
    except OSError:
        return ""
