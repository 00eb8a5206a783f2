"""System calls as tables and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scopetrace.explain.texts import calls as call_texts
from scopetrace.output.answers import Column, terminal_table
from scopetrace.output.units import format_microseconds
from scopetrace.syscalls.recorded import CallTotal, Recorded

LIST_FIELDS = ("id", "time", "pid", "tid", "proc", "name", "result", "error", "duration_us", "call")
TOTAL_FIELDS = ("name", "calls", "errors", "percent", "total_us", "mean_us", "longest_us", "does")
_COLUMNS = (
    Column("% TIME", right=True),
    Column("TIME", right=True),
    Column("PER CALL", right=True, least_width=60),
    Column("CALLS", right=True),
    Column("ERRORS", right=True),
    Column("CALL"),
    Column("WHAT IT DOES", least_width=80),
)


def call_body(made: Recorded, line: str) -> dict[str, Any]:
    """Return a call for programs; `line` is its text."""
    body: dict[str, Any] = {
        "id": made.id,
        "time": made.time_ns / 1e9,
        "pid": made.pid,
        "tid": made.tid,
        "proc": made.proc,
        "name": made.name,
        "result": made.result,
        "error": made.error or None,
        "duration_us": made.duration_ns / 1e3,
        "call": line,
    }
    if made.is_call:
        body["args"] = list(made.call.args)
    return body


def _share(total: CallTotal, whole_ns: int) -> float:
    return 100 * total.duration_ns / whole_ns if whole_ns else 0.0


def _does(name: str) -> str:
    text = call_texts().get(name)
    return text.does if text else ""


def total_bodies(totals: Sequence[CallTotal]) -> Iterator[dict[str, Any]]:
    """Yield for each name of a call how often it was made, and how long it took."""
    whole_ns = sum(total.duration_ns for total in totals)
    for total in totals:
        yield {
            "name": total.name,
            "calls": total.calls,
            "errors": total.errors,
            "percent": round(_share(total, whole_ns), 2),
            "total_us": total.duration_ns / 1e3,
            "mean_us": round(total.duration_ns / total.calls / 1e3, 3),
            "longest_us": total.longest_ns / 1e3,
            "does": _does(total.name),
        }


def total_table(totals: Sequence[CallTotal], width: int | None) -> str:
    """Return the same as a table, with a line for all calls at its end."""
    whole_ns = sum(total.duration_ns for total in totals)
    rows = [
        (
            f"{_share(total, whole_ns):.2f}",
            format_microseconds(total.duration_ns // 1000),
            format_microseconds(total.duration_ns // total.calls // 1000),
            total.calls,
            total.errors or "",
            total.name,
            _does(total.name),
        )
        for total in totals
    ]
    calls, errors = sum(t.calls for t in totals), sum(t.errors for t in totals)
    rows.append(("", format_microseconds(whole_ns // 1000), "", calls, errors or "", "total", ""))
    return terminal_table(_COLUMNS, rows, width)
