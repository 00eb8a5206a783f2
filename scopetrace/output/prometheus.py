r"""Metrics in Prometheus's text format, version 0.0.4.

A counter is the sum over the whole session. Any other metric is a gauge with its last value, also
if that is a mean. Characters that Prometheus does not allow in names become `_`. If a counter and a
gauge then have the same name, the type is appended to the second, since a name can have one type
only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scopetrace.model.metric import MetricRecord
from scopetrace.output.escape import escape

NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9_:]")
NOT_IN_LABEL = re.compile(r"[^a-zA-Z0-9_]")

Labels = tuple[tuple[str, str], ...]


class Family:
    """All values of one name."""

    def __init__(self, kind: str, unit: str, names: str) -> None:
        self.kind = kind
        self.help = f"{names} ({unit})" if unit else names
        self.values: dict[Labels, float] = {}

    def add(self, record: MetricRecord) -> None:
        """Take one more value."""
        labels = _labels(record)
        before = self.values.get(labels, 0) if self.kind == "counter" else 0
        self.values[labels] = before + record.value


def exposition(records: Iterable[MetricRecord]) -> Iterator[str]:
    """Yield the lines for `records`."""
    families: dict[str, Family] = {}
    for record in records:
        kind = "counter" if record.type == "counter" else "gauge"
        name = _safe(NOT_IN_NAME, record.name)
        while name in families and families[name].kind != kind:
            name = f"{name}_{kind}"
        if name not in families:
            families[name] = Family(kind, record.unit, record.name)
        families[name].add(record)
    for name, family in families.items():
        yield from _lines(name, family)


def _lines(name: str, family: Family) -> Iterator[str]:
    yield f"# HELP {name} {_escaped(family.help)}"
    yield f"# TYPE {name} {family.kind}"
    for labels, value in family.values.items():
        pairs = ",".join(f'{label}="{text}"' for label, text in labels)
        yield f"{name}{{{pairs}}} {value}"


def _labels(record: MetricRecord) -> Labels:
    """Return labels, escaped; tags of the program and the user override our own."""
    known = {"proc": record.proc, "pid": record.pid, "host": record.host}
    found = {}
    for name, value in (known | record.tags).items():
        label = _safe(NOT_IN_LABEL, name)
        if label.startswith("__"):  # reserved by Prometheus
            label = f"tag{label}"
        found[label] = _escaped(str(value)).replace('"', '\\"')
    return tuple(found.items())


def _safe(unwanted: re.Pattern[str], name: str) -> str:
    safe = unwanted.sub("_", name)
    return f"_{safe}" if not safe or safe[0].isdigit() else safe


def _escaped(text: str) -> str:
    """Return text with backslashes and unprintable characters escaped."""
    return escape(text).replace("\\", "\\\\")
