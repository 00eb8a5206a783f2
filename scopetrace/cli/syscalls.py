"""`scopetrace syscalls`: the system calls of a session, one to a line, or summed up."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scopetrace.cli.answers import (
    chosen_form,
    each_poll,
    format_option,
    print_bodies,
    refuse_with_form,
)
from scopetrace.cli.options import (
    count,
    last_option,
    process_options,
    refuse_together,
    session_argument,
)
from scopetrace.cli.shell_complete import complete_call_error, complete_call_set, complete_file
from scopetrace.errors import ScopeError
from scopetrace.model.shown import print_to_stderr
from scopetrace.output.event_times import MODES, EventTimes
from scopetrace.output.syscall_levels import LEVELS, NORMAL

if TYPE_CHECKING:
    from scopetrace.output.syscall_explained import Explaining, Rows
    from scopetrace.output.syscall_lines import CallLines, LineOptions
    from scopetrace.query import Session
    from scopetrace.query.syscalls import SyscallQuery
    from scopetrace.syscalls.descriptors import Files
    from scopetrace.syscalls.recorded import Recorded

DEFAULT_LAST = 20
"""Number of lines that are shown without -n and -a."""
ROWS_BEFORE, TIMES_MORE = 3000, 4
"""How many rows more than lines are read for the last lines, and how many times more if these are
too few."""
UNSURE_ENTRIES = 500 + 200
"""So many entries may be other ones than if all rows were read: 500 calls of start-ups whose exec
was not read, and as many acts as may wait for one that began before (`grouping.MOST_PENDING`)."""
NOT_OF_SUMMARY = ("follow", "fd", "path", "last", "show_all", "start_up", "time_mode", "explain")
"""Options that say how single calls are listed."""
NOT_OF_FOLLOW = ("fd", "path", "explain")
"""Options for which calls are read from the beginning to the end."""


@click.command()
@session_argument
@last_option(f"Show the last N lines.  [default: {DEFAULT_LAST}; of --fd, --path, --explain all]")
@click.option("-a", "--all", "show_all", is_flag=True, help="Show all, not only the last 20.")
@click.option(
    "-A", "--start-up", is_flag=True, help="Show each call of the start-up, not one line for all."
)
@click.option(
    "-e",
    "--calls",
    default="",
    metavar="SET",
    shell_complete=complete_call_set,
    help="Only these calls: openat,%network,!close, /^get (as `run --syscalls`).",
)
@process_options
@click.option(
    "--fd", type=int, multiple=True, metavar="N", help="Only calls about this descriptor: its life."
)
@click.option(
    "--path",
    multiple=True,
    metavar="PATH",
    shell_complete=complete_file,
    help="Only calls about this file, also through its descriptors.",
)
@click.option("--failed", is_flag=True, help="Only calls that failed.")
@click.option(
    "--errno",
    "error",
    default="",
    metavar="NAME",
    shell_complete=complete_call_error,
    help="Only calls that failed with this error: ENOENT.",
)
@click.option(
    "--where",
    metavar="EXPR",
    help='Only calls that meet this SQL condition, such as "duration_ms > 10".',
)
@click.option("-f", "--follow", is_flag=True, help="Also show new calls, until the session ends.")
@click.option(
    "-t",
    "--time",
    "time_mode",
    type=click.Choice(MODES),
    help="Begin lines with local time, seconds since the start, or since the line before.",
)
@click.option("-T", "--duration", is_flag=True, help="End each line with how long the call took.")
@click.option(
    "-s",
    "--strings",
    type=count,
    default="32",
    show_default=True,
    metavar="N",
    help="Bytes of a string or buffer that are shown.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show structures whole.")
@click.option(
    "--fd-names/--no-fd-names",
    default=True,
    help="Show what descriptors are: 3</etc/passwd> (the default).",
)
@click.option(
    "--summary",
    is_flag=True,
    help="Show for each name how many calls, errors, and how much time, not single calls.",
)
@click.option("--explain", is_flag=True, help="Say under each call what it did, or why it failed.")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    help="As --explain, but group calls into acts (beginner), or also show registers (expert).",
)
@format_option
def syscalls(session: str | None, **options: Any) -> None:
    """Show the system calls of a session, one to a line, as strace does.

    `scopetrace run --syscalls` records them. A call that a signal interrupted and that went on is
    one line, at the time at which it began. Signals and ends of threads stand between calls. Where
    several threads made calls, each line begins with the thread's id. The calls that the loader
    makes at the start of a program are one line.

    \b
    scopetrace run --syscalls cat notes.txt      record them
    scopetrace syscalls                          the last 20 lines of the last session
    scopetrace syscalls -a -t rel -T             all, with seconds since the start and durations
    scopetrace syscalls -e openat,%network 3     only these calls, of session 3
    scopetrace syscalls --fd 3                   who opened descriptor 3, and what became of it
    scopetrace syscalls --path notes.txt         all that was done with this file
    scopetrace syscalls --errno ENOENT           what was looked for in vain
    scopetrace syscalls --where "name = 'read' and duration_ms > 10"
    scopetrace syscalls --explain                with a sentence under each call
    scopetrace syscalls --level beginner         what the program did, in plain words
    scopetrace syscalls --summary                calls, errors and time of each name
    """
    from scopetrace.query import open_session

    options["form"] = chosen_form(options["form"], options["as_json"])
    options["explain"] |= options["level"] is not None
    _refuse_contradictions(options)
    with open_session(session) as opened:
        query = opened.syscall_query(**_filters(options))
        if not query.is_recorded and opened.info.status != "running":
            raise ScopeError(
                f"session {opened.info.id} has no system calls: `scopetrace run --syscalls` records"
                " them"
            )
        if options["summary"]:
            _show_summary(query, options["form"])
        else:
            _list(opened, query, options)


def _refuse_contradictions(options: dict[str, Any]) -> None:
    refuse_with_form(options, "explain")
    refuse_together(
        options,
        ("show_all", "last"),
        *(("summary", name) for name in NOT_OF_SUMMARY),
        *(("follow", name) for name in NOT_OF_FOLLOW),
    )


def _filters(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("calls", "pid", "proc", "failed", "error", "where")}


def _show_summary(query: SyscallQuery, form: str) -> None:
    from scopetrace.output.syscalls import TOTAL_FIELDS, total_bodies, total_table
    from scopetrace.output.width import terminal_columns

    totals = query.totals()
    if form == "table":
        print(total_table(totals, terminal_columns(sys.stdout)))
    else:
        print_bodies(form, [*total_bodies(totals)], TOTAL_FIELDS)


def _line_options(session: Session, query: SyscallQuery, options: dict[str, Any]) -> LineOptions:
    from scopetrace.output.syscall_lines import LineOptions

    mode = options["time_mode"]
    return LineOptions(
        strings=options["strings"],
        verbose=options["verbose"],
        fd_names=options["fd_names"],
        pids=query.has_threads or options["follow"],
        duration=options["duration"],
        times=EventTimes(mode, session.info.started_ns) if mode else None,
    )


def _rows(query: SyscallQuery, options: dict[str, Any]) -> Iterator[tuple[Recorded, Files]]:
    """Return the rows to show; those about a descriptor or a path are all of them, in the end."""
    if not (options["fd"] or options["path"]):
        yield from query.follow(None if options["show_all"] or _folds(options) else _last(options))
        return
    paths = [str(Path(path).absolute()) for path in options["path"]]
    yield from query.life(options["fd"], paths)


def _last(options: dict[str, Any]) -> int | None:
    """Return how many lines to show; None: all."""
    whole = ("fd", "path", "explain")
    if options["show_all"] or (options["last"] is None and any(options[name] for name in whole)):
        return None
    return DEFAULT_LAST if options["last"] is None else int(options["last"])


def _folds(options: dict[str, Any]) -> bool:
    """Return whether start-ups are one line: not if calls are chosen by what they are."""
    chosen = ("calls", "fd", "path", "failed", "error", "where", "start_up")
    return options["form"] == "table" and not any(options[name] for name in chosen)


def _list(session: Session, query: SyscallQuery, options: dict[str, Any]) -> None:
    from scopetrace.output.syscall_lines import CallLines

    lines = CallLines(_line_options(session, query, options))
    if options["form"] != "table":
        _print_bodies(query, lines, options)
        return
    last = _last(options)
    upto = query.last_id if options["follow"] else 0
    entries = _entries(session, query, lines, options)
    is_of_all = options["fd"] or options["path"]
    found: Iterable[str]
    if last and not is_of_all and (options["explain"] or _folds(options)):
        found = _last_lines(query, entries, last)
    else:
        found = chain.from_iterable(entries(_rows(query, options)))
    if last is not None:
        found = deque(found, last)
    write, shown = sys.stdout.write, False
    for line in found:
        write(line + "\n")
        shown = True
    if options["follow"]:
        _follow(session, query, lines, upto)
    elif not shown and last != 0:
        print_to_stderr(f"session {session.info.id} has no call that matches")


def _entries(
    session: Session, query: SyscallQuery, lines: CallLines, options: dict[str, Any]
) -> Callable[[Rows], Iterator[list[str]]]:
    """Return what makes entries of rows, the lines of each in a list."""
    from scopetrace.output.syscall_lines import folded_lines

    fold = session.start_up_images() if _folds(options) else None
    if not options["explain"]:
        return lambda rows: ([line] for line in folded_lines(rows, lines, fold))
    from scopetrace.output.syscall_explained import explained_entries, introduction

    def explained(rows: Rows) -> Iterator[list[str]]:
        how = _explaining(session, query, options["level"] or NORMAL)
        yield introduction(how)
        yield from explained_entries(rows, lines, fold, how)

    return explained


def _explaining(session: Session, query: SyscallQuery, level: str) -> Explaining:
    from scopetrace.model.file_record import OWN
    from scopetrace.output.syscall_explained import Explaining
    from scopetrace.output.width import READABLE_COLUMNS, wrap_columns

    classes = session.path_classes
    return Explaining(
        level,
        wrap_columns(sys.stdout, READABLE_COLUMNS),
        query.failures().data_of,
        lambda path: classes.of(path) == OWN,
    )


def _last_lines(
    query: SyscallQuery, entries: Callable[[Rows], Iterator[list[str]]], last: int
) -> Iterable[str]:
    """Return the last lines, and some before them, from as few rows as these need.

    Entries of the first rows may differ from those that all rows would make, as what belongs to
    them was not read: the start of a program or an act, and calls that are folded into one line.
    So there have to be more of them. What an act need not say again as it was said before stands
    there once more if that was not read.
    """
    most = last + ROWS_BEFORE
    while True:
        found = [*entries(query.follow(most))]
        if len(found) >= last + UNSURE_ENTRIES or query.count() <= most:
            return chain.from_iterable(found)
        most *= TIMES_MORE


def _print_bodies(query: SyscallQuery, lines: CallLines, options: dict[str, Any]) -> None:
    from scopetrace.output.syscalls import LIST_FIELDS, call_body

    last = _last(options)
    bodies: Iterable[dict[str, Any]] = (
        call_body(made, lines.text(made, files)) for made, files in _rows(query, options)
    )
    if last is not None:
        bodies = deque(bodies, last)
    print_bodies(options["form"], bodies, LIST_FIELDS)


def _follow(session: Session, query: SyscallQuery, lines: CallLines, seen: int) -> None:
    """Print what comes after row `seen` until the session ends."""
    for _ in each_poll(session):
        for made in query.read(after_id=seen):
            print(lines.line(made))
            seen = max(seen, made.id)
