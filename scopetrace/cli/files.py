"""`scopetrace files`: which files the program used, and for what."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from scopetrace.cli.answers import (
    chosen_form,
    format_option,
    on_terminal,
    print_bodies,
    report_hidden,
)
from scopetrace.cli.options import last_option, process_options, session_argument
from scopetrace.cli.shell_complete import complete_file_field
from scopetrace.errors import UsageError
from scopetrace.model.shown import print_to_stderr

if TYPE_CHECKING:
    from scopetrace.model.file_record import FileRecord

USES = {
    "read": "Files that were read or mapped.",
    "written": "Files that were written, made or changed.",
    "missed": "Files that were looked for and not there.",
    "denied": "Files to which access was refused.",
    "deleted": "Files that were deleted.",
    "renamed": "Files that were renamed.",
}


def use_options(command: Any) -> Any:
    """Add `--read`, `--written`…, which reach the command under their names."""
    for name, help in reversed(USES.items()):
        command = click.option(f"--{name}", is_flag=True, help=help)(command)
    return command


@click.command()
@session_argument
@use_options
@process_options
@click.option("-m", "--match", metavar="TEXT", help="Only files whose name contains this text.")
@click.option(
    "--by", type=click.Choice(("dir", "proc", "package")), help="One row for each of these."
)
@last_option("Show the first N rows only.", "--top")
@click.option(
    "-s",
    "--sort",
    metavar="FIELD",
    shell_complete=complete_file_field,
    help="Order by this field of the JSON form, the largest first.  [default: first use]",
)
@click.option("-r", "--reverse", is_flag=True, help="Reverse the order.")
@click.option(
    "--relative", is_flag=True, help="Show paths below the session's folder as relative to it."
)
@click.option(
    "-A", "--all", "show_all", is_flag=True, help="Also show start-up files: all classes."
)
@format_option
def files(session: str | None, form: str | None, as_json: bool, **options: Any) -> None:
    """Show which files the program used, and for what.

    A file has one row, whatever names it had. USE: R read, W written or changed, O opened only,
    D deleted, N renamed, ✖ a call failed. On a terminal, only files of the class
    `own` are shown (scope.yml, pathclasses); -A shows all.

    \b
    scopetrace files                      the program's own files
    scopetrace files --missed -A          what was looked for and not there
    scopetrace files --written -s bytes   what was written, the most first
    scopetrace files --by dir --top 10    the ten folders with the most bytes
    scopetrace files --by package         by installed package; the rest by its class, as (own)
    """
    from scopetrace.model.file_record import OWN
    from scopetrace.query import open_session

    chosen = chosen_form(form, as_json)
    with open_session(session) as opened:
        apart = options["by"] == "proc"
        found = opened.files(options["pid"], options["proc"], apart=apart)
        found = _selected(found, options)
        if options["relative"]:
            found = _relative(found, opened.info.cwd)
        hidden = 0
        if on_terminal() and chosen == "table" and not _is_filtered(options):
            own = [file for file in found if file.path_class == OWN]
            hidden, found = len(found) - len(own), own
        if not found:
            print_to_stderr(f"session {opened.info.id} has no files that match")
    _show(found, options, chosen)
    if hidden:
        report_hidden(hidden, "start-up file")


def _is_filtered(options: dict[str, Any]) -> bool:
    return any(options[name] for name in ("show_all", "by", "pid", "proc", "match", *USES))


def _selected(files: list[FileRecord], options: dict[str, Any]) -> list[FileRecord]:
    """Return the files that have any of the uses that were asked for, in the order asked for."""
    from scopetrace.model.file_record import FILE_FIELDS
    from scopetrace.model.nearest import no_field

    field, uses = options["sort"], [name for name in USES if options[name]]
    if field is not None and field not in FILE_FIELDS:
        raise UsageError(no_field("file", field, FILE_FIELDS))
    if uses:
        files = [file for file in files if any(getattr(file, name) for name in uses)]
    if options["match"]:
        files = [f for f in files if any(options["match"] in name for name in (f.path, *f.names))]
    if field is not None:
        files = sorted(files, key=FILE_FIELDS[field], reverse=True)
    return files[::-1] if options["reverse"] else files


def _relative(files: list[FileRecord], folder: str) -> list[FileRecord]:
    from scopetrace.output.files import relative

    return [file._replace(path=relative(file.path, folder)) for file in files]


def _show(files: list[FileRecord], options: dict[str, Any], form: str) -> None:
    from scopetrace.model.file_record import FILE_FIELDS
    from scopetrace.output.files import GROUP_FIELDS, file_body, file_table, group_table, grouped
    from scopetrace.output.width import terminal_columns

    width, top = terminal_columns(sys.stdout), options["last"]
    if options["by"]:
        groups = grouped(files, options["by"])[:top]
        if form == "table":
            print(group_table(groups, width))
        else:
            print_bodies(form, groups, GROUP_FIELDS)
    elif form == "table":
        print(file_table(files[:top], width))
    else:
        print_bodies(form, [file_body(file) for file in files[:top]], tuple(FILE_FIELDS))
