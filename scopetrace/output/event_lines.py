"""One event as one line: `[12] Nov 23 12:10:57.123 proc[pid] sourcetype source key:value…`.

A row of FIELDS lists the keys of a source in their order; a source without a row shows all keys,
sorted. Text that was written (console, file) is shown a line of it to a line.

On a terminal a line fits the width, and what matters comes first:

1. What is zero is left out, and numbers have units: `1.2 MiB`, `50.1 s`.
2. Below SHORT_BELOW columns date, source type, and the name of what matters (the path, the message)
   are left out.
3. Words that do not fit stand in indented lines below. A message or a command line is cut to such a
   line; a path that is wider stays whole, so that it can be copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from scopetrace.model.event import EventRecord
from scopetrace.model.fields import UNITS
from scopetrace.output.answers import shorten_middle
from scopetrace.output.color import Color, paint
from scopetrace.output.escape import escape, escape_message
from scopetrace.output.event_times import EventTimes, Waits
from scopetrace.output.units import format_quantity
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
TYPE_COLORS: dict[str, Color] = {
    "console": "bright green",
    "fs": "bright cyan",
    "http": "bright blue",
    "net": "bright red",
}
OTHER_TYPES: Color = "bright yellow"
TEXT_TYPES = frozenset(("console", "file"))
"""Source types whose message is text as it was written."""
MAIN = ("message", "file")
"""What matters most in a line that has it."""
CUT = frozenset(("message", "args"))
"""Texts that are cut to a line."""
SHORT_BELOW = 120
"""Columns of a terminal below which lines are short."""
SOURCE_SHARE = 3
"""A path that was written to may take one in so many columns of a short line."""
INDENT = " " * 4
MIN_MESSAGE_WIDTH = 20
"""A message is not cut to fewer columns, even if the line is then wider than the terminal."""


class _Word(NamedTuple):
    plain: str
    painted: str


class LineFormat:
    """Formats events as lines.

    Args:
        color: colour the words by their kind.
        columns: of the terminal, to which a line is fitted; None: it is none.
        fields: show these fields of the data or the body, in this order, instead of those in
            FIELDS.
        all_fields: append the other keys as `[[key:value …]]`.
        times: how times are shown.
        waits: put a line before an event that came late.
        match: of text, show only the lines that contain any of these, unless none does.
    """

    def __init__(
        self,
        *,
        color: bool = False,
        columns: int | None = None,
        fields: Sequence[str] = (),
        all_fields: bool = False,
        times: EventTimes | None = None,
        waits: Waits | None = None,
        match: Sequence[str] = (),
    ) -> None:
        self._match = tuple(match)
        self._color = color
        self._columns = columns
        self._fields = tuple(fields)
        self._all_fields = all_fields
        self._times = times or EventTimes()
        self._waits = waits
        self._short = columns is not None and columns < SHORT_BELOW

    def format(self, record: EventRecord) -> str:
        """Return the rows of `record` as one text."""
        return "\n".join(self.rows(record))

    def rows(self, record: EventRecord) -> list[str]:
        """Return one row for an event, for text one for each line; without a newline at the end.

        A row is several lines where it is wrapped, or follows a wait.
        """
        head = self._head(record)
        rows = [self._row(record, head, data) for data in self._texts(record)]
        wait = self._wait(record)
        return [f"{wait}\n{rows[0]}", *rows[1:]] if wait else rows

    def fields(self, record: EventRecord) -> str:
        """Return what a row has behind its head, uncut, for a table that has the rest."""
        values = self._chosen(record, record.data)
        shown = {key: self._show(record, key, value) for key, value in values.items()}
        return " ".join(word.plain for word in self._pairs(shown))

    def _texts(self, record: EventRecord) -> list[dict[str, Any]]:
        texts = list(_texts(record))
        if len(texts) == 1 or any(text in record.source for text in self._match):
            return texts
        found = [data for data in texts if any(text in data["message"] for text in self._match)]
        return found or texts

    def _wait(self, record: EventRecord) -> str:
        if self._waits is None:
            return ""
        name = f"{escape(record.proc)}[{record.pid}]"
        wait = self._waits.before(record.time_ns, record.pid, name)
        return paint(wait, "grey") if wait and self._color else wait

    def _row(self, record: EventRecord, head: Sequence[_Word], data: dict[str, Any]) -> str:
        values = self._chosen(record, data)
        shown = {key: self._show(record, key, value) for key, value in values.items()}
        hidden = {}
        if self._all_fields:
            hidden = {
                key: self._show(record, key, data[key]) for key in sorted(data.keys() - shown)
            }
        if self._columns is not None:
            for key in CUT & shown.keys():
                label = 0 if self._is_bare(key) else len(f"{key}:")
                shown[key] = _cut(shown[key], self._columns - len(INDENT) - label)
        words = [*head, *self._pairs(shown), *self._bracketed(hidden)]
        if self._columns is None:
            return " ".join(word.painted for word in words)
        return "\n".join(_wrapped(words, self._columns))

    def _chosen(self, record: EventRecord, data: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown, with what the body has only if it is asked for."""
        if self._fields:
            values = ((key, record._replace(data=data).value(key)) for key in self._fields)
            return {key: value for key, value in values if value is not None}
        keys: Sequence[str] = _fields_of(record) or sorted(data)
        if self._columns is not None:
            keys = [key for key in keys if not _is_nothing(record, key, data.get(key))]
        keys = sorted(keys, key=lambda key: key not in MAIN) if self._short else keys
        return {key: data[key] for key in keys if key in data}

    def _head(self, record: EventRecord) -> list[_Word]:
        stamp = self._times.format(record.time_ns, self._short)
        sourcetype = TYPE_COLORS.get(record.sourcetype, OTHER_TYPES)
        source = escape(record.source)
        if self._short and record.sourcetype in TEXT_TYPES and self._columns is not None:
            source = shorten_middle(source, self._columns // SOURCE_SHARE)
        words: list[tuple[str, Color | None]] = [
            (f"[{record.id}]", "blue"),
            (stamp, None),
            (quote(f"{escape(record.proc)}[{record.pid}]"), "bright magenta"),
            (escape(record.sourcetype), sourcetype),
            (quote(source), sourcetype if self._short else "grey"),
        ]
        if self._short:
            del words[3]
        return [self._word(text, color) for text, color in words]

    def _word(self, text: str, color: Color | None) -> _Word:
        return _Word(text, paint(text, color) if color and self._color else text)

    def _pairs(self, shown: dict[str, str]) -> Iterator[_Word]:
        for key, value in shown.items():
            if self._is_bare(key):
                yield _Word(value, value)
                continue
            name = escape(key)
            painted = paint(name, "green") if self._color else name
            yield _Word(f"{name}:{value}", f"{painted}:{value}")

    def _is_bare(self, key: str) -> bool:
        return self._short and not self._fields and key in MAIN

    def _bracketed(self, hidden: dict[str, str]) -> list[_Word]:
        words = list(self._pairs(hidden))
        if words:
            words[0] = _Word(*(f"[[{text}" for text in words[0]))
            words[-1] = _Word(*(f"{text}]]" for text in words[-1]))
        return words

    def _show(self, record: EventRecord, key: str, value: Any) -> str:
        if key == "message" and isinstance(value, str):
            return quote(escape_message(value))
        unit = UNITS.get((_described(record), key))
        if self._columns is not None and unit and isinstance(value, int | float):
            return format_quantity(value, unit)
        return quote(show_value(value))


def _cut(message: str, room: int) -> str:
    """Cut a text to `room` columns, or MIN_MESSAGE_WIDTH; it keeps its closing quote."""
    room = max(room, MIN_MESSAGE_WIDTH)
    if display_width(message) <= room:
        return message
    end = '"' if message.startswith('"') else ""
    return shorten(message.removesuffix(end), room - len(end)) + end


def _wrapped(words: Sequence[_Word], columns: int) -> Iterator[str]:
    """Yield the lines that words fill; all but the first are indented."""
    line, used = "", 0
    for plain, painted in words:
        width = display_width(plain)
        if used and used + 1 + width > columns:
            yield line
            line, used = INDENT + painted, len(INDENT) + width
        else:
            line, used = (f"{line} {painted}", used + 1 + width) if used else (painted, width)
    yield line


def _texts(record: EventRecord) -> Iterator[dict[str, Any]]:
    """Yield the data of an event: for text one for each line; other keys are with the last."""
    message = record.data.get("message")
    if record.sourcetype not in TEXT_TYPES or not isinstance(message, str):
        yield record.data
        return
    lines = message.removesuffix("\n").split("\n")
    yield from ({"message": line} for line in lines[:-1])
    yield {**record.data, "message": lines[-1]}


def _described(record: EventRecord) -> str:
    """Return under which name the table of fields has an event."""
    return record.sourcetype if record.sourcetype in ("metric", *TEXT_TYPES) else record.source


def _is_nothing(record: EventRecord, key: str, value: Any) -> bool:
    """Return whether a field says that there was none: a quantity of zero, or false."""
    if record.sourcetype == "metric":
        return False
    return value is False or (value == 0 and (_described(record), key) in UNITS)


def _fields_of(record: EventRecord) -> tuple[str, ...]:
    """Return the row of FIELDS; none for a metric event, which may have the name of a source."""
    return () if record.sourcetype == "metric" else FIELDS.get(record.source, ())
