"""`scopetrace explain`: what a system call did or does, what an error or a flag means."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import click

from scopetrace.cli.options import json_option, session_option
from scopetrace.cli.shell_complete import complete_explained
from scopetrace.errors import ScopeError, UsageError

if TYPE_CHECKING:
    from scopetrace.output.call_explained import CallExplained
    from scopetrace.output.explain import Part
    from scopetrace.query import Session

ERROR_PAGE = ("3", "errno")


@click.command()
@session_option
@click.argument(
    "subject", metavar="[N|CALL|ERROR]", required=False, shell_complete=complete_explained
)
@click.option("--event", is_flag=True, help="N is the number of an event, not of a call.")
@click.option("--man", is_flag=True, help="Show the manual page that is installed here.")
@json_option
def explain(
    session_id: str | None, subject: str | None, event: bool, man: bool, as_json: bool
) -> None:
    """Explain a system call, an error or a flag.

    N is the number of a call that `scopetrace run --syscalls` recorded, as `scopetrace syscalls
    --explain` shows it; where no calls were recorded, it is that of an event. The answer says what
    this call did, what each argument meant, why it failed, and which calls belong to it. CALL,
    ERROR and flags need no session.

    \b
    scopetrace explain            what can be explained
    scopetrace explain openat     what the call does and what it returns
    scopetrace explain EACCES     what the error means, and where to look
    scopetrace explain O_CREAT    what the flag means
    scopetrace explain 37         call 37 of the last session
    scopetrace explain --event 9  the call of event 9, and why it failed
    scopetrace explain openat --man
    """
    if man:
        _show_man_page(session_id, subject or "", event)
    elif subject is not None and subject.isdecimal():
        _explain_number(session_id, int(subject), event, as_json)
    elif event:
        raise UsageError("--event needs the number of an event")
    else:
        _print("", _text(subject) if subject else _list(), as_json)


def _print(head: str, parts: list[Part], as_json: bool) -> None:
    from scopetrace.output.explain import explained_lines
    from scopetrace.output.width import READABLE_COLUMNS, wrap_columns
    from scopetrace.wire.ndjson import json_line

    if as_json:
        print(json_line(dict(parts)))
        return
    if head:
        print(head)
    for line in explained_lines(parts, wrap_columns(sys.stdout, READABLE_COLUMNS)):
        print(line)


def _list() -> list[Part]:
    from scopetrace.output.explain import list_parts

    return list_parts()


def _text(name: str) -> list[Part]:
    """Return what is to be said of a call, an error or a flag.

    Raises:
        UsageError: there is none of this name.
    """
    from scopetrace.explain.texts import errors
    from scopetrace.model.nearest import did_you_mean
    from scopetrace.output.explain import call_parts, error_parts, known_names, name_parts

    error = errors().get(name.upper())
    parts = error_parts(error) if error else call_parts(name) or name_parts(name.upper())
    if not parts:
        near = did_you_mean(name, known_names())
        raise UsageError(f"no system call, error or flag is named {name}{near}")
    return parts


# -- by number -----------------------------------------------------------------------------------


def _explain_number(session_id: str | None, number: int, event: bool, as_json: bool) -> None:
    from scopetrace.query import open_session

    with open_session(session_id) as session:
        if not event and session.syscall_query().is_recorded:
            _print_call(_call(session, number), as_json)
        else:
            _print(*_event(session, number), as_json)


def _call(session: Session, number: int) -> CallExplained:
    from scopetrace.output.call_explained import explained_call, related_lines
    from scopetrace.output.syscall_lines import CallLines, LineOptions

    shown = session.syscall(number)
    query = session.syscall_query()
    lines = CallLines(LineOptions())
    related = related_lines(query.chain(shown), lines)
    line = lines.text(shown.made, shown.files)
    return explained_call(*shown, line, query.failure(shown.made), related)


def _print_call(found: CallExplained, as_json: bool) -> None:
    from scopetrace.output.call_explained import call_explained_body, call_lines
    from scopetrace.output.width import READABLE_COLUMNS, wrap_columns
    from scopetrace.wire.ndjson import json_line

    if as_json:
        print(json_line(call_explained_body(found)))
        return
    for line in call_lines(found, wrap_columns(sys.stdout, READABLE_COLUMNS)):
        print(line)


def _event(session: Session, number: int) -> tuple[str, list[Part]]:
    """Return an event as a line, and what is to be said of its call."""
    from scopetrace.output.event_lines import LineFormat
    from scopetrace.output.explain import event_parts

    event = session.event(number)
    parts = event_parts(event)
    if not parts:
        raise UsageError(f"event {number} ({event.source}) is not about one system call")
    return LineFormat().format(event), parts


# -- manual pages --------------------------------------------------------------------------------


def _show_man_page(session_id: str | None, subject: str, event: bool) -> None:
    """Run man(1) for the page of a call or of errno.

    Raises:
        ScopeError: man or the page is not installed.
    """
    if not subject:
        raise UsageError("--man needs a system call, an error or a number")
    page = _page_of(session_id, subject, event)
    program = shutil.which("man")
    if program is None:
        raise ScopeError("man is not installed, so there is no manual page to show")
    status = subprocess.run([program, *page], check=False, stderr=subprocess.DEVNULL).returncode
    if status:
        raise ScopeError(f"there is no manual page {page[1]}({page[0]}) on this machine")


def _page_of(session_id: str | None, subject: str, event: bool) -> tuple[str, str]:
    """Return section and name of the manual page."""
    from scopetrace.explain.texts import errors
    from scopetrace.output.explain import call_parts
    from scopetrace.output.syscall_prototypes import man_name

    if subject.isdecimal():
        subject = _name_of(session_id, int(subject), event)
    elif subject.upper() in errors():
        return ERROR_PAGE
    elif not call_parts(subject):
        _text(subject)
        raise UsageError(f"{subject} has no manual page of its own")
    return "2", man_name(subject)


def _name_of(session_id: str | None, number: int, event: bool) -> str:
    from scopetrace.query import open_session

    with open_session(session_id) as session:
        if not event and session.syscall_query().is_recorded:
            return session.syscall(number).made.name
        found = session.event(number).data.get("op", "")
    if not found:
        raise UsageError(f"event {number} is not about one system call")
    return str(found)
