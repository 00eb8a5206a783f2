"""`scopetrace stop`: end a recording before its program ends."""

from __future__ import annotations

import click

from scopetrace.cli.shell_complete import complete_session
from scopetrace.errors import SessionError, UsageError
from scopetrace.model.session import SessionInfo
from scopetrace.output.escape import escape
from scopetrace.query import list_sessions


@click.command()
@click.argument(
    "session", type=int, required=False, metavar="[ID]", shell_complete=complete_session
)
@click.option("--kill", is_flag=True, help="End the program too, with all its processes.")
def stop(session: int | None, kill: bool) -> None:
    """End the recording of a session.

    Without ID: the only session that is being recorded. What was recorded so far is kept. The
    program goes on, unrecorded; the recorder stays attached to it and lets its system calls
    through.

    \b
    scopetrace stop            end the recording; the program goes on
    scopetrace stop 3 --kill   end session 3, and its program
    """
    info = _chosen(session, list_sessions())
    from scopetrace.recorder import stop_recording

    print(escape(stop_recording.stop(info, kill)))


def _chosen(session: int | None, sessions: list[SessionInfo]) -> SessionInfo:
    running = [info for info in sessions if info.status == "running"]
    if session is not None:
        return _named(session, sessions)
    if not running:
        raise SessionError("no session is being recorded")
    if len(running) > 1:
        names = ", ".join(f"{info.id} ({info.command})" for info in running)
        raise UsageError(f"several sessions are being recorded: {names}; say which")
    return running[0]


def _named(session: int, sessions: list[SessionInfo]) -> SessionInfo:
    for info in sessions:
        if info.id == session:
            if info.status != "running":
                raise SessionError(f"session {session} is not being recorded: it is {info.status}")
            return info
    raise SessionError(f"there is no session {session}")
