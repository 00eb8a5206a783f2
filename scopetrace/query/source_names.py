"""Names of sources and fields as users write them: begun ones, and those that do not exist.

Sources of `file` are the paths that text was written to, and a program may send metrics of any
name. So a name that is unknown is a mistake only if it is no path, and nothing in the session
matches it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from scopetrace.db.text import encode_json
from scopetrace.errors import UsageError
from scopetrace.model.fields import FIELDS, SOURCES
from scopetrace.model.metric import METRICS
from scopetrace.model.nearest import did_you_mean
from scopetrace.query.conditions import any_of
from scopetrace.query.field_sql import NAMES, unknown_name
from scopetrace.query.records import process_columns

SOURCE_NAMES = (
    *(source.name for source in SOURCES if source.column == "source"),
    "stdout",
    "stderr",
)
SOURCETYPES = tuple(dict.fromkeys(source.sourcetype for source in SOURCES))
_WHOLE = frozenset((*SOURCE_NAMES, *METRICS))
_NO_NAME = frozenset("*?[/")


def as_prefix(source: str) -> str:
    """Return a glob for the beginning of a source's name (`http`, `fs.op`); else what it is."""
    if source in _WHOLE or not source or source.endswith(".") or _NO_NAME & set(source):
        return source
    return f"{source}*"


def check_sources(
    db: sqlite3.Connection, sources: Sequence[str], sourcetypes: Sequence[str]
) -> None:
    """Check that each name is known, or that the session has something that matches it.

    Raises:
        UsageError: one is unknown; the sentence has the nearest names.
    """
    for name in sources:
        pattern = as_prefix(name)
        if not _may_be(pattern, SOURCE_NAMES) and not _is_in(db, "source", pattern):
            hint = f"; it is a source type: -t {name}" if name in SOURCETYPES else ""
            raise UsageError(f"no source is named {name}{hint or did_you_mean(name, SOURCE_NAMES)}")
    for name in sourcetypes:
        known = name in SOURCETYPES or name.endswith(".") or bool(_NO_NAME & set(name))
        if not known and not _is_in(db, "sourcetype", name):
            hint = f"; it is a source: -s {name}" if name in SOURCE_NAMES else ""
            raise UsageError(
                f"no source type is named {name}{hint or did_you_mean(name, SOURCETYPES)}"
            )


def check_fields(db: sqlite3.Connection, names: Sequence[str]) -> None:
    """Check that each name is one of a field, a selected header or a tag.

    Raises:
        UsageError: one is not; the sentence has the nearest names.
    """
    for name in names:
        if name not in NAMES and name not in FIELDS and not _is_header_or_tag(db, name):
            raise unknown_name(name)


def _is_header_or_tag(db: sqlite3.Connection, name: str) -> bool:
    key = encode_json(name)
    row = db.execute(
        f"SELECT EXISTS (SELECT {process_columns(db, ('tags',))} FROM process WHERE instr(tags, ?))"
        " OR EXISTS (SELECT 1 FROM event WHERE sourcetype = 'http' AND instr(data, ?))",
        (f"{key}:", f"{key}:"),
    )
    return bool(row.fetchone()[0])


def _may_be(pattern: str, known: Sequence[str]) -> bool:
    """Return whether a pattern is a path or a glob of its own, or one of `known` matches it."""
    begun = pattern.removesuffix("*").removesuffix(".")
    return bool(_NO_NAME & set(begun)) or any(name.startswith(begun) for name in known)


def _is_in(db: sqlite3.Connection, column: str, pattern: str) -> bool:
    found = any_of(column, (pattern,))
    row = db.execute(f"SELECT EXISTS (SELECT 1 FROM event WHERE {found.sql})", found.parameters)
    return bool(row.fetchone()[0])
