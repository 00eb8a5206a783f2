"""The view of processes: a row for each, in the order in which they began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from scopetrace.dash.place import Place, Scope
from scopetrace.dash.rows import PAGE, Part, Row, Want
from scopetrace.dash.view import View
from scopetrace.model.process_tree import PROCESS_FIELDS, ProcessNode
from scopetrace.model.session import SessionInfo
from scopetrace.output.answers import Column
from scopetrace.output.tree import status_text
from scopetrace.output.units import format_microseconds
from scopetrace.query import Session

_PAST_ALL = 2**62
"""A key behind that of any process."""


class ProcessesView(View):
    """Processes: who started them, when, how long, how they ended."""

    name = "processes"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("PID", right=True),
        Column("PPID", right=True),
        Column("START", right=True),
        Column("TIME", right=True),
        Column("END"),
        Column("COMMAND"),
    )
    fields = PROCESS_FIELDS

    def read(self, session: Session, place: Place, want: Want) -> Iterator[Part]:
        """Yield the rows that are wanted."""
        nodes, info = self._page(session, place, want), session.info
        rows = [self.row(node, info) for node in nodes]
        yield Part(rows, at_end=len(rows) < want.most)

    def row(self, node: ProcessNode, info: SessionInfo) -> Row:
        """Return the row of a process."""
        cells = (
            str(node.pid),
            str(node.images[0].ppid),
            f"{(node.started_ns - info.started_ns) / 1e9:.3f}",
            "" if node.duration_ns is None else format_microseconds(node.duration_ns // 1000),
            status_text(node),
            node.process.cmd or node.process.proc,
        )
        return Row(node.key, cells, Place("files", Scope(pid=node.pid, proc=node.process.proc)))

    def bodies(self, session: Session, place: Place) -> Iterator[Mapping[str, Any]]:
        """Yield every process as `scopetrace tree -j` has it."""
        want = Want(most=PAGE)
        while nodes := self._page(session, place, want):
            yield from (node.body() for node in nodes)
            want = want._replace(key=nodes[-1].key)

    def words(self, place: Place) -> list[str]:
        """Return the command that answers the same."""
        if place.scope.pid is None:
            return ["tree"]
        return ["tree", "-p", str(place.scope.pid), "--depth", "1"]

    def greps(self, place: Place) -> bool:
        """`tree` has no filter for a text."""
        return True

    def _page(self, session: Session, place: Place, want: Want) -> list[ProcessNode]:
        """Return the processes that are wanted, in the order in which they are shown."""
        upwards = want.forward != place.reverse
        nodes = session.process_page(
            want.edge(upwards, _PAST_ALL),
            want.most,
            pid=() if place.scope.pid is None else place.scope.pid,
            match=place.match or (),
            backwards=not upwards,
        )
        return nodes[::-1] if place.reverse else nodes
