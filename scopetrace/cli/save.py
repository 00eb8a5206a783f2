"""`scopetrace save`: a session as one file, to keep or to give to others."""

from __future__ import annotations

from pathlib import Path

import click

from scopetrace.cli.options import session_option
from scopetrace.cli.shell_complete import complete_file
from scopetrace.errors import UsageError
from scopetrace.model.shown import escape


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="[ID] FILE", shell_complete=complete_file)
@session_option
@click.option(
    "--redact",
    is_flag=True,
    help="Take out messages, payload, queries of URLs, and what looks like a secret.",
)
@click.option("-f", "--force", is_flag=True, help="Replace an existing file.")
def save(names: tuple[str, ...], session_id: str | None, redact: bool, force: bool) -> None:
    """Write a whole copy of a session to a file.

    Also of one that is being recorded: then with what is recorded by now. Every command reads the
    copy with `--id FILE`. ID is the number of a session or the path of its file; without it, the
    last one is copied.

    --redact takes out of the copy: the messages of console and logs and the payload, of which only
    the length stays; queries, users and passwords of URLs; the values of header fields, arguments,
    variables and settings whose names say that they are secret (Authorization, Cookie, --password,
    API_KEY...); and words that look like keys. Names of files, programs, hosts and users stay, and
    so does a secret where none is expected.

    \b
    scopetrace save nginx.db              the last session
    scopetrace save 12 nginx.db           session 12
    scopetrace save --redact 12 bug.db    without what must not be shown to others
    scopetrace events -i bug.db           read the copy
    """
    from scopetrace.cli.output_files import whole_file
    from scopetrace.output.units import format_size
    from scopetrace.query import open_session

    if len(names) + (session_id is not None) > 2:
        raise UsageError("give the ID of one session, and one FILE")
    if len(names) == 1 and names[0].isdecimal():
        raise UsageError(f"give a FILE for the copy of session {names[0]}")
    path = Path(names[-1])
    with open_session(names[0] if len(names) == 2 else session_id) as session:
        if path.exists() and path.samefile(session.path):
            raise UsageError(f"{path} is the session itself")
        with whole_file(path, force) as temporary:
            session.save(temporary, redact)
        number = session.info.id
    print(f"Wrote session {number} to {escape(str(path))} ({format_size(path.stat().st_size)}).")
