"""The fields of an event that `--where` and `--sort` know, and the SQL of each.

A field is one of the event's body or of its data, with an underscore for a hyphen; NULL if the
event has not got it. sqlite3 passes only valid UTF-8 to functions written in Python. So a byte that
is no UTF-8, stored as the surrogate U+DC80 to U+DCFF, is the private-use character U+F780 to U+F7FF
in these texts, and `translate` does the same to expressions, so that they can be compared.
"""

from __future__ import annotations

from scopetrace.db.schema import TIME
from scopetrace.errors import UsageError
from scopetrace.model.fields import FIELDS, NUMBERS, column

FROM = "event AS e LEFT JOIN process AS p ON p.id = e.process"
"""The tables that the SQL of a field refers to."""

_SURROGATES = {0xDC80 + offset: 0xF780 + offset for offset in range(128)}


def _readable(sql: str) -> str:
    """Return SQL that replaces surrogates; ED B2 xx and ED B3 xx do not occur in valid UTF-8."""
    return f"replace(replace({sql}, x'edb2', x'ef9e'), x'edb3', x'ef9f')"


def _data_sql(field: str) -> str:
    sql = f"json_extract(e.data, '$.{field}')"
    return sql if field in NUMBERS else _readable(sql)


NAMES = {
    "id": "e.id",
    "time": TIME,
    "_time": "e.time_ns / 1e9",
    "time_ns": "e.time_ns",
    "sourcetype": "e.sourcetype",
    "source": _readable("e.source"),
    "host": _readable("(SELECT host FROM session)"),
    "proc": _readable("p.proc"),
    "cmd": _readable("p.cmd"),
    "pid": "p.pid",
    "tid": "e.tid",
    "uid": "p.uid",
    "gid": "p.gid",
    "username": _readable("p.username"),
    "groupname": _readable("p.groupname"),
    "channel": "e.channel",
    "data": "e.data",
    **{column(field): _data_sql(field) for field in FIELDS},
}
"""Name of a field → its SQL, over `FROM`. No field of the data has the name of one of the body."""


def translate(text: str) -> str:
    """Return `text` with surrogates replaced by private-use characters."""
    return text.translate(_SURROGATES)


def unknown_name(name: str) -> UsageError:
    """Return the error for an unknown field, with names that are similar."""
    from difflib import get_close_matches

    near = get_close_matches(name, NAMES, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return UsageError(f"no event has a field named {name}{hint}")
