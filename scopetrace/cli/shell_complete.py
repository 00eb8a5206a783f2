"""Shell completion: programs after `run`, session ids, sources, fields.

Errors are ignored: if sessions cannot be read, none is proposed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

import click
from click.shell_completion import CompletionItem

from scopetrace.errors import ScopeError
from scopetrace.model.shown import escape

STREAMS = ("stdout", "stderr")
SOURCETYPES = ("fs", "net", "http", "dns", "process", "console", "file", "notice")


def complete_lesson(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the numbers and names of lessons with this prefix."""
    from scopetrace.lessons.course import lesson_folders

    try:
        names = [*lesson_folders()]
    except ScopeError:
        return []
    known = [*names, *map(str, range(1, len(names) + 1))]
    return [CompletionItem(name) for name in known if name.startswith(incomplete)]


def complete_session(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the sessions whose id has this prefix, with their commands, from the file names."""
    from scopetrace.db.paths import parse_file_name, session_paths, sessions_folder

    try:
        names = [path.name for path in session_paths(sessions_folder()).values()]
    except ScopeError:
        return []
    sessions = [
        (str(number), command) for number, command in filter(None, map(parse_file_name, names))
    ]
    return [
        CompletionItem(number, help=escape(command))
        for number, command in reversed(sessions)
        if number.startswith(incomplete)
    ]


def complete_source(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the completions of a comma-separated list of sources."""
    from scopetrace.model.fields import SOURCES

    names = [source.name for source in SOURCES if source.column == "source"]
    return _complete_list([*names, *STREAMS], incomplete)


def complete_sourcetype(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the completions of a comma-separated list of source types."""
    return _complete_list(SOURCETYPES, incomplete)


def complete_flow_field(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the fields of flows with this prefix."""
    from scopetrace.model.flow_record import FLOW_FIELDS

    return [name for name in FLOW_FIELDS if name.startswith(incomplete)]


def complete_file_field(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the fields of files that begin so."""
    from scopetrace.model.file_record import FILE_FIELDS

    return [name for name in FILE_FIELDS if name.startswith(incomplete)]


def complete_event_field(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the completions of a comma-separated list of fields of events."""
    from scopetrace.query.field_sql import NAMES

    return _complete_list(NAMES, incomplete)


def complete_command(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the programs with this prefix for the first word of a command; files after it."""
    if ctx.params.get(param.name or "") or "/" in incomplete:
        return complete_file(ctx, param, incomplete)
    return programs(incomplete) or complete_file(ctx, param, incomplete)


def programs(prefix: str) -> list[CompletionItem]:
    """Return the programs of the PATH whose names begin so; none for an empty prefix."""
    names: set[str] = set()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        with suppress(OSError), os.scandir(folder or ".") as entries:
            names.update(each.name for each in entries if _is_program(each, prefix))
    return [CompletionItem(name) for name in sorted(names)] if prefix else []


def _is_program(entry: os.DirEntry[str], prefix: str) -> bool:
    return entry.name.startswith(prefix) and entry.is_file() and os.access(entry.path, os.X_OK)


def complete_field_group(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return what `fields` describes, as far as it begins so."""
    from scopetrace.output.fields import groups

    names = dict.fromkeys(name for group in groups() for name in (group.name, group.sourcetype))
    return [name for name in names if name and name.startswith(incomplete)]


def complete_file(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let the shell complete file names."""
    return [CompletionItem(incomplete, type="file")]


def _complete_list(names: Iterable[str], incomplete: str) -> list[str]:
    """Complete the last word of a comma-separated list."""
    before, comma, begun = incomplete.rpartition(",")
    return [before + comma + name for name in names if name.startswith(begun)]


def complete_call_set(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the completions of a set of system calls: names and classes, also after `!`."""
    from scopetrace.syscalls.call_set import ALL, CLASSES, call_names

    names = [ALL, *(f"%{name}" for name in CLASSES), *sorted(call_names())]
    before, comma, word = incomplete.rpartition(",")
    without = "!" if word.startswith("!") else ""
    return _complete_list([f"{before}{comma}{without}{name}" for name in names], incomplete)


def complete_call_error(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of errors with this prefix."""
    import errno

    return sorted(name for name in errno.errorcode.values() if name.startswith(incomplete.upper()))


def complete_explained(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of calls, errors and flags with this prefix."""
    from scopetrace.output.explain import known_names

    prefixes = (incomplete, incomplete.upper())
    return sorted(name for name in known_names() if name.startswith(prefixes))
