"""The answer key: the answer to a question is looked up in the session of the program.

An answer is a mapping with one of `QUERIES` and what narrows it down:

    {count: write}                       how many calls
    {count: openat, path: notes.txt}     of a file, by whatever descriptor
    {bytes: write, fd: 1}                how many bytes, of descriptor 1
    {any: "%network"}                    yes or no
    {longest: "all"}                     the call that took longest, by its name
    {result: openat, path: notes.txt}    what the first of them returned
    {first: all, after: getppid}         the name of the first of them
    {last: all, failed: true}            that of the last
    {error: openat}                      the error of the last that failed
    {processes: all}                     how many processes there were
    {status: all}                        how the program ended: a number, or the name of a signal
    {events: fs.error}                   how many events
    {why: refused_by}                    a field of the likeliest reason of its failure

Calls are a set as `scopetrace syscalls -e` takes it; `program`, `failed`, `error_is` and `where`
narrow it down as the options of that command do. `after` and `before` name calls of which the first
is a mark: only what lies behind or before it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scopetrace.errors import UsageError
from scopetrace.model.names import signal_name
from scopetrace.query.session import Session
from scopetrace.syscalls.recorded import Recorded

Query = Mapping[str, Any]
YES, NO = "yes", "no"
FILTERS = {"program": "proc", "failed": "failed", "error_is": "error", "where": "where"}
"""Name in an answer → parameter of `Session.syscall_query`."""
ABOUT = ("fd", "path")
MARKS = ("after", "before")


def answers(answer: Any, session: Session, work: Path) -> tuple[str, ...]:
    """Return the right answers, the one to show first.

    Args:
        answer: as the text of the lesson has it.
        session: of the last program that ran.
        work: the folder where it ran, which paths are relative to.

    Raises:
        UsageError: there is no such query.
    """
    if not isinstance(answer, Mapping):
        listed = answer if isinstance(answer, list) else [answer]
        return tuple(map(_word, listed))
    kind = next((name for name in answer if name in QUERIES), None)
    unknown = set(answer) - {kind, *FILTERS, *ABOUT, *MARKS}
    if kind is None or unknown:
        raise UsageError(f"an answer is one of {', '.join(QUERIES)}, not {dict(answer)}")
    found = _word(QUERIES[kind](session, answer, work))
    return (found, found.removeprefix(f"{work}/"))


def _word(value: object) -> str:
    """Return an answer as text: YAML reads a plain yes as true."""
    return {True: YES, False: NO}[value] if isinstance(value, bool) else str(value)


def _calls(kind: str) -> Callable[[Session, Query, Path], list[Recorded]]:
    """Return what reads the calls that an answer of this kind is about."""

    def read(session: Session, answer: Query, work: Path) -> list[Recorded]:
        calls = "" if answer[kind] == "all" else str(answer[kind])
        options = {FILTERS[name]: answer[name] for name in FILTERS if name in answer}
        query = session.syscall_query(calls=calls, **options)
        fds, paths = ([answer[name]] if name in answer else [] for name in ABOUT)
        names = [str(work / path) for path in paths]
        found = (made for made, _ in query.life(fds, names)) if fds or names else query.read()
        after, before = (_mark(session, answer.get(name)) for name in MARKS)
        return [
            made
            for made in found
            if made.is_call
            and (after is None or made.time_ns > after)
            and (before is None or made.time_ns < before)
        ]

    return read


def _mark(session: Session, call: str | None) -> int | None:
    """Return when a call was made for the first time, Unix time in ns."""
    if call is None:
        return None
    return next((made.time_ns for made in session.syscalls(call) if made.is_call), 0)


def _of_calls(
    kind: str, found: Callable[[list[Recorded]], object]
) -> Callable[[Session, Query, Path], object]:
    read = _calls(kind)
    return lambda session, answer, work: found(read(session, answer, work))


def _bytes(calls: list[Recorded]) -> int:
    return sum(made.result for made in calls if made.result is not None and made.result > 0)


def _longest(calls: list[Recorded]) -> str:
    return max(calls, key=lambda made: made.duration_ns).name if calls else ""


def _error(calls: list[Recorded]) -> str:
    return next((made.error for made in reversed(calls) if made.error), "")


def _status(session: Session, answer: Query, work: Path) -> str:
    info = session.info
    return str(info.exit_code) if info.signal is None else signal_name(info.signal)


def _processes(session: Session, answer: Query, work: Path) -> int:
    return sum(1 for root in session.tree() for _ in root.walk())


def _events(session: Session, answer: Query, work: Path) -> int:
    return sum(1 for _ in session.events(source=answer["events"], where=answer.get("where")))


def _why(session: Session, answer: Query, work: Path) -> object:
    ends = session.why().ends
    failures = ends[0].failures if ends else ()
    return failures[0].data.get(answer["why"], "") if failures else ""


QUERIES: dict[str, Callable[[Session, Query, Path], object]] = {
    "count": _of_calls("count", len),
    "bytes": _of_calls("bytes", _bytes),
    "any": _of_calls("any", bool),
    "longest": _of_calls("longest", _longest),
    "result": _of_calls("result", lambda calls: calls[0].result if calls else ""),
    "first": _of_calls("first", lambda calls: calls[0].name if calls else ""),
    "last": _of_calls("last", lambda calls: calls[-1].name if calls else ""),
    "error": _of_calls("error", _error),
    "processes": _processes,
    "status": _status,
    "events": _events,
    "why": _why,
}
"""What an answer may be."""
