"""What a shell may propose for an option's value: session numbers and names of sources.

A completion never complains: where there is nothing to read, there is nothing to propose.
"""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from scopetrace.errors import ScopeError
from scopetrace.model.shown import escape

STREAMS = ("stdout", "stderr")
SOURCETYPES = (
    "fs", "net", "http", "dns", "process", "console", "file", "notice",
)  # fmt: skip


def complete_session(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the sessions whose number begins so, each with its command, as their files tell."""
    from scopetrace.db.paths import parse_file_name, session_paths, sessions_folder

    try:
        names = [path.name for path in session_paths(sessions_folder()).values()]
    except ScopeError:
        return []
    told = [(str(number), command) for number, command in filter(None, map(parse_file_name, names))]
    return [
        CompletionItem(number, help=escape(command))
        for number, command in reversed(told)
        if number.startswith(incomplete)
    ]


def complete_source(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the lists of sources that `incomplete` begins."""
    from scopetrace.model.fields import SOURCES

    names = [source.name for source in SOURCES if source.column == "source"]
    return _complete_list([*names, *STREAMS], incomplete)


def complete_sourcetype(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the lists of source types that `incomplete` begins."""
    return _complete_list(SOURCETYPES, incomplete)


def complete_flow_field(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the fields of flows that begin so."""
    from scopetrace.model.flow_record import FLOW_FIELDS

    return [name for name in FLOW_FIELDS if name.startswith(incomplete)]


def complete_file_field(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the fields of files that begin so."""
    from scopetrace.model.file_record import FILE_FIELDS

    return [name for name in FILE_FIELDS if name.startswith(incomplete)]


def complete_file(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Leave it to the shell, which knows files."""
    return [CompletionItem(incomplete, type="file")]


def _complete_list(names: Iterable[str], incomplete: str) -> list[str]:
    """Complete the last word of a list with commas."""
    before, comma, begun = incomplete.rpartition(",")
    return [before + comma + name for name in names if name.startswith(begun)]
