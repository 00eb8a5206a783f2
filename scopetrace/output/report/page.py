"""Put the page together: its three files, and the data as JSON."""

from __future__ import annotations

import base64
import hashlib
import html
from importlib.resources import files
from string import Template
from typing import Any

from scopetrace.model.report import ReportInput
from scopetrace.model.shown import shell_line
from scopetrace.model.summary import Summary
from scopetrace.output.escape import escape
from scopetrace.output.json_bytes import json_bytes
from scopetrace.output.report.parts import FILES, LINES, PROCESSES, Part, parts
from scopetrace.output.status import describe_status
from scopetrace.output.summary import summary_facts

COMMANDS = {
    "timeline": "tree -t --id {id}",
    "errors": "why {id}",
    PROCESSES: "tree --id {id}",
    FILES: "files --id {id} --sort bytes",
    "network": "flows --id {id} -a",
    "output": "events --id {id} -t console -t file -a",
}
"""Section of the page → the command that shows the same."""


def page(found: ReportInput, version: str) -> bytes:
    """Return the page; `version` is that of scopetrace."""
    folder = files("scopetrace.output.report")
    text = {name: (folder / f"page.{name}").read_text("utf-8") for name in ("html", "css", "js")}
    title = html.escape(f"{escape(found.summary.info.command)}, session {found.summary.info.id}")
    filled = Template(text["html"]).substitute(
        style=text["css"],
        script=text["js"],
        style_hash=_hash(text["css"]),
        script_hash=_hash(text["js"]),
        title=title,
        data=script_safe(_data(found, version)),
    )
    return filled.encode()


def script_safe(value: Any) -> str:
    """Return JSON that can stand in a script element: nothing in it ends the element."""
    return json_bytes(value).decode().replace("<", "\\u003c")


def _hash(text: str) -> str:
    """Return the hash by which a Content-Security-Policy knows an inline script or style."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(found: ReportInput, version: str) -> dict[str, Any]:
    """Return all that page.js shows."""
    info = found.summary.info
    shown = parts(found)
    return {
        "session": {
            "title": escape(shell_line(info.args)),
            "facts": list(summary_facts(found.summary)),
            "outcome": _outcome(found.summary),
            "duration_us": _duration_us(found.summary, shown),
            "made": f"Session {info.id}, recorded and written by scopetrace {escape(version)}.",
        },
        "commands": {
            part: f"scopetrace {command.format(id=info.id)}" for part, command in COMMANDS.items()
        },
        "parts": {name: part._asdict() for name, part in shown.items()},
    }


def _outcome(summary: Summary) -> str:
    """Return ok, failed, or unknown if no end was recorded."""
    if summary.info.exit_code is None and summary.info.signal is None:
        return "unknown"
    return "ok" if describe_status(summary.info) == "exit 0" else "failed"


def _duration_us(summary: Summary, shown: dict[str, Part]) -> int:
    """Return how long the axis of time is: to the end, or to the last thing that is known."""
    info = summary.info
    ends = [info.ended_ns or 0]
    ends += [
        time_ns
        for node in summary.processes
        for time_ns in (node.ended_ns, node.started_ns)
        if time_ns
    ]
    ends += [flow.closed_ns or flow.opened_ns for flow in summary.flows]
    last_us = (max(ends) - info.started_ns) // 1000
    written_us: list[int] = [row[0] for row in shown[LINES].rows[-1:]]
    return max(1, last_us, *written_us)
