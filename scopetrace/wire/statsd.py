"""Metrics as StatsD lines, with tags after `#` as in DogStatsD.

A histogram of times of ours is sent as a timer in ms (`ms`): servers make the same of both, and
those that follow the original protocol (https://github.com/statsd/statsd, docs/metric_types.md)
take `h` for a counter. A histogram that the program itself sent stays what it was.

A line that is too long loses whole tags from its end, never its name or value. A gauge below 0
takes two lines: in StatsD a signed value is a change, so the gauge is set to 0 first.
"""

from __future__ import annotations

import re

from scopetrace.model.metric import MEMBER, MOST_VERBOSE, MetricRecord

TYPE_LETTERS = {"counter": "c", "gauge": "g", "timer": "ms", "histogram": "h", "set": "s"}
DIGITS = 2
"""Decimals of a value that is no whole number, as AppScope has them."""
DIGITS_OF_MICROSECONDS = 3
IN_NAME = re.compile(r"[\s:|@#,]")
IN_TAG = re.compile(r"[\x00-\x20\x7f|,]")
"""Characters that would end a name or a tag."""


def statsd_lines(
    record: MetricRecord, prefix: str = "", most_bytes: int = 0, verbosity: int = MOST_VERBOSE
) -> list[bytes]:
    """Return the lines for a value, without line ends.

    Args:
        record: the value.
        prefix: is put before the name, unchanged.
        most_bytes: limit on the length of a line; 0: none.
        verbosity: a low one leaves out host, process and pid.
    """
    digits = DIGITS
    if record.type == "histogram" and record.unit == "microsecond":
        record, digits = _as_timer(record), DIGITS_OF_MICROSECONDS
    values = [_value(record, digits)]
    if record.type == "gauge" and record.value < 0:
        values.insert(0, "0")
    tags = _tags(record, verbosity)
    return [_line(record, prefix, value, tags, most_bytes) for value in values]


def _as_timer(record: MetricRecord) -> MetricRecord:
    """Return a histogram in µs as a timer in ms."""
    return record._replace(type="timer", unit="millisecond", value=record.value / 1000)


def _line(
    record: MetricRecord, prefix: str, value: str, tags: list[bytes], most_bytes: int
) -> bytes:
    name = prefix + IN_NAME.sub("_", record.name)
    letter = TYPE_LETTERS.get(record.type, "g")
    line = f"{name}:{value}|{letter}".encode("utf-8", "backslashreplace")
    separator = b"|#"
    for tag in tags:
        longer = line + separator + tag
        if most_bytes and len(longer) > most_bytes:
            break
        line, separator = longer, b","
    return line


def _tags(record: MetricRecord, verbosity: int) -> list[bytes]:
    """Return `name:value` of each tag; host, process and pid are first."""
    tags = record.known(verbosity) | record.tags
    if record.type == "set":
        tags.pop(MEMBER, None)
    return [_tag(name, value) for name, value in tags.items()]


def _tag(name: str, value: object) -> bytes:
    texts = (IN_NAME.sub("_", name), IN_TAG.sub(_percent, str(value)))
    return ":".join(texts).encode("utf-8", "backslashreplace")


def _percent(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


def _value(record: MetricRecord, digits: int) -> str:
    """Return a number, or the member of a set."""
    if record.type == "set" and MEMBER in record.tags:
        return IN_TAG.sub(_percent, str(record.tags[MEMBER]))
    return str(record.value) if isinstance(record.value, int) else f"{record.value:.{digits}f}"
