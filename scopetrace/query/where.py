"""The expression of `--where`: SQL from a stranger, so it is believed nothing.

It must be one expression about one event. To make sure, it is compiled twice against an empty
database in memory that has a table of the same names and nothing else: once as it stands and once
between parentheses. A second statement, a UNION, a LIMIT or an unbalanced parenthesis passes at
most one of the two. An authorizer refuses there everything but reading that table and calling
functions, so no SELECT of its own, no PRAGMA, ATTACH or recursion. Only then it meets a session,
which is open read-only, under limits of size and time.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from scopetrace.db.errors import primary_code
from scopetrace.errors import SessionError, UsageError
from scopetrace.query.field_sql import NAMES, translate, unknown_name
from scopetrace.query.sql_functions import add_functions

SECONDS = 30.0
"""How long an expression may run without finding the next events."""
_STEPS = 1000
"""Instructions of SQLite's machine between two looks at the clock."""
_LONGEST = 10_000
"""Characters of an expression."""
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 16_000_000,  # bytes of a value; no event is near that
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 500,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
_EXPRESSION_FAULTS = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_NOMEM)
_REFUSED_FUNCTIONS = {"load_extension", "fts3_tokenizer"}
_COLUMN = re.compile(r"no such column: (?:.*\.)?(.+)", re.DOTALL)


def checked(expression: str) -> str:
    """Return the expression as it can stand in a query over `NAMES`.

    Raises:
        UsageError: it is no expression, names no known field, or asks for more than it may.
    """
    if len(expression) > _LONGEST:
        raise UsageError(f"the expression is longer than {_LONGEST} characters")
    text = translate(expression)
    refusals: list[str] = []
    with closing(sqlite3.connect(":memory:")) as db:
        columns = ", ".join(f'"{name}"' for name in NAMES)
        db.execute(f"CREATE TABLE event ({columns}, PRIMARY KEY (id)) WITHOUT ROWID")
        add_functions(db)
        for attempt in (f"{text}\n", f"(\n{text}\n)"):
            _compile(db, attempt, refusals)
    return f"(\n{text}\n)"


def _compile(db: sqlite3.Connection, condition: str, refusals: list[str]) -> None:
    """Compile, never run: EXPLAIN stops before the first row."""
    db.set_authorizer(_Authorizer(refusals))
    try:
        db.execute(f"EXPLAIN SELECT 1 FROM event WHERE {condition}").close()
    except (sqlite3.Error, sqlite3.Warning, UnicodeError, ValueError) as error:
        if _is_interrupted(error, refusals):
            raise KeyboardInterrupt from None
        raise _complaint(error, refusals) from None


def _is_interrupted(error: Exception, refusals: list[str]) -> bool:
    """Tell whether something was refused without us: then Ctrl-C came while we were asked.

    What an authorizer raises is lost in sqlite3, and counts as a refusal.
    """
    denied = isinstance(error, sqlite3.Error) and primary_code(error) == sqlite3.SQLITE_AUTH
    return denied and not refusals


class _Authorizer:
    """Allows one SELECT, reading the table of events, and calling functions."""

    def __init__(self, refusals: list[str]) -> None:
        self._refusals = refusals
        self._selects = 0

    def __call__(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        refusal = self._judge(action, first, second)
        if refusal is None:
            return sqlite3.SQLITE_OK
        self._refusals.append(refusal)
        return sqlite3.SQLITE_DENY

    def _judge(self, action: int, first: str | None, second: str | None) -> str | None:
        if action == sqlite3.SQLITE_SELECT:
            self._selects += 1
            return "a SELECT has no place in it" if self._selects > 1 else None
        if action == sqlite3.SQLITE_READ:
            return None if first == "event" else f"it cannot read {first}"
        if action == sqlite3.SQLITE_FUNCTION:
            refused = str(second).lower() in _REFUSED_FUNCTIONS
            return f"the function {second} is not allowed" if refused else None
        return "it may only compute"


def _complaint(error: Exception, refusals: list[str]) -> UsageError:
    text = " ".join(str(error).split())  # it quotes what may hold line ends
    if refusals:
        return UsageError(f"the expression is not allowed: {refusals[0]}")
    if missing := _COLUMN.fullmatch(text):
        return unknown_name(missing[1])
    return UsageError(f"the expression is not valid SQL: {text}")


@contextmanager
def bounded(db: sqlite3.Connection, failures: list[BaseException], strict: bool) -> Iterator[None]:
    """Turn what goes wrong within into sentences; if `strict`, keep an expression's limits.

    Ctrl-C is noticed either way: SQLite runs for long in one call, and Python acts on a signal only
    when SQLite calls back.
    """
    deadline = time.monotonic() + SECONDS if strict else float("inf")
    limits = _LIMITS if strict else {}
    before = {limit: db.setlimit(limit, value) for limit, value in limits.items()}
    db.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        yield
    except sqlite3.Error as error:
        raise _failure(error, failures, strict, time.monotonic() > deadline) from None
    finally:
        failures.clear()
        db.set_progress_handler(None, 0)
        for limit, value in before.items():
            db.setlimit(limit, value)


def _failure(
    error: sqlite3.Error, failures: list[BaseException], strict: bool, late: bool
) -> BaseException:
    """Return what an error means that SQLite reports for a running query."""
    if failures:
        return _explained(failures[0])
    code = primary_code(error)
    if code == sqlite3.SQLITE_INTERRUPT and late:
        return UsageError(f"the expression took longer than {SECONDS:g} seconds: make it simpler")
    if code == sqlite3.SQLITE_INTERRUPT or "function raised exception" in str(error):
        return KeyboardInterrupt()  # raised before a line of ours ran, and swallowed by SQLite
    if strict and code in _EXPRESSION_FAULTS:
        return UsageError(f"the expression cannot be computed: {error}")
    return SessionError(f"the session cannot be read: {error}")


def _explained(failure: BaseException) -> BaseException:
    if isinstance(failure, re.error):
        return UsageError(f"{failure.pattern!r} is not a regular expression: {failure.msg}")
    return failure
