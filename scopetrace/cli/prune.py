"""`scopetrace prune`: delete old sessions, after asking.

`choose` decides what goes and sees only facts; a session that is being recorded never goes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import click

from scopetrace.cli.options import count, size, span
from scopetrace.db.cleanup import clear_leftovers
from scopetrace.db.paths import sessions_folder
from scopetrace.errors import UsageError
from scopetrace.model.session import SessionInfo
from scopetrace.output.tables import format_table
from scopetrace.output.units import format_duration, format_size
from scopetrace.query import delete_sessions, list_sessions

HEADINGS = ("ID", "COMMAND", "AGE", "SIZE", "FILE")


class Candidate(NamedTuple):
    """A session file and what decides whether it goes."""

    info: SessionInfo
    age_ns: int
    size_bytes: int


@click.command()
@click.option(
    "-k",
    "--keep",
    type=count,
    metavar="N",
    help="Keep the last N, whatever else is said; alone: delete all others.",
)
@click.option(
    "--older", type=span, metavar="SPAN", help="Delete what began longer ago, such as 7d."
)
@click.option(
    "--larger", type=size, metavar="SIZE", help="Delete files above this size, such as 100M."
)
@click.option(
    "--total", type=size, metavar="SIZE", help="Delete the oldest until the others take no more."
)
@click.option("-a", "--all", "everything", is_flag=True, help="Delete all of them.")
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
def prune(
    keep: int | None,
    older: int | None,
    larger: int | None,
    total: int | None,
    everything: bool,
    force: bool,
) -> None:
    """Delete sessions: all but the last N, old ones, large ones.

    What fits any of the conditions goes. Sessions that are being recorded stay. What recorders that
    were killed left beside the sessions goes in any case.

    \b
    scopetrace prune --keep 20
    scopetrace prune --older 7d --larger 1G
    scopetrace prune --total 5G --force
    """
    conditions = (keep, older, larger, total)
    if everything == any(condition is not None for condition in conditions):
        raise UsageError("prune needs --all or some of --keep, --older, --larger and --total")
    found = [_look_at(info) for info in list_sessions() if info.status != "running"]
    chosen = found if everything else choose(found, keep, older, larger, total)
    left = clear_leftovers(sessions_folder())
    if left:
        print(f"Deleted {left} file{'s' if left > 1 else ''} that killed recorders had left.")
    if not chosen:
        print("Nothing to delete.")
    elif force or _agreed(chosen):
        delete_sessions([session.info for session in chosen])
        print(f"Deleted {_count(chosen)}.")


def choose(
    found: Sequence[Candidate],
    keep: int | None = None,
    older_ns: int | None = None,
    larger_bytes: int | None = None,
    total_bytes: int | None = None,
) -> list[Candidate]:
    """Return those of `found`, which is oldest first, that fit a condition and need not be kept."""
    candidates = found[: max(len(found) - (keep or 0), 0)]
    if older_ns is None and larger_bytes is None and total_bytes is None:
        return list(candidates)
    chosen, left_bytes = [], sum(session.size_bytes for session in found)
    for session in candidates:
        too_old = older_ns is not None and session.age_ns > older_ns
        too_large = larger_bytes is not None and session.size_bytes > larger_bytes
        too_much = total_bytes is not None and left_bytes > total_bytes
        if too_old or too_large or too_much:
            chosen.append(session)
            left_bytes -= session.size_bytes
    return chosen


def _look_at(info: SessionInfo) -> Candidate:
    """Measure a session; after a kill, part of it is in a log beside it."""
    files = (info.path, info.path.with_name(f"{info.path.name}-wal"))
    size_bytes = sum(path.stat().st_size for path in files if path.exists())
    return Candidate(info, time.time_ns() - info.started_ns, size_bytes)


def _agreed(chosen: Sequence[Candidate]) -> bool:
    """Show what would go and ask."""
    rows = [
        (
            session.info.id,
            session.info.command,
            format_duration(session.age_ns),
            format_size(session.size_bytes),
            session.info.path,
        )
        for session in chosen
    ]
    print(format_table(HEADINGS, rows, ("SIZE",)))
    if not sys.stdin.isatty():
        raise UsageError("prune asks first, and there is no terminal to ask: say --force")
    return click.confirm(f"Delete {_count(chosen)}?")


def _count(chosen: Sequence[Candidate]) -> str:
    size = format_size(sum(session.size_bytes for session in chosen))
    return f"{len(chosen)} session{'s' if len(chosen) > 1 else ''}, {size}"
