"""The metrics of a session: filters as SQL, rows as records.

They are read a page at a time, so that no statement stays open between two pages. Files of version
1 have no table for metrics.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from scopetrace.db.schema import has_table
from scopetrace.errors import UsageError
from scopetrace.model.metric import METRICS, MetricRecord
from scopetrace.model.nearest import did_you_mean
from scopetrace.query.conditions import Condition, any_of, is_glob, of_processes
from scopetrace.query.recorded_config import config_section
from scopetrace.query.sql_functions import JsonDecoder

_PAGE = 500
"""Rows that are read at a time."""
_COLUMNS = (
    "m.id, m.time_ns, m.name, m.type, m.unit, m.value, m.tags, ifnull(p.proc, ''), ifnull(p.pid, 0)"
)
_FROM = "metric AS m LEFT JOIN process AS p ON p.id = m.process"


class MetricFilter(NamedTuple):
    """Which metrics to return; an empty tuple does not filter."""

    name: tuple[str, ...] = ()
    pid: tuple[int, ...] = ()
    proc: tuple[str, ...] = ()


def check_metrics(db: sqlite3.Connection, names: Sequence[str]) -> None:
    """Check that each name is that of a metric, or that the session has one that it matches.

    Raises:
        UsageError: one is unknown; the sentence has the nearest names.
    """
    for name in names:
        begun = name.endswith(".") and any(known.startswith(name) for known in METRICS)
        if not (name in METRICS or begun or is_glob(name) or _is_recorded(db, name)):
            raise UsageError(f"no metric is named {name}{did_you_mean(name, METRICS)}")


def _is_recorded(db: sqlite3.Connection, name: str) -> bool:
    if not has_table(db, "metric"):
        return False
    found = any_of("name", (name,))
    row = db.execute(f"SELECT EXISTS (SELECT 1 FROM metric WHERE {found.sql})", found.parameters)
    return bool(row.fetchone()[0])


def read_metrics(
    db: sqlite3.Connection, wanted: MetricFilter, host: str, last: int | None = None
) -> Iterator[MetricRecord]:
    """Yield the metrics that match and are recorded by now, in their order.

    Args:
        db: the session.
        wanted: the filter.
        host: the machine that it was recorded on.
        last: only so many, the last ones that match.
    """
    if not has_table(db, "metric"):
        return
    conditions = _conditions(wanted)
    upto = db.execute("SELECT max(id) FROM metric").fetchone()[0] or 0
    after = 0 if last is None else _before_last(db, conditions, upto, last)
    decode = JsonDecoder()
    while rows := _select(db, _COLUMNS, [*conditions, _between(after, upto)], f"ASC LIMIT {_PAGE}"):
        for number, time_ns, name, type, unit, value, tags, proc, pid in rows:
            tags = decode(tags)
            yield MetricRecord(number, time_ns, name, type, unit, value, tags, host, proc, pid)
        after = rows[-1][0]


def _before_last(db: sqlite3.Connection, conditions: list[Condition], upto: int, last: int) -> int:
    """Return the id after which there are `last` records."""
    if last == 0:
        return upto
    span = [*conditions, _between(0, upto)]
    found = _select(db, "m.id", span, f"DESC LIMIT 1 OFFSET {last - 1}")
    return found[0][0] - 1 if found else 0


def _select(
    db: sqlite3.Connection, columns: str, conditions: list[Condition], order: str
) -> list[tuple[Any, ...]]:
    where = " AND ".join(condition.sql for condition in conditions)
    parameters = [value for condition in conditions for value in condition.parameters]
    sql = f"SELECT {columns} FROM {_FROM} WHERE {where} ORDER BY m.id {order}"
    return db.execute(sql, parameters).fetchall()


def _between(after: int, upto: int) -> Condition:
    return Condition("m.id > ? AND m.id <= ?", (after, upto))


class MetricSettings(NamedTuple):
    """The settings of metrics in the configuration of a session."""

    enabled: bool
    """An entry of `custom` can disable them for some processes."""
    statsd_prefix: str
    statsd_most_bytes: int
    """Limit on the length of a StatsD line; 0: none."""


def read_settings(config: str) -> MetricSettings:
    """Return the settings in a configuration (YAML); a missing one is AppScope's default."""
    metric = config_section(config, "metric")
    form = metric.get("format")
    form = form if isinstance(form, dict) else {}
    return MetricSettings(
        bool(metric.get("enable", False)),
        str(form.get("statsdprefix") or ""),
        int(form.get("statsdmaxlen", 512)),
    )


def _conditions(wanted: MetricFilter) -> list[Condition]:
    found = []
    if wanted.name:
        found.append(any_of("m.name", wanted.name))
    return found + of_processes(wanted.pid, wanted.proc, "p.")
