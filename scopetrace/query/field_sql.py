"""The names by which `--where` and `--sort` speak of an event, and the SQL behind each.

A name is a field of the event's body or of its data, with an underscore for a hyphen; one that the
event does not have is NULL. Text is given to SQL as valid UTF-8, since a function written in Python
can be given nothing else: a byte that is no UTF-8, stored as the surrogate U+DC80 to U+DCFF, is
there the private character U+F780 to U+F7FF. Expressions are translated likewise, so that such a
name can be compared.
"""

from __future__ import annotations

from scopetrace.db.schema import TIME
from scopetrace.errors import UsageError
from scopetrace.model.fields import FIELDS, NUMBERS, column

FROM = "event AS e LEFT JOIN process AS p ON p.id = e.process"
"""What the SQL of a name is about."""

_SURROGATES = {0xDC80 + offset: 0xF780 + offset for offset in range(128)}


def _readable(sql: str) -> str:
    """Return SQL for text without surrogates: ED B2 xx and ED B3 xx occur in no valid UTF-8."""
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
"""Name → SQL, over `FROM`. A body field comes before a data field of its name; none has one."""


def translate(text: str) -> str:
    """Return `text` with the bytes that are no UTF-8 as this module writes them."""
    return text.translate(_SURROGATES)


def unknown_name(name: str) -> UsageError:
    """Return the sentence for a name that is none of `NAMES`, with those that look like it."""
    from difflib import get_close_matches

    near = get_close_matches(name, NAMES, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return UsageError(f"no event has a field named {name}{hint}")
