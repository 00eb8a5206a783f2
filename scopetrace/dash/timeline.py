"""The view of the time: a row for each process, with a bar from its start to its end."""

from __future__ import annotations

import time

from scopetrace.dash.place import Place, Scope
from scopetrace.dash.processes import ProcessesView
from scopetrace.dash.rows import Row
from scopetrace.model.process_tree import ProcessNode
from scopetrace.model.session import SessionInfo
from scopetrace.output.answers import Column
from scopetrace.output.units import format_duration

BAR_COLUMNS = 32
"""The whole time of the session."""


class TimelineView(ProcessesView):
    """When each process ran."""

    name = "timeline"
    columns = (
        Column("PID", right=True),
        Column("START", right=True),
        Column("|" + "from the first to the last".center(BAR_COLUMNS - 2) + "|"),
        Column("COMMAND"),
    )

    def row(self, node: ProcessNode, info: SessionInfo) -> Row:
        """Return the row of a process."""
        end_ns = time.time_ns() if info.ended_ns is None else info.ended_ns
        cells = (
            str(node.pid),
            format_duration(node.started_ns - info.started_ns),
            bar(node, info.started_ns, end_ns),
            node.process.command,
        )
        scope = Scope(pid=node.pid, proc=node.process.proc)
        return Row(node.key, cells, Place("events", scope))

    def words(self, place: Place) -> list[str]:
        """Return the command that answers the same."""
        return [*super().words(place), "-t"]


def bar(node: ProcessNode, first_ns: int, last_ns: int) -> str:
    """Return the time in which a process ran, as a part of the time from `first_ns` to `last_ns`.

    The bar of a process that failed ends with an x, that of one whose end is not known with a >.
    """
    span_ns = max(last_ns - first_ns, 1)
    start = _column(node.started_ns - first_ns, span_ns)
    end = _column((node.ended_ns or last_ns) - first_ns, span_ns)
    mark = "x" if node.failed else ">" if node.ended_ns is None else "="
    return " " * start + "=" * (end - start) + mark


def _column(after_ns: int, span_ns: int) -> int:
    return max(0, min(after_ns * BAR_COLUMNS // span_ns, BAR_COLUMNS - 1))
