"""The first line of a connection: which program is recorded, and with which configuration.

It is AppScope's process-start message. AppScope sends one from each process; this is one for each
recording, about the program that was started. Its child processes have proc.start events.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from scopetrace import __version__
from scopetrace.config.schema import Config
from scopetrace.config.serialize import config_data
from scopetrace.model.process import Process

MACHINE_ID = Path("/etc/machine-id")
EVENTS = ("file", "console", "http", "net", "fs", "dns")
METRICS = ("statsd",)
"""The order in which AppScope lists types under `watch`; other types come after them."""


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
    configuration = {"current": _in_appscope_schema(config_data(config))}
    return {
        "format": "ndjson",
        "info": {"process": about, "configuration": configuration, "environment": {}},
    }


def _in_appscope_schema(data: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as AppScope's published schema of this message requires it.

    Booleans and ports are strings there, rules have a fixed order, and a destination is one of tcp,
    udp, unix and file: type none is left out.
    """
    event, metric = _section(data["event"], EVENTS), _section(data["metric"], METRICS)
    texts: dict[str, Any] = _texts({**data, "metric": metric, "event": event})
    return texts


def _section(section: dict[str, Any], order: tuple[str, ...]) -> dict[str, Any]:
    transport = dict(section["transport"])
    if transport["type"] == "tls":
        transport |= {"type": "tcp", "tls": {**transport["tls"], "enable": True}}
    rules = sorted(section["watch"], key=lambda rule: _place(rule["type"], order))
    changed = {**section, "watch": rules, "transport": transport}
    if transport["type"] == "none":
        del changed["transport"]
    return changed


def _place(kind: str, order: tuple[str, ...]) -> int:
    return order.index(kind) if kind in order else len(order)


def _texts(data: Any, key: str = "") -> Any:
    """Return data with its booleans and ports as strings."""
    if isinstance(data, dict):
        return {name: _texts(value, name) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_texts(value) for value in data]
    if isinstance(data, bool):
        return "true" if data else "false"
    return str(data) if key == "port" else data


def _first_line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").partition("\n")[0]
    except OSError:
        return ""
