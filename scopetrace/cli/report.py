"""`scopetrace report`: a session as one HTML page, or its peers and files as two tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scopetrace.cli.answers import (
    chosen_form,
    format_option,
    on_terminal,
    print_bodies,
    report_hidden,
    start_up_option,
)
from scopetrace.cli.options import session_argument
from scopetrace.cli.shell_complete import complete_file
from scopetrace.errors import UsageError
from scopetrace.model.shown import escape

if TYPE_CHECKING:
    from scopetrace.query import Session

STDOUT = Path("-")
NONE = "none"
"""In place of a table without rows."""


@click.command()
@session_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    shell_complete=complete_file,
    help="Write an HTML page instead; - is standard output.",
)
@click.option(
    "--redact",
    is_flag=True,
    help="Leave out of the page: messages, bodies, queries of URLs, and what looks like a secret.",
)
@click.option("-f", "--force", is_flag=True, help="Replace an existing file.")
@start_up_option("files")
@format_option
def report(
    session: str | None,
    output: Path | None,
    redact: bool,
    force: bool,
    start_up: bool,
    form: str | None,
    as_json: bool,
) -> None:
    """Write a session as one HTML page, or print its peers and files.

    The page needs no network and can be sent to others: how the program ended, the processes on a
    line of time, errors, files as a tree, connections with requests, what was written, and search.
    With `run -p` it has the header fields and the beginning of the bodies of HTTP/1. It is not
    larger than 3 MB: what is left out is counted.

    \b
    scopetrace report                    whom it talked to, and which files it used
    scopetrace report 12 -o report.html  a page about session 12
    scopetrace report --redact -o r.html without what must not be shown to others
    scopetrace report --format md        both tables for a document
    """
    from scopetrace.query import open_session

    chosen = chosen_form(form, as_json)
    if redact and output is None:
        raise UsageError("--redact needs -o FILE: the tables have no messages and no arguments")
    if output is not None and chosen != "table":
        raise UsageError(f"-o writes HTML: --{'json' if as_json else 'format'} is for the tables")
    with open_session(session) as opened:
        if output is not None:
            write_page(opened, output, force, redact)
        elif chosen != "table":
            _print_bodies(opened, chosen)
        else:
            _print_tables(opened, start_up)


def write_page(session: Session, path: Path, force: bool, redact: bool) -> None:
    """Write the page of a session and print where it is."""
    from scopetrace import __version__
    from scopetrace.cli.output_files import binary_stdout, new_file
    from scopetrace.output.report.page import page
    from scopetrace.query.report import read_report

    text = page(read_report(session, redact), __version__)
    with nullcontext(binary_stdout()) if path == STDOUT else new_file(path, force) as out:
        out.write(text)
        out.flush()
    if path != STDOUT:
        print(f"Wrote {escape(str(path))}.")


def _hosts(session: Session) -> dict[tuple[str, int], str]:
    """Return the first name that was asked for in requests to each address and port."""
    found: dict[tuple[str, int], str] = {}
    for event in session.events(source="http.req"):
        host, address = event.text("http_host"), event.text("net_peer_ip")
        if host and address:
            found.setdefault((address, event.integer("net_peer_port")), host)
    return found


def _print_bodies(session: Session, form: str) -> None:
    """Print the peers, then the files: in Markdown as two tables, else as rows of one."""
    from scopetrace.output import activity

    peers = activity.network_bodies(session.flows(), _hosts(session))
    files = activity.file_bodies(session.files())
    if form != "md":
        fields = (*activity.NETWORK_FIELDS, *activity.FILE_FIELDS)
        print_bodies(form, [*peers, *files], fields)
        return
    print(f"## {activity.NETWORK}\n")
    _print_rows(form, peers, activity.NETWORK_FIELDS)
    print(f"\n## {activity.FILES}\n")
    _print_rows(form, files, activity.FILE_FIELDS)


def _print_rows(form: str, bodies: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> None:
    if bodies:
        print_bodies(form, bodies, fields)
    else:
        print(NONE)


def _print_tables(session: Session, start_up: bool) -> None:
    from scopetrace.model.file_record import OWN
    from scopetrace.output import activity
    from scopetrace.output.width import terminal_columns

    width = terminal_columns(sys.stdout)
    files = session.files()
    own = [file for file in files if file.path_class == OWN]
    shown = own if on_terminal() and not start_up else files
    peers = activity.network_bodies(session.flows(), _hosts(session))
    network = activity.network_table(peers, width) if peers else NONE
    print(f"{activity.NETWORK}\n\n{network}\n")
    used = activity.file_bodies(shown)
    activities = activity.file_activity_table(used, width) if used else NONE
    print(f"{activity.FILES}\n\n{activities}")
    if len(shown) < len(files):
        report_hidden(len(files) - len(own), "start-up file")
