"""Events and metrics as NDJSON: one object to a line, printed or sent.

A line that is all printable is UTF-8. Any other line is pure ASCII: control characters, bytes that
are no UTF-8 (as lone surrogates, `\\udcff`) and all other characters are then JSON escapes.
"""

from __future__ import annotations

import json
from typing import Any

from scopetrace.model.event import EventRecord
from scopetrace.model.metric import MOST_VERBOSE, MetricRecord


def event_body(record: EventRecord) -> dict[str, Any]:
    """Return the body of `record`; `_time` is unix seconds to the µs.

    As in AppScope, the data of `fs.*` begins with proc, pid and host, that of metrics with proc and
    pid.
    """
    data = record.data
    if record.sourcetype == "fs":
        data = {"proc": record.proc, "pid": record.pid, "host": record.host, **data}
    elif record.sourcetype == "metric":
        data = {"proc": record.proc, "pid": record.pid, **data}
    return {
        "id": record.id,
        "sourcetype": record.sourcetype,
        "_time": record.time_ns // 1000 / 1_000_000,
        "source": record.source,
        "host": record.host,
        "proc": record.proc,
        "cmd": record.cmd,
        "pid": record.pid,
        "uid": record.uid,
        "gid": record.gid,
        "username": record.username,
        "groupname": record.groupname,
        "args": record.args,
        **{tag: value for tag, value in record.tags.items() if tag not in BODY},
        "data": data,
    }


def listed_body(record: EventRecord) -> dict[str, Any]:
    """Return what `events -j` prints: the body, with the id as AppScope's scripts call it, too."""
    return {"Id": str(record.id), **event_body(record)}


BODY = frozenset(("id", "_time", "data", *EventRecord._fields))
"""Names that a tag cannot override in a body."""


def metric_body(record: MetricRecord, verbosity: int = MOST_VERBOSE) -> dict[str, Any]:
    """Return the body of a metric as AppScope has it; `_time` is unix seconds to the µs.

    Tags of the program and the user override those that scopetrace adds. A low verbosity leaves out
    host, process and pid.
    """
    body: dict[str, Any] = {
        "_metric": record.name,
        "_metric_type": record.type,
        "_value": record.value,
    }
    for name, value in (*record.tags.items(), *record.known(verbosity).items()):
        body.setdefault(name, value)
    body["_time"] = record.time_ns // 1000 / 1_000_000
    return body


def json_line(value: Any) -> str:
    """Return `value` as JSON on one line, safe to print on a terminal."""
    text = _readable.encode(value)
    return text if text.isprintable() else _ascii.encode(value)


_readable = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ascii = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))
