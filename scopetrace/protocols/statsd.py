"""Lines of StatsD: `name:value|type|@rate|#tag:value,tag`, with the extensions of DogStatsD.

A name may have several values (`name:1:2|ms`). Sections that are neither a rate nor tags (a
container, a timestamp) are skipped, as are DogStatsD's events and service checks, which are no
metrics.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import NamedTuple

TYPES = {
    b"c": "counter",
    b"g": "gauge",
    b"ms": "timer",
    b"h": "histogram",
    b"d": "histogram",
    b"s": "set",
}

NO_METRICS = (b"_e{", b"_sc|")

_LINE = re.compile(rb"([^:|@\x00-\x1f\x7f]+):([^|\x00-\x1f\x7f]+)\|([a-z]{1,2})((?:\|[^|]*)*)")
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class Value(NamedTuple):
    """One value of one metric."""

    name: str
    type: str
    """counter, gauge, timer, histogram or set."""
    value: float
    """Of a counter, divided by the sample rate; of a set, a member that is a number."""
    tags: dict[str, str]
    relative: bool = False
    """Of a gauge: the value is to be added."""
    member: str = ""
    """Of a set: a member that is no number; the value is 1 then."""


def is_no_metric(line: bytes) -> bool:
    """Return whether a line is one of DogStatsD that holds something other than a metric."""
    return line.startswith(NO_METRICS)


def read_line(line: bytes) -> list[Value] | None:
    """Return the values of a line; None: it is malformed."""
    found = _LINE.fullmatch(line)
    if found is None or found[3] not in TYPES:
        return None
    try:
        rate, tags = _sections(found[4])
        kind = TYPES[found[3]]
        texts = [found[2]] if kind == "set" else found[2].split(b":")
        return [_value(_text(found[1]), kind, text, rate, tags) for text in texts]
    except ValueError:
        return None


def _value(name: str, kind: str, text: bytes, rate: float, tags: dict[str, str]) -> Value:
    if kind == "set" and _NUMBER.fullmatch(text) is None:
        return Value(name, kind, 1.0, tags, member=_text(text))
    value = _number(text)
    if kind == "counter":
        value /= rate
    relative = kind == "gauge" and text[:1] in (b"+", b"-")
    return Value(name, kind, _finite(value), tags, relative)


def _sections(text: bytes) -> tuple[float, dict[str, str]]:
    """Return the sample rate and the tags of what follows the type."""
    rate, tags = 1.0, {}
    for section in text.split(b"|")[1:]:
        if section[:1] == b"@":
            rate = _rate(section[1:])
        elif section[:1] == b"#":
            tags = _tags(section[1:])
    return rate, tags


def _rate(text: bytes) -> float:
    rate = _number(text)
    if not 0 < rate <= 1:
        raise ValueError("a rate is above 0 and at most 1")
    return rate


def _tags(text: bytes) -> dict[str, str]:
    """Return tags; one without a value has an empty one."""
    pairs = (_text(tag).partition(":") for tag in text.split(b",") if tag)
    return {name: value for name, _, value in pairs}


def _number(text: bytes) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("no number")
    return _finite(float(text))


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError("too large")
    return value


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
