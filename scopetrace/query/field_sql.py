"""The fields of an event that `--where` and `--sort` know, and the SQL of each.

A field is one of the event's body or of its data, with an underscore for a hyphen; NULL if the
event has not got it. `duration_ms` and `duration_us` are `duration`, whose unit differs from source
to source, in one unit.

sqlite3 passes only valid UTF-8 to functions written in Python. So a byte that is no UTF-8, stored
as the surrogate U+DC80 to U+DCFF, is the private-use character U+F780 to U+F7FF in these texts, and
`translate` does the same to expressions, so that they can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator

from scopetrace.db.schema import TIME, duration_columns
from scopetrace.errors import UsageError
from scopetrace.model.fields import FIELDS, NUMBERS, SOURCES, column
from scopetrace.model.nearest import no_field

FROM = "event AS e LEFT JOIN process AS p ON p.id = e.process"
"""The tables that the SQL of a field refers to."""

FIELD = "json_field("
"""How a field of the data is read, if the connection has this function (ext/sql_functions.h)…"""
JSON = "json_extract("
"""…and else. Both say the same."""

_SURROGATES = {0xDC80 + offset: 0xF780 + offset for offset in range(128)}


def _readable(sql: str) -> str:
    """Return SQL that replaces surrogates; ED B2 xx and ED B3 xx do not occur in valid UTF-8."""
    return f"replace(replace({sql}, x'edb2', x'ef9e'), x'edb3', x'ef9f')"


def _duration_cases(name: str) -> Iterator[str]:
    for source in SOURCES:
        sql = duration_columns(source, "e.data").get(name)
        if sql is not None:
            yield f"WHEN '{source.name}' THEN {sql.replace(JSON, FIELD)}"


DURATIONS = {
    name: f"coalesce({FIELD}e.data, '$.{name}'),"
    f" CASE e.source {' '.join(_duration_cases(name))} END)"
    for name in ("duration_ms", "duration_us")
}
"""`duration` in one unit, whatever the unit in the source."""

_TEXTS = {
    "source": "e.source",
    "host": "(SELECT host FROM session)",
    "proc": "p.proc",
    "cmd": "p.cmd",
    "username": "p.username",
    "groupname": "p.groupname",
}
VALUES = {
    "id": "e.id",
    "time": TIME,
    "_time": "e.time_ns / 1e9",
    "time_ns": "e.time_ns",
    "sourcetype": "e.sourcetype",
    **_TEXTS,
    "pid": "p.pid",
    "tid": "e.tid",
    "uid": "p.uid",
    "gid": "p.gid",
    "channel": "e.channel",
    "data": "e.data",
    **{column(field): f"{FIELD}e.data, '$.{field}')" for field in FIELDS},
    **DURATIONS,
}
"""Name of a field → the SQL of its value, over `FROM`.

No field of the data has the name of one of the body.
"""
_READABLE = _TEXTS.keys() | {column(field) for field in FIELDS if field not in NUMBERS}
NAMES = {name: _readable(sql) if name in _READABLE else sql for name, sql in VALUES.items()}
"""The same, with the surrogates of texts replaced, for expressions."""


def translate(text: str) -> str:
    """Return `text` with surrogates replaced by private-use characters."""
    return text.translate(_SURROGATES)


def unknown_name(name: str) -> UsageError:
    """Return the error for an unknown field, with names that are similar."""
    return UsageError(no_field("event", name, NAMES))


def check_summable(name: str) -> None:
    """Check that a field can be summed up: it is a number, and of one unit in all events.

    Raises:
        UsageError: it cannot; the sentence says what can.
    """
    if name not in NAMES:
        raise unknown_name(name)
    if name == "duration":
        raise UsageError("duration has another unit in each source: sum up duration_us")
    if name not in {column(field) for field in NUMBERS} | DURATIONS.keys():
        raise UsageError(f"{name} is no number to sum up")
