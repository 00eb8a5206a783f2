"""The status of a session: `running`, `exit 0`, `SIGKILL`, `interrupted`, `stopped`."""

from __future__ import annotations

from scopetrace.model.names import signal_name
from scopetrace.model.session import SessionInfo


def describe_status(info: SessionInfo) -> str:
    """Return how the program ended, or the session's status if that is not known.

    `incomplete` is appended to the program's status: `exit 0, incomplete`.
    """
    end = _program_end(info)
    if info.status == "finished":
        return end or info.status
    if info.status == "incomplete" and end:
        return f"{end}, {info.status}"
    return info.status


def _program_end(info: SessionInfo) -> str | None:
    if info.signal is not None:
        return signal_name(info.signal)
    return None if info.exit_code is None else f"exit {info.exit_code}"
