"""`scopetrace dash`: a session in the terminal, to look around in."""

from __future__ import annotations

import gc
import os
import sys

import click

from scopetrace.cli.options import session_argument
from scopetrace.errors import ScopeError, UsageError

SWITCH_INTERVAL_S = 0.001
"""So long a key waits for the thread that reads, at each step of its way to the screen."""
COLLECTION_THRESHOLDS = (5_000, 10, 1_000)
"""Those of `gc`: a look at all objects, of which tens of thousands are files, takes 0.1 s."""


@click.command()
@session_argument
def dash(session: str | None) -> None:
    """Look around in a session: processes, files, network, errors, logs, timeline.

    Enter narrows (a process to its files, a file to its events), Backspace widens, Space folds what
    is below a process; ? lists the keys. A session that is being recorded is shown while it grows.
    This needs Textual: pip install 'scopetrace[dash]'.

    \b
    scopetrace dash      the last session
    scopetrace dash 12   session 12
    """
    if not on_terminal():
        raise UsageError("the dashboard needs a terminal; `scopetrace summary` needs none")
    try:
        from scopetrace.dash.app import Dashboard
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("textual", "rich"):
            raise
        raise ScopeError("the dashboard needs Textual: pip install 'scopetrace[dash]'") from None
    from scopetrace.query import open_session

    with open_session(session) as opened:
        path, number = opened.path, opened.info.id
    prefer_keys()
    is_path = session is not None and not session.isdecimal()
    # Without the mouse, with which a terminal selects text: the command line of a view, say.
    Dashboard(path, str(path) if is_path else str(number)).run(mouse=False)


def prefer_keys() -> None:
    """Have neither the thread that reads nor the collection of garbage delay keys."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()
    gc.set_threshold(*COLLECTION_THRESHOLDS)


def on_terminal() -> bool:
    """Return whether a terminal gives keys and takes the screen, which Textual writes to fd 2."""
    return all(map(os.isatty, range(3)))
