"""How a session stands or ended: `running`, `exit 0`, `SIGKILL`, `interrupted`, `stopped`."""

from __future__ import annotations

import signal

from scopetrace.model.session import SessionInfo


def describe_status(info: SessionInfo) -> str:
    """Return how the program ended, or else why that is not known.

    `incomplete` comes after the program's own end: `exit 0, incomplete`.
    """
    end = _program_end(info)
    if info.status == "finished":
        return end or info.status
    if info.status == "incomplete" and end:
        return f"{end}, {info.status}"
    return info.status


def signal_name(number: int) -> str:
    """Return a signal's name as signal(7) has it: `SIGKILL`, `SIGRTMIN+3`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        first = int(signal.SIGRTMIN)
        return f"SIGRTMIN+{number - first}" if number > first else f"signal {number}"


def _program_end(info: SessionInfo) -> str | None:
    if info.signal is not None:
        return signal_name(info.signal)
    return None if info.exit_code is None else f"exit {info.exit_code}"
