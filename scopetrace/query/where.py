"""Check and limit the expression of `--where`, which is untrusted SQL.

It must be one expression about one event. So it is first compiled twice against an empty database
in memory with one table of the same columns: once as it is, and once in parentheses. A second
statement, a UNION, a LIMIT or an unbalanced parenthesis passes at most one of the two. An
authorizer denies everything but reading that table and calling functions: no subquery, PRAGMA,
ATTACH or recursion. Then it is run on the session, which is open read-only, with limits of size and
time.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager

from scopetrace.db.errors import primary_code
from scopetrace.errors import SessionError, UsageError
from scopetrace.query.field_sql import NAMES, translate, unknown_name
from scopetrace.query.sql_functions import add_functions

TIME_LIMIT_S = 30.0
"""How long an expression may run without finding the next events."""
_PROGRESS_STEPS = 1000
"""Instructions of SQLite's virtual machine between two checks of the time."""
_MOST_CHARACTERS = 10_000
"""Of an expression."""
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 16_000_000,  # bytes of a value; no event is near that
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 500,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
_EXPRESSION_FAULTS = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_NOMEM)
_REFUSED_FUNCTIONS = {"load_extension", "fts3_tokenizer"}
_COLUMN = re.compile(r"no such column: (?:.*\.)?(.+)", re.DOTALL)


def checked(
    expression: str,
    names: Iterable[str] = NAMES,
    unknown: Callable[[str], UsageError] = unknown_name,
) -> str:
    """Return the expression in a form that can be part of a query over `names`.

    Args:
        expression: what a user wrote.
        names: the fields that it may use; by default those of events.
        unknown: makes the error for a field that is none of them.

    Raises:
        UsageError: it is not valid, has an unknown field, or is not allowed.
    """
    if len(expression) > _MOST_CHARACTERS:
        raise UsageError(f"the expression is longer than {_MOST_CHARACTERS} characters")
    text = translate(expression)
    refusals: list[str] = []
    with closing(sqlite3.connect(":memory:")) as db:
        columns = ", ".join(f'"{name}"' for name in names)
        db.execute(f"CREATE TABLE event ({columns}, PRIMARY KEY (id)) WITHOUT ROWID")
        add_functions(db)
        for attempt in (f"{text}\n", f"(\n{text}\n)"):
            _compile(db, attempt, refusals, unknown)
    return f"(\n{text}\n)"


def _compile(
    db: sqlite3.Connection,
    condition: str,
    refusals: list[str],
    unknown: Callable[[str], UsageError],
) -> None:
    """Compile a condition without running it (EXPLAIN)."""
    db.set_authorizer(_Authorizer(refusals))
    try:
        db.execute(f"EXPLAIN SELECT 1 FROM event WHERE {condition}").close()
    except (sqlite3.Error, sqlite3.Warning, UnicodeError, ValueError) as error:
        if _is_interrupted(error, refusals):
            raise KeyboardInterrupt from None
        raise _usage_error(error, refusals, unknown) from None


def _is_interrupted(error: Exception, refusals: list[str]) -> bool:
    """Return whether Ctrl-C was pressed within the authorizer.

    sqlite3 drops what an authorizer raises and denies the action: denied, and not by us. Where that
    is a function SQLite's code is that of any error, and only its text says so (resolve.c).
    """
    denied = isinstance(error, sqlite3.Error) and (
        primary_code(error) == sqlite3.SQLITE_AUTH or str(error).startswith("not authorized")
    )
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
            return "it cannot contain a SELECT" if self._selects > 1 else None
        if action == sqlite3.SQLITE_READ:
            return None if first == "event" else f"it cannot read {first}"
        if action == sqlite3.SQLITE_FUNCTION:
            refused = str(second).lower() in _REFUSED_FUNCTIONS
            return f"the function {second} is not allowed" if refused else None
        return "it can only compute a value"


def _usage_error(
    error: Exception, refusals: list[str], unknown: Callable[[str], UsageError]
) -> UsageError:
    text = " ".join(str(error).split())  # it quotes what may hold line ends
    if refusals:
        return UsageError(f"the expression is not allowed: {refusals[0]}")
    if missing := _COLUMN.fullmatch(text):
        return unknown(missing[1])
    return UsageError(f"the expression is not valid SQL: {text}")


@contextmanager
def bounded(db: sqlite3.Connection, failures: list[BaseException], strict: bool) -> Iterator[None]:
    """Translate errors of the queries in the body; if `strict`, apply an expression's limits.

    The progress handler is set either way, for Ctrl-C: one call of SQLite can take long, and Python
    handles signals only when SQLite calls back.
    """
    deadline = time.monotonic() + TIME_LIMIT_S if strict else float("inf")
    limits = _LIMITS if strict else {}
    before = {limit: db.setlimit(limit, value) for limit, value in limits.items()}
    db.set_progress_handler(lambda: time.monotonic() > deadline, _PROGRESS_STEPS)
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
    """Return the exception for an error of SQLite in a running query."""
    if failures:
        return _explained(failures[0])
    code = primary_code(error)
    if code == sqlite3.SQLITE_INTERRUPT and late:
        return UsageError(
            f"the expression took longer than {TIME_LIMIT_S:g} seconds: make it simpler"
        )
    if code == sqlite3.SQLITE_INTERRUPT or "function raised exception" in str(error):
        return KeyboardInterrupt()  # raised before a function's first line, and dropped by sqlite3
    if strict and code in _EXPRESSION_FAULTS:
        return UsageError(f"the expression cannot be computed: {error}")
    return SessionError(f"the session cannot be read: {error}")


def _explained(failure: BaseException) -> BaseException:
    if isinstance(failure, re.error):
        return UsageError(f"{failure.pattern!r} is not a regular expression: {failure.msg}")
    return failure
