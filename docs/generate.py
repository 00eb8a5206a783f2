"""Write the documents that are made from the code: docs/events.md and docs/sql.md (`make docs`)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from scopetrace.db import schema
from scopetrace.model.fields import BODY, ENDS, ENHANCED, MESSAGE, RECORDS, SOURCES, Field, Source
from scopetrace.model.metric import METRICS

DOCS = Path(__file__).resolve().parent

GROUPS = {"ends": ENDS, "enhancefs": ENHANCED, "text": MESSAGE}
"""Fields that many events have: described once, under a heading of that name."""
TITLES = {
    "ends": "Between whom a connection is",
    "enhancefs": "Owner and permissions",
    "text": "Text",
}

EVENTS = """\
# Events

What a session holds, and what `scopetrace events -j` prints and `run -e` sends. This page is made
from `scopetrace/model/fields.py` by `make docs`; do not edit it. `scopetrace fields` prints the
same. [sql.md](sql.md) describes the session file.

A field that is not known or does not apply is left out. Paths and text that are no UTF-8 hold their
bytes as lone surrogates (`\\udce9` in JSON, `\\xe9` in tables). In SQL, `--where` and `--sort` a
hyphen of a name is an underscore: `x_appscope`.

Further down: [which events there are](#the-events), [metrics](#metrics), what
[flows](#flows--j), [files](#files--j) and [metrics](#metrics--j) print, and
[what differs from AppScope](#compared-with-appscope).

## Every event

{body}

In JSON the `data` of `fs.*` also repeats proc, pid and host, and that of metrics proc and pid, as
AppScope's does. All events of one open file, and all of one connection with its payload, share the
column `channel` of the session file: the time at which it was opened. `events -j` has the id once
more, as the text `Id`, for scripts that were written for AppScope.
"""

APPSCOPE = """\
## Compared with AppScope

What is sent is in AppScope's envelope. The start message, notices (sent as a metric whose data is
the sentence alone) and single values of fs.read and fs.write (of type histogram there) hold against
AppScope's published JSON schemas, but for the op `getdents64` of an fs.read, which lists a folder.
Elsewhere those schemas allow less than happens:

- An op is the system call, so also `openat2`, `dup2`, `sendfile`.
- A file that ends with its process has an fs.close of op `exit`.
- `net_close_reason` may be `reset`, and `net_protocol` any protocol that was recognised.
- There are more fields and more events. Tags stand in the body, as in AppScope.
"""

SQL = """\
# The session file in SQL

Each session is one SQLite file; `scopetrace history -d -n 1` prints the path of the last one. This
page is made from `scopetrace/db/schema.py` and `scopetrace/model/fields.py` by `make docs`; do
not edit it. The version of the schema is {version} (`PRAGMA user_version`).

    sqlite3 "$(scopetrace history -n 1 -d)" 'SELECT file, count(*) FROM fs_open GROUP BY file'

## Tables

{tables}
## Views

The views join each row with its process. Their columns have the type and meaning that they have in
the tables; `time` is `time_ns` as text: ISO 8601, UTC, to the microsecond.

| view | rows | columns |
|---|---|---|
{joined}

There is a view for each kind of event as well; [events.md](events.md) describes the fields. A text
field is TEXT, an integer or boolean INTEGER (true is 1), a number REAL, a list TEXT (JSON). A field
that an event does not have is NULL, and text ends at a NUL character (`data` has all of it).
*ends* stands for the columns {ends}.

The unit of `duration` differs from source to source, as in AppScope; `duration_ms` [ms] and
`duration_us` [µs] say the same in one unit, also in `--where`, `--sort` and `--sum`.

| view | columns |
|---|---|
{views}
"""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(escaped, line))} |" for line in lines)


def escaped(cell: str) -> str:
    """Return text as a cell of a table holds it."""
    return cell.replace("|", "\\|")


def field_table(fields: Iterable[Field]) -> str:
    """Return the table that describes fields."""
    rows = [(f"`{field.name}`", field.type, field.unit, field.meaning) for field in fields]
    return table(("field", "type", "unit", "meaning"), rows)


def anchor(title: str) -> str:
    """Return what a link to a heading ends in (GitHub's rule, for plain words)."""
    return title.lower().replace(" ", "-").replace(".", "")


def event_section(source: Source) -> Iterator[str]:
    """Yield the lines that describe the events of one source."""
    shared = [name for name, group in GROUPS.items() if group[0] in source.fields]
    common = [field for name in shared for field in GROUPS[name]]
    own = [field for field in source.fields if field not in common]
    yield f"### {source.name}\n"
    yield f"Source type `{source.sourcetype}`, view `{source.view}`. {source.meaning}\n"
    if own:
        yield field_table(own) + "\n"
    links = [f"[{TITLES[name].lower()}](#{anchor(TITLES[name])})" for name in shared]
    if links:
        yield f"{'And' if own else 'Fields'}: {', '.join(links)}.\n"


def events_page() -> str:
    """Return docs/events.md."""
    parts = [EVENTS.format(body=field_table(BODY))]
    for name, group in GROUPS.items():
        parts.append(f"## {TITLES[name]}\n\n{field_table(group)}\n")
    parts.append("## The events\n")
    for source in SOURCES:
        parts += event_section(source)
    rows = [
        (f"`{name}`", metric.kind, metric.type, metric.unit, " ".join(metric.tags))
        for name, metric in METRICS.items()
    ]
    heads = ("metric", "type in scope.yml", "type", "unit", "tags")
    for record in RECORDS[1:]:
        parts.append(f"## {record.name} -j\n\n{record.meaning}\n\n{field_table(record.fields)}\n")
    parts.append(f"## Metrics\n\nMade of the same operations as events.\n\n{table(heads, rows)}\n")
    parts.append(APPSCOPE)
    return "\n".join(parts)


COMMENT = re.compile(
    r"(?:^CREATE TABLE |^\s+|, )(\w+) [^,\n]*?,? *(?:-- (.*)|/\* (.*?) \*/)", re.MULTILINE
)
"""A table or a column in the SQL of a schema, and the comment behind it."""


def comments(sql: str) -> dict[str, str]:
    """Return the comment of each column in a CREATE TABLE, and of the table under its own name."""
    return {name: line or block for name, line, block in COMMENT.findall(sql)}


def column_row(name: str, kind: str, comment: str) -> tuple[str, str, str, str]:
    """Return the row of one column; its unit stands in brackets at the end of the comment."""
    meaning, _, unit = comment.removesuffix("]").partition(" [")
    return f"`{name}`", kind, unit, meaning


def table_section(db: sqlite3.Connection, name: str, sql: str) -> str:
    """Return what describes one table."""
    meanings = comments(sql)
    columns = db.execute(f"SELECT name, type FROM pragma_table_info('{name}')").fetchall()
    rows = [column_row(column, kind, meanings[column]) for column, kind in columns]
    heads = ("column", "type", "unit", "meaning")
    return f"### {name}\n\nHolds {meanings[name]}.\n\n{table(heads, rows)}\n"


def view_columns(db: sqlite3.Connection, view: str) -> str:
    """Return the columns of a view, in order."""
    found = db.execute(f"SELECT name FROM pragma_table_info('{view}')")
    return " ".join(name for (name,) in found).replace(ENDS_NAMES, "*ends*")


ENDS_NAMES = " ".join(field.name for field in ENDS)


def sql_page() -> str:
    """Return docs/sql.md."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        tables = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall()
        joined = [
            (f"`{view}`", what, view_columns(db, view))
            for view, what in (("events", "every event"), ("metrics", "every value of a metric"))
        ]
        views = [(f"`{source.view}`", view_columns(db, source.view)) for source in SOURCES]
        sections = [table_section(db, name, sql) for name, sql in tables]
    return SQL.format(
        version=len(schema.MIGRATIONS),
        tables="\n".join(sections),
        joined=rows_only(joined),
        views=rows_only(views),
        ends=", ".join(field.name for field in ENDS),
    )


def rows_only(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of a table whose head stands in a template."""
    return table((), rows).partition("\n")[2].partition("\n")[2]


def pages() -> dict[str, str]:
    """Return the text of each document that is made, by its name in docs/."""
    return {"events.md": events_page(), "sql.md": sql_page()}


def main() -> None:
    """Write all documents that are made."""
    for name, text in pages().items():
        (DOCS / name).write_text(text)


if __name__ == "__main__":
    main()
