"""The manual pages, made from the help of the commands when the package is built (setup.py).

`scopetrace(1)` is about the program, `scopetrace-events(1)` and the others about a command each.
The macros are those of man(7). Only click is needed: the commands import the rest when they are
called.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from scopetrace import __version__
from scopetrace.cli.commands import COMMANDS, PROGRAM, STATUSES, cli

UNWRAPPED = "\b"
"""A paragraph that begins with this line is left as it is (click)."""

FILES = (
    ("$SCOPETRACE_HOME, $XDG_STATE_HOME/scopetrace, ~/.local/state/scopetrace", "The sessions."),
    (
        "$SCOPE_CONF_PATH, ./scope.yml, $XDG_CONFIG_HOME/scopetrace/scope.yml,"
        " /etc/scopetrace/scope.yml",
        "The configuration: the first that is found, and without any a default.",
    ),
)

ENVIRONMENT = (
    ("SCOPETRACE_HOME", "The folder of sessions."),
    ("SCOPETRACE_PAGER, PAGER", "The pager for long answers; empty or cat: none."),
    ("NO_COLOR", "If it is set: no colours."),
    ("SCOPE_*", "Keys of the configuration, each named there: scopetrace config --default."),
)


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    found = {f"{PROGRAM}.1": _page(PROGRAM, cli, _rest_of_program())}
    root = click.Context(cli, info_name=PROGRAM)
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        found[f"{PROGRAM}-{name}.1"] = _page(f"{PROGRAM} {name}", command, _see_also())
    return found


def write_pages(folder: Path) -> list[str]:
    """Write the pages into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {folder / name: text for name, text in pages().items()}
    for path, text in found.items():
        path.write_text(text, encoding="utf-8")
    return [*map(str, found)]


def _page(usage: str, command: click.Command, rest: Iterator[str]) -> str:
    context = click.Context(command, info_name=usage, help_option_names=["-h", "--help"])
    title = usage.replace(" ", "-")
    first, _, text = inspect.cleandoc(command.help or "").partition("\n\n")
    summary = " ".join(first.split()).rstrip(".")
    lines = [
        f'.TH "{_escaped(title.upper())}" 1 "" "{PROGRAM} {__version__}" "{PROGRAM}"',
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{_escaped(title)} \\- {_escaped(summary[0].lower() + summary[1:])}",
        ".SH SYNOPSIS",
        f".B {_escaped(usage)}",
        _escaped(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
        *_paragraphs(text or f"{summary}."),
        ".SH OPTIONS",
        *_options(command, context),
        *rest,
    ]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        unwrapped = paragraph.startswith(UNWRAPPED)
        yield ".PP"
        if unwrapped:
            yield from (".nf", ".RS 4")
        for line in paragraph.removeprefix(UNWRAPPED).strip("\n").split("\n"):
            yield _escaped(line if unwrapped else line.strip())
        if unwrapped:
            yield from (".RE", ".fi")


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for param in command.get_params(context):
        record = param.get_help_record(context)
        if record is not None and record[1]:
            yield from _item(*record)


def _item(term: str, text: str) -> tuple[str, str, str]:
    return ".TP", f".B {_escaped(term)}", _escaped(" ".join(text.split()))


def _rest_of_program() -> Iterator[str]:
    """Yield what only the page of the program has."""
    yield ".SH COMMANDS"
    for name, (_, line) in COMMANDS.items():
        yield from _item(name, line)
    yield ".SH EXIT STATUS"
    yield from _paragraphs(STATUSES.replace("Exit status:\n", ""))
    yield ".SH FILES"
    for paths, text in FILES:
        yield from _item(paths, text)
    yield ".SH ENVIRONMENT"
    for names, text in ENVIRONMENT:
        yield from _item(names, text)
    yield ".SH SEE ALSO"
    yield ", ".join(f"\\fB{_escaped(f'{PROGRAM}-{name}')}\\fR(1)" for name in COMMANDS)


def _see_also() -> Iterator[str]:
    yield from (".SH SEE ALSO", f"\\fB{PROGRAM}\\fR(1)")


def _escaped(text: str) -> str:
    """Return text in which troff reads no request and no escape (groff(7))."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe
