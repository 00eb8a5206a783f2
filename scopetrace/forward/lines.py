"""One event or one value of a metric as the line that is sent, in AppScope's envelope.

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
from scopetrace.model.metric import MetricRecord, Sample
from scopetrace.model.process import Process
from scopetrace.wire.ndjson import event_body, metric_body
from scopetrace.wire.statsd import statsd_lines

NOT_SENT = ("id", "uid", "gid", "username", "groupname", "args")
"""Keys of a body that AppScope does not send."""
NOTICE = "notice"
"""What AppScope sends as a metric whose data is the sentence alone."""
CMD_LETTERS = 32
"""So much of the command line is in an id."""

CMD_SENT = 65536
"""And so much of it in each event, which would be megabytes otherwise."""

_encode = Encoder().encode


class Lines:
    """Makes the lines of one session.

    Args:
        host: name of this machine.
        form: how metrics look.
    """

    def __init__(self, host: str, form: MetricFormat) -> None:
        self._host = host
        self._form = form

    def start(self, config: Config, process: Process) -> bytes:
        """Return the line that comes before all others, with its end."""
        return _line(start_message(config, process, self._host, self._identity(process)))

    def event(self, event: Event, process: Process) -> bytes:
        """Return the line of an event, with its end."""
        body = event_body(
            EventRecord(
                0, event.time_ns, event.sourcetype, event.source, self._host, process.proc,
                process.cmd[:CMD_SENT], process.pid, event.tid, process.uid, process.gid, "", "",
                event.channel, event.data, tags=process.tags,
            )
        )  # fmt: skip
        for key in NOT_SENT:
            del body[key]
        if event.sourcetype == NOTICE:
            body |= {"sourcetype": "metric", "data": event.data.get("message", "")}
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
            0, sample.time_ns, sample.name, sample.type, sample.unit, sample.value, sample.tags,
            self._host, process.proc, process.pid,
        )  # fmt: skip
        form = self._form
        if form.type == "statsd":
            lines = statsd_lines(record, form.statsdprefix, form.statsdmaxlen, form.verbosity)
            return b"".join(line + b"\n" for line in lines)
        return _line({"type": "metric", "body": metric_body(record, form.verbosity)})

    def _identity(self, process: Process) -> str:
        return f"{self._host}-{process.proc}-{process.cmd[-CMD_LETTERS:]}"


def _line(value: dict[str, Any]) -> bytes:
    try:
        return _encode(value) + b"\n"
    except UnicodeEncodeError:  # a lone surrogate: a name or a text that is no UTF-8
        return encode_json(value).encode() + b"\n"
