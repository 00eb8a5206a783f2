"""The view of processes: a row for each, in the order in which they began."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from scopetrace.dash.place import Place, Scope
from scopetrace.dash.rows import PAGE, Part, Row, Want
from scopetrace.dash.view import View, ordered
from scopetrace.model.process_tree import PROCESS_FIELDS, ProcessNode
from scopetrace.model.session import SessionInfo
from scopetrace.output.answers import Column
from scopetrace.output.tree import status_text
from scopetrace.output.units import format_microseconds
from scopetrace.query import Session

MOST_SORTED = 1000
"""Rows that are shown of a view that is sorted."""
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
    sorts = ("", "duration_us")
    fields = PROCESS_FIELDS

    def read(self, session: Session, place: Place, want: Want) -> Iterator[Part | None]:
        """Yield the rows that are wanted."""
        if place.sort:
            yield from self._read_sorted(session, place)
            return
        nodes, info = self._page(session, place, want), session.info
        rows = [self.row(node, info) for node in nodes]
        yield Part(rows, at_end=len(rows) < want.most)

    def _read_sorted(self, session: Session, place: Place) -> Iterator[Part | None]:
        """Yield the first rows in the order of a field, after all processes have been read."""
        found: list[ProcessNode] = []
        for page in self._pages(session, place):
            found = ordered([*found, *page], place, _value)[:MOST_SORTED]
            yield None
        info = session.info
        note = f"only the first {MOST_SORTED:,}" if len(found) == MOST_SORTED else ""
        yield Part([self.row(node, info) for node in found], whole=True, note=note)

    def _pages(self, session: Session, place: Place) -> Iterator[list[ProcessNode]]:
        """Yield all processes, a page at a time."""
        want = Want(most=PAGE)
        while nodes := self._page(session, place._replace(reverse=False), want):
            yield nodes
            want = want._replace(key=nodes[-1].key)

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
        """Yield every process as `scopetrace tree -j` has it, in the order of the recording."""
        for nodes in self._pages(session, place):
            yield from (node.body() for node in nodes)

    def words(self, place: Place) -> list[str]:
        """Return the command that answers the same."""
        if place.scope.pid is None:
            return ["tree"]
        return ["tree", "-p", str(place.scope.pid), "--depth", "1"]

    def command(self, place: Place, session: str) -> str:
        """Return the command line that answers the same; jq sorts, as `tree` cannot."""
        if not place.sort:
            return super().command(place, session)
        known = f".{place.sort} // {'infinite' if place.reverse else '-1'}"
        order = f"sort_by({known})" + ("" if place.reverse else " | reverse")
        line = super().command(place._replace(match=""), session)
        found = f" | grep -F -e {shlex.quote(place.match)}" if place.match else ""
        return f"{line} -j{found} | jq -sc '{order} | .[]'"

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


def _value(node: ProcessNode, field: str) -> Any:
    return node.body().get(field)
