"""An event or a value of a metric as the line that is sent, in AppScope's format.

{"format":"ndjson","info":{…}}   the first line, see `start`
{"type":"evt","id":"HOST-PROC-end of the command line","_channel":"…","body":{…}}
{"type":"metric","body":{…}}   or, if the configuration says so, a line of StatsD
"""

from __future__ import annotations

from typing import Any

from msgspec.json import Encoder

from scopetrace.config.schema import Config, MetricFormat
from scopetrace.db.text import encode_json
from scopetrace.forward.start_message import start_message
from scopetrace.model.event import Event, EventRecord
from scopetrace.model.form import fields_of
from scopetrace.model.metric import MetricRecord, Sample
from scopetrace.model.process import Process
from scopetrace.wire.ndjson import event_body, metric_body
from scopetrace.wire.statsd import statsd_lines

NOT_SENT = ("id", "uid", "gid", "username", "groupname", "args")
"""Keys of a body that AppScope does not send."""
NOTICE = "notice"
"""A notice is sent as AppScope sends one: sourcetype metric, with the sentence as data."""
ID_CMD_CHARACTERS = 32
"""Characters of the command line's end in the id of an event."""
EVENT_CMD_CHARACTERS = 65_536
"""Characters of the command line in an event; it can have megabytes."""

_encode = Encoder().encode


class Lines:
    """Makes the lines of one session.

    Args:
        host: name of this machine.
        form: the format of metrics.
    """

    def __init__(self, host: str, form: MetricFormat) -> None:
        self._host = host
        self._form = form

    def start(self, config: Config, process: Process) -> bytes:
        """Return the first line of a connection, with its end (`start_message`)."""
        return _line(start_message(config, process, self._host, self._identity(process)))

    def event(self, event: Event, process: Process) -> bytes:
        """Return the line of an event, with its end."""
        body = event_body(self._record(event, process))
        for key in NOT_SENT:
            del body[key]
        if event.sourcetype == NOTICE:
            body |= {"sourcetype": "metric", "data": fields_of(event.data).get("message", "")}
        return _line(
            {
                "type": "evt",
                "id": self._identity(process),
                "_channel": str(event.channel) if event.channel else "none",
                "body": body,
            }
        )

    def metric(self, sample: Sample, process: Process) -> bytes:
        """Return the line of a metric, with its end; as StatsD it may be two."""
        record = MetricRecord(
            0,
            sample.time_ns,
            sample.name,
            sample.type,
            sample.unit,
            sample.value,
            sample.tags,
            self._host,
            process.proc,
            process.pid,
        )
        form = self._form
        if form.type == "statsd":
            lines = statsd_lines(record, form.statsdprefix, form.statsdmaxlen, form.verbosity)
            return b"".join(line + b"\n" for line in lines)
        return _line({"type": "metric", "body": metric_body(record, form.verbosity)})

    def _record(self, event: Event, process: Process) -> EventRecord:
        return EventRecord(
            id=0,
            time_ns=event.time_ns,
            sourcetype=event.sourcetype,
            source=event.source,
            host=self._host,
            proc=process.proc,
            cmd=process.cmd[:EVENT_CMD_CHARACTERS],
            pid=process.pid,
            tid=event.tid,
            uid=process.uid,
            gid=process.gid,
            username="",
            groupname="",
            channel=event.channel,
            data=fields_of(event.data),
            tags=process.tags,
        )

    def _identity(self, process: Process) -> str:
        return f"{self._host}-{process.proc}-{process.cmd[-ID_CMD_CHARACTERS:]}"


def _line(value: dict[str, Any]) -> bytes:
    try:
        return _encode(value) + b"\n"
    except UnicodeEncodeError:  # a lone surrogate: a name or a text that is no UTF-8
        return encode_json(value).encode() + b"\n"
