r"""Metrics in Prometheus's text format, version 0.0.4.

A counter is the sum over the whole session, and its name ends in `_total`. Any other metric is a
gauge with its last value, also if that is a mean; if its name ends like those that Prometheus gives
to sums and counts, `_value` is appended. So no name has two types, which would be an error
(https://prometheus.io/docs/practices/naming; `promtool check metrics` reports both). Characters
that Prometheus does not allow in names become `_`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scopetrace.model.metric import MetricRecord
from scopetrace.output.escape import escape

NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9_:]")
NOT_IN_LABEL = re.compile(r"[^a-zA-Z0-9_]")
TOTAL = "_total"
OF_OTHER_TYPES = (TOTAL, "_sum", "_count", "_bucket", "_info", "_created")
"""Ends of names that say what a gauge is not."""

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
        name = _family_name(record.name, kind)
        if name not in families:
            families[name] = Family(kind, record.unit, record.name)
        families[name].add(record)
    for name, family in families.items():
        yield from _lines(name, family)


def _family_name(name: str, kind: str) -> str:
    safe = _safe(NOT_IN_NAME, name)
    if kind == "counter":
        return safe.removesuffix(TOTAL) + TOTAL
    return f"{safe}_value" if safe.endswith(OF_OTHER_TYPES) else safe


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
    r"""Return text on one line: a backslash as `\\`, a newline as `\n`.

    Other unprintable characters, which the format would allow, are shown as tables show them.
    """
    lines = (escape(line).replace("\\", "\\\\") for line in text.split("\n"))
    return "\\n".join(lines)
