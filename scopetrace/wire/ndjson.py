"""Events and metrics as JSON: the bodies that are printed and sent, one object to a line.

A line is UTF-8 as it stands where all of it may be shown, and otherwise pure ASCII: controls, bytes
that are no UTF-8 (as lone surrogates, `\\udcff`) and their like are then JSON's own escapes.
"""

from __future__ import annotations

import json
from typing import Any

from scopetrace.model.event import EventRecord
from scopetrace.model.metric import MOST_VERBOSE, MetricRecord


def event_body(record: EventRecord) -> dict[str, Any]:
    """Return the body of `record`; `_time` is unix seconds to the µs.

    The data of `fs.*` and of metrics begins with proc and pid, and of `fs.*` host, as AppScope's
    does.
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


BODY = frozenset(("id", "_time", "data", *EventRecord._fields))
"""Names that a tag cannot take from the body."""


def metric_body(record: MetricRecord, verbosity: int = MOST_VERBOSE) -> dict[str, Any]:
    """Return what AppScope calls the body of a metric; `_time` is unix seconds to the µs.

    Tags come before what we know ourselves: those of the program and the user win. Little verbosity
    leaves out whose value it is.
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
    """Return `value` as JSON on one line, safe to show."""
    text = _readable.encode(value)
    return text if text.isprintable() else _ascii.encode(value)


_readable = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ascii = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))
