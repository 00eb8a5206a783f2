"""`scopetrace prune`: delete old sessions, after confirmation.

`choose` selects them; a session that is being recorded is never deleted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import click

from scopetrace.cli.options import count, size, span
from scopetrace.db.cleanup import delete_leftovers
from scopetrace.db.paths import sessions_folder
from scopetrace.errors import UsageError
from scopetrace.model.counts import number_of
from scopetrace.model.session import SessionInfo
from scopetrace.output.progress import Progress
from scopetrace.output.tables import format_table
from scopetrace.output.units import format_duration, format_size
from scopetrace.query import delete_sessions, list_sessions

HEADINGS = ("ID", "COMMAND", "AGE", "SIZE", "FILE")


class Candidate(NamedTuple):
    """A session file, its age and its size."""

    info: SessionInfo
    age_ns: int
    size_bytes: int


@click.command()
@click.option(
    "-k",
    "--keep",
    type=count,
    metavar="N",
    help="Keep the last N sessions, whatever the other options; alone: delete all others.",
)
@click.option(
    "--older",
    type=span,
    metavar="SPAN",
    help="Delete sessions that began longer ago than this, such as 7d.",
)
@click.option(
    "--larger", type=size, metavar="SIZE", help="Delete sessions larger than this, such as 100M."
)
@click.option(
    "--total",
    type=size,
    metavar="SIZE",
    help="Delete the oldest sessions until the rest takes no more than this.",
)
@click.option("-a", "--all", "everything", is_flag=True, help="Delete all sessions.")
@click.option("-f", "--force", is_flag=True, help="Do not ask for confirmation.")
def prune(
    keep: int | None,
    older: int | None,
    larger: int | None,
    total: int | None,
    everything: bool,
    force: bool,
) -> None:
    """Delete sessions: all but the last N, old ones, large ones.

    A session is deleted if it meets any of the conditions, and never while it is being recorded.
    Files that killed recorders left beside the sessions are deleted in any case.

    \b
    scopetrace prune --keep 20                all but the last 20
    scopetrace prune --older 7d --larger 1G   those older than a week, and those above 1 GiB
    scopetrace prune --total 5G --force       down to 5 GiB, without asking
    """
    conditions = (keep, older, larger, total)
    if everything == any(condition is not None for condition in conditions):
        raise UsageError("prune needs --all or some of --keep, --older, --larger and --total")
    found = [_candidate(info) for info in list_sessions() if info.status != "running"]
    chosen = found if everything else choose(found, keep, older, larger, total)
    left = delete_leftovers(sessions_folder())
    if left:
        print(f"Deleted {number_of(left, 'file')} that killed recorders had left.")
    if not chosen:
        print("Nothing to delete.")
    elif force or _is_confirmed(chosen):
        with Progress("deleting sessions", len(chosen)) as progress:
            delete_sessions([session.info for session in chosen], progress.step)
        print(f"Deleted {_count(chosen)}.")


def choose(
    found: Sequence[Candidate],
    keep: int | None = None,
    older_ns: int | None = None,
    larger_bytes: int | None = None,
    total_bytes: int | None = None,
) -> list[Candidate]:
    """Return the sessions to delete of `found`, which is ordered from the oldest."""
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


def _candidate(info: SessionInfo) -> Candidate:
    """Return age and size of a session; its write-ahead log, if there is one, is included."""
    files = (info.path, info.path.with_name(f"{info.path.name}-wal"))
    size_bytes = sum(path.stat().st_size for path in files if path.exists())
    return Candidate(info, time.time_ns() - info.started_ns, size_bytes)


def _is_confirmed(chosen: Sequence[Candidate]) -> bool:
    """Print the sessions that would be deleted, and ask."""
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
        raise UsageError("prune asks for confirmation, and there is no terminal: use --force")
    return click.confirm(f"Delete {_count(chosen)}?")


def _count(chosen: Sequence[Candidate]) -> str:
    size = format_size(sum(session.size_bytes for session in chosen))
    return f"{number_of(len(chosen), 'session')}, {size}"
