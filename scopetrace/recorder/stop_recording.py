"""End a recording from outside: signal its recorder, then wait for the status in the session."""

from __future__ import annotations

import os
import signal
import time

from scopetrace.errors import SessionError
from scopetrace.model.session import SessionInfo
from scopetrace.query import open_session

_PATIENCE_S = 10.0
"""How long the recorder may take to end the session."""
_POLL_INTERVAL_S = 0.02


def stop(info: SessionInfo, kill: bool = False) -> str:
    """End the recording of a running session and return a sentence that says what happened.

    Args:
        info: of a session whose status is "running".
        kill: end the program too, with all its processes.

    Raises:
        SessionError: its recorder is not ours, or does not answer.
    """
    try:
        os.kill(info.recorder_pid, signal.SIGTERM if kill else signal.SIGUSR1)
    except ProcessLookupError:
        pass  # it ended by itself meanwhile
    except PermissionError:
        raise SessionError(f"session {info.id} is recorded by another user") from None
    status = _await_end(info)
    if status not in ("stopped", "incomplete"):
        return f"session {info.id} ended by itself: {info.command} had finished"
    if kill:
        return f"recording of session {info.id} has ended, and {info.command} with it"
    return f"recording of session {info.id} has ended; {info.command} runs on, unrecorded"


def _await_end(info: SessionInfo) -> str:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with open_session(info.path) as session:
            status = session.info.status
        if status != "running":
            return status
        time.sleep(_POLL_INTERVAL_S)
    raise SessionError(f"the recorder of session {info.id} does not answer")
