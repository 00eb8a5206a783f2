"""How a session shows itself: a line in Python's prompt, its summary in a notebook."""

from __future__ import annotations

import html

from scopetrace.model.session import SessionInfo
from scopetrace.model.shown import escape, shell_line
from scopetrace.model.summary import Summary
from scopetrace.output.status import describe_status
from scopetrace.output.summary import summary_lines


def session_line(info: SessionInfo) -> str:
    """Return id, command and status of a session: `12: ls -l (exit 0)`.

    The end of the program counts, also while the processes that it left are recorded.
    """
    if info.status == "running" and (info.exit_code, info.signal) != (None, None):
        info = info._replace(status="finished")
    return f"{info.id}: {escape(shell_line(info.args))} ({describe_status(info)})"


def session_html(summary: Summary) -> str:
    """Return the summary as HTML, in which what the program chose is text."""
    text = "\n".join(summary_lines(summary, None))
    return f"<b>Session {html.escape(session_line(summary.info))}</b><pre>{html.escape(text)}</pre>"
