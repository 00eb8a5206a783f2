"""One event as one line: `[12] Nov 23 12:10:57 proc sourcetype source key:value key:value`.

A row of FIELDS lists the keys of a source in their order; a source without a row shows all keys,
sorted. Only `message` is cut to the width of the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scopetrace.model.event import EventRecord
from scopetrace.output.color import paint
from scopetrace.output.escape import escape, escape_message
from scopetrace.output.units import format_stamp
from scopetrace.output.values import quote, show_value
from scopetrace.output.width import display_width, shorten

FIELDS: dict[str, tuple[str, ...]] = {
    "fs.open": ("file",),
    "fs.close": (
        "file",
        "file_read_bytes",
        "file_read_ops",
        "file_write_bytes",
        "file_write_ops",
    ),
    "fs.error": ("op", "file", "file_new", "error"),
    "proc.start": ("exe", "args", "cwd"),
    "proc.exit": ("exit_code", "signal", "core_dumped", "duration"),
    "net.open": (
        "net_peer_name",
        "net_peer_ip",
        "net_peer_port",
        "net_host_ip",
        "net_host_port",
        "unix_peer_path",
        "unix_local_path",
        "net_transport",
        "role",
    ),
    "net.close": (
        "net_peer_ip",
        "net_peer_port",
        "unix_peer_path",
        "unix_local_path",
        "net_bytes_sent",
        "net_bytes_recv",
        "duration",
        "net_close_reason",
        "net_protocol",
    ),
    "net.error": (
        "op",
        "error",
        "net_peer_name",
        "net_peer_ip",
        "net_peer_port",
        "unix_peer_path",
        "net_host_ip",
        "net_host_port",
    ),
    "http.req": (
        "http_host",
        "http_method",
        "http_request_content_length",
        "http_scheme",
        "http_target",
    ),
    "http.resp": (
        "http_host",
        "http_method",
        "http_scheme",
        "http_target",
        "http_response_content_length",
        "http_status_code",
    ),
    "dns.req": ("domain", "type"),
    "dns.resp": ("domain", "type", "rcode", "addrs", "duration"),
    "dns.error": ("domain", "type", "error"),
    "notice": ("message", "count"),
}
TYPE_COLORS = {
    "console": "bright green",
    "fs": "bright cyan",
    "http": "bright blue",
    "net": "bright red",
}
OTHER_TYPES = "bright yellow"
MIN_MESSAGE_WIDTH = 20
"""A message is not cut to fewer columns, even if the line is then wider than the terminal."""


class LineFormat:
    """Formats events as lines.

    Args:
        color: colour the words by their kind.
        columns: cut messages so that a line fits into this width; None: do not cut.
        fields: show these fields of the data or the body, in this order, instead of those in
            FIELDS.
        all_fields: append the other keys as `[[key:value …]]`.
    """

    def __init__(
        self,
        *,
        color: bool = False,
        columns: int | None = None,
        fields: Sequence[str] = (),
        all_fields: bool = False,
    ) -> None:
        self._color = color
        self._columns = columns
        self._fields = tuple(fields)
        self._all_fields = all_fields
        self._second = -1
        self._stamp = ""

    def format(self, record: EventRecord) -> str:
        """Return the line of `record`, without a newline."""
        head = self._head(record)
        shown = dict(self._chosen(record))
        hidden = self._hidden(record.data, shown) if self._all_fields else {}
        if self._columns is not None and "message" in shown:
            self._cut_message(head, shown, hidden)
        words = [self._paint_head(record, word, i) for i, word in enumerate(head)]
        words += self._pairs(shown)
        if hidden:
            words.append(f"[[{' '.join(self._pairs(hidden))}]]")
        return " ".join(words)

    def _chosen(self, record: EventRecord) -> Iterator[tuple[str, str]]:
        """Yield the fields that are shown, those of the body only if they are asked for."""
        if self._fields:
            values = ((key, record.value(key)) for key in self._fields)
            yield from ((key, _show(key, value)) for key, value in values if value is not None)
            return
        for key in _fields_of(record) or sorted(record.data):
            if key in record.data:
                yield key, _show(key, record.data[key])

    def _head(self, record: EventRecord) -> tuple[str, ...]:
        second = record.time_ns // 1_000_000_000
        if second != self._second:
            self._second, self._stamp = second, format_stamp(second)
        return (
            f"[{record.id}]",
            self._stamp,
            quote(escape(record.proc)),
            escape(record.sourcetype),
            quote(escape(record.source)),
        )

    def _paint_head(self, record: EventRecord, word: str, place: int) -> str:
        if not self._color:
            return word
        sourcetype = TYPE_COLORS.get(record.sourcetype, OTHER_TYPES)
        color = ("blue", None, "bright magenta", sourcetype, "grey")[place]
        return paint(word, color) if color else word

    def _pairs(self, shown: dict[str, str]) -> Iterable[str]:
        for key, value in shown.items():
            key = escape(key)
            yield f"{paint(key, 'green') if self._color else key}:{value}"

    @staticmethod
    def _hidden(data: dict[str, Any], shown: dict[str, str]) -> dict[str, str]:
        return {key: _show(key, data[key]) for key in sorted(data) if key not in shown}

    def _cut_message(
        self, head: Sequence[str], shown: dict[str, str], hidden: dict[str, str]
    ) -> None:
        pairs = [f"{key}:{value}" for key, value in (shown | hidden).items() if key != "message"]
        others = display_width(" ".join((*head, *pairs, "message:")))
        if hidden:
            others += len("[[]]")
        assert self._columns is not None
        room = max(self._columns - others, MIN_MESSAGE_WIDTH)
        message = shown["message"]
        if display_width(message) > room:
            end = '"' if message.startswith('"') else ""
            shown["message"] = shorten(message.removesuffix(end), room - len(end)) + end


def _show(key: str, value: Any) -> str:
    if key == "message" and isinstance(value, str):
        return quote(escape_message(value))
    return quote(show_value(value))


def _fields_of(record: EventRecord) -> tuple[str, ...]:
    """Return the row of FIELDS; none for a metric event, which may have the name of a source."""
    return () if record.sourcetype == "metric" else FIELDS.get(record.source, ())
