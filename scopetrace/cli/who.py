"""`scopetrace who`: everything that touched a file, a peer or a process, in order."""

from __future__ import annotations

import sys

import click

from scopetrace.cli.answers import chosen_form, format_option, print_bodies
from scopetrace.cli.options import session_option
from scopetrace.cli.shell_complete import complete_file


@click.command()
@click.argument("what", metavar="PATH|HOST:PORT|PID", shell_complete=complete_file)
@session_option
@format_option
def who(what: str, session_id: str | None, form: str | None, as_json: bool) -> None:
    """Show who touched a file, a peer or a process, in order.

    Each line ends with the process that did it and those that started it, up to the first: rm ← sh
    ← make. A file is followed through renames, and any of its names will do. A relative path
    starts from the folder of the session; the end of a path is enough if no other file has it. A
    peer is HOST:PORT, :PORT, HOST, a name that was looked up, or the path of a unix socket. TIME is
    in seconds since the start of the session. What a process read and wrote is one line, at the
    time at which it closed the file.

    \b
    scopetrace who app.conf         who read, wrote, renamed or deleted it
    scopetrace who /tmp/out.tmp     by the name that it had then
    scopetrace who db.example:5432  who connected, and what became of it
    scopetrace who :8080            who listened there, and who connected
    scopetrace who 4711             who started the process, what it did, how it ended
    """
    from scopetrace.model.touch import TOUCH_FIELDS
    from scopetrace.output.who import who_table
    from scopetrace.output.width import terminal_columns
    from scopetrace.query import open_session

    chosen = chosen_form(form, as_json)
    with open_session(session_id) as session:
        info, answer = session.info, session.who(what)
    if chosen == "table":
        print(who_table(answer, info.cwd, info.started_ns, terminal_columns(sys.stdout)))
    else:
        print_bodies(chosen, [touch.body() for touch in answer.touches], TOUCH_FIELDS[answer.kind])
