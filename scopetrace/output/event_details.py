"""All fields of one event, one to a line (`scopetrace events ID`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scopetrace.model.event import EventRecord
from scopetrace.output.cause import cause_text
from scopetrace.output.color import paint
from scopetrace.output.escape import escape, escape_lines
from scopetrace.output.syscall_prototypes import prototype
from scopetrace.output.units import format_moment
from scopetrace.output.values import show_value

ERRORS = ("fs.error", "net.error", "proc.error", "dns.error")
LABEL_WIDTH = len("Sourcetype:") + 1


def format_event(record: EventRecord, *, color: bool = False, call: str = "") -> str:
    """Return the lines of `record`: first the fields that every event has, then its data by key.

    Args:
        record: the event.
        color: use colours.
        call: the system call as strace prints it, with its number; empty: it was not recorded.
    """
    labels = [*_facts(record)]
    if call:
        labels.append(("Made", call))
    lines = [_labelled(name, value, LABEL_WIDTH, color) for name, value in labels]
    lines.append(paint("Data:", "green") if color else "Data:")
    columns = max(map(len, record.data), default=0) + 2
    for key in sorted(record.data):
        lines += _datum(key, record.data[key], columns, color)
    return "\n".join(lines)


def _facts(record: EventRecord) -> Iterator[tuple[str, str]]:
    yield "ID", str(record.id)
    yield "Proc", escape(record.proc)
    yield "Pid", str(record.pid)
    yield "Tid", str(record.tid)
    yield "User", f"{escape(record.username)} ({record.uid}:{record.gid})"
    yield "Time", format_moment(record.time_ns)
    yield "Command", escape(record.cmd)
    yield "Source", escape(record.source)
    yield "Sourcetype", escape(record.sourcetype)
    yield "Host", escape(record.host)
    yield "Channel", str(record.channel) if record.channel else "none"
    if call := prototype(str(record.data.get("op", ""))):
        yield "Call", call
    if record.source in ERRORS and (cause := cause_text(record.data)):
        yield "Cause", cause


def _labelled(name: str, value: str, columns: int, color: bool) -> str:
    padding = " " * (columns - len(name) - 1)
    label = f"{name}:"
    return f"{paint(label, 'green') if color else label}{padding}{value}"


def _datum(key: str, value: Any, columns: int, color: bool) -> Iterator[str]:
    lines = escape_lines(value) if key == "message" and isinstance(value, str) else []
    if len(lines) < 2:
        shown = lines[0] if lines else show_value(value)
        yield "  " + _labelled(escape(key), shown, columns, color)
        return
    yield "  " + _labelled(escape(key), "", 0, color)
    yield from (f"    {line}" for line in lines)
