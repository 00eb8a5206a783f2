"""Makes sessions for the tests of those rooms that write and read them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scopetrace.model.event import Event
from scopetrace.model.metric import MetricRecord
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.store.sessions import SessionStore
from scopetrace.store.writer import SessionWriter

STARTED_NS = 1_783_822_275_000_000_000
"""2026-07-12 02:11:15 UTC."""
SECOND = 1_000_000_000
CLOSED = {
    "op": "close",
    "file_read_bytes": 5155,
    "file_read_ops": 3,
    "file_write_bytes": 0,
    "file_write_ops": 0,
    "duration": 211,
    "io_duration": 35,
}
SENT = MetricRecord(
    id=4,
    time_ns=1_643_735_835_454_946_001,
    name="net.tx",
    type="counter",
    unit="byte",
    value=11,
    tags={"proto": "TCP", "class": "inet_tcp"},
    host="box",
    proc="nc",
    pid=70,
)
"""A value of a metric as it is read."""


def image(number: int = 1, **changes: Any) -> Process:
    """Return a process image, `changes` apart that of python3 with pid 70.

    Changes of `cmd` change `args` as well.
    """
    if "cmd" in changes:
        changes.setdefault("args", tuple(changes["cmd"].split()))
    return Process(
        id=number,
        pid=70,
        ppid=1,
        parent=0,
        started_ns=STARTED_NS,
        proc="python3",
        cmd="python3 log.py",
        args=("python3", "log.py"),
        exe="/usr/bin/python3",
        cwd="/home/ann",
        uid=1000,
        gid=1001,
        username="ann",
        groupname="staff",
    )._replace(**changes)


def event(source: str, at: float = 0, process: int = 1, channel: int = 0, **data: Any) -> Event:
    """Return an event, `at` seconds after the start; a source tells its sourcetype."""
    if source in ("stdout", "stderr"):
        sourcetype = "console"
    elif source.startswith("/"):
        sourcetype = "file"
    else:
        sourcetype = {"proc": "process"}.get(source.partition(".")[0], source.partition(".")[0])
    time_ns = STARTED_NS + int(at * SECOND)
    return Event(time_ns, process, 71, sourcetype, source, channel, data)


def closed(file: str, **data: Any) -> Event:
    return event("fs.close", **{"file": file, **CLOSED, **data})


def begin(home: Path, command: str = "python3", **facts: Any) -> SessionWriter:
    """Begin a session with one process image, committed."""
    facts = {"pid": 70, "started_ns": STARTED_NS, "host": "box", **facts}
    writer = SessionStore(home).create(command, facts.pop("args", (command, "log.py")), **facts)
    writer.add_process(image())
    writer.commit()
    return writer


def record(
    home: Path,
    events: Iterable[Event],
    images: Iterable[Process] = (),
    ends: Iterable[ProcessEnd] = (),
) -> Path:
    """Write a whole session and return its file."""
    writer = begin(home)
    for one in images:
        writer.add_process(one)
    for end in ends:
        writer.end_process(end)
    writer.add_events(events)
    writer.finish(exit_code=0)
    return writer.path
