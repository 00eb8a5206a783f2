"""The view of processes: the tree of them, a row for each.

Filtered, sorted or reversed it is a list, and so it is if there are more than `MOST_IN_TREE`.
"""

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
from scopetrace.output.tree import drawn, status_text
from scopetrace.output.units import format_microseconds, hidden_text
from scopetrace.query import Session

MOST_IN_TREE = 5000
"""Processes whose rows are kept at a time."""
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

    def __init__(self) -> None:
        self._are_too_many = False
        self._tree = _Tree()
        """All processes, as they were when they were read last."""
        self._hidden: frozenset[int] = frozenset()
        """The keys of those of the start-up."""

    def is_tree(self, place: Place) -> bool:
        """Whether the rows are a tree."""
        return _is_whole(place) and not self._are_too_many

    def read(self, session: Session, place: Place, want: Want) -> Iterator[Part | None]:
        """Yield the rows that are wanted."""
        if place.sort:
            yield from self._read_sorted(session, place)
            return
        if self.is_tree(place):
            yield from self._read_tree(session, place)
        if not self.is_tree(place):
            yield self._read_list(session, place, want)

    def _read_tree(self, session: Session, place: Place) -> Iterator[Part | None]:
        """Yield the rows of all processes, first those read before; none if they are too many."""
        tree, info = _Tree(), session.info
        if self._tree:
            is_done = info.status != "running"
            yield self._part(place)._replace(is_done=is_done)
            if is_done:
                return
        for page in self._pages(session, place):
            for node in page:
                tree.add(node, self.row(node, info))
            self._are_too_many = len(tree) > MOST_IN_TREE
            if self._are_too_many:
                return
            yield None
        self._tree, self._hidden = tree, session.start_up_images()
        yield self._part(place)

    def _part(self, place: Place) -> Part:
        """Return the rows of the tree, without those of the start-up unless they are wanted."""
        hidden = frozenset() if place.show_all else self._hidden
        rows, left_out = self._tree.rows(place.folded, hidden)
        note = hidden_text(left_out, "start-up process", "a") if left_out else ""
        return Part(rows, whole=True, note=note)

    def _read_list(self, session: Session, place: Place, want: Want) -> Part:
        nodes, info = self._page(session, place, want), session.info
        rows = [self.row(node, info) for node in nodes]
        note = f"a list: a tree has at most {MOST_IN_TREE:,} processes" if _is_whole(place) else ""
        return Part(rows, at_end=len(rows) < want.most, note=note)

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
            status_text(node, live=info.status == "running"),
            node.process.command,
        )
        return Row(node.key, cells, Place("files", Scope(pid=node.pid, proc=node.process.proc)))

    def bodies(self, session: Session, place: Place) -> Iterator[Mapping[str, Any]]:
        """Yield every process as `scopetrace tree -j` has it, in the order of the recording."""
        for nodes in self._pages(session, place):
            yield from (node.body() for node in nodes)

    def words(self, place: Place) -> list[str]:
        """Return the command that answers the same."""
        if place.scope.pid is None:
            return ["tree", "-A"] if place.show_all else ["tree"]
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


def _is_whole(place: Place) -> bool:
    """Whether all processes are shown, in the order of the recording."""
    return not (place.sort or place.reverse or place.match) and place.scope.pid is None


class _Tree:
    """The rows of processes, put below those of their parents."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        """Key of a process, the id of its first image → its row."""
        self._parents: dict[int, int] = {}
        """Key of a process → the image that started it."""
        self._key_of: dict[int, int] = {}
        """Id of an image → key of its process."""
        self._last: dict[int, int] = {}
        """Key of a process → the last image of it."""

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, node: ProcessNode, row: Row) -> None:
        """Take a process."""
        first = node.images[0]
        self._key_of.update((image.id, first.id) for image in node.images)
        self._parents[first.id] = first.parent
        self._last[first.id] = node.key
        self._rows[first.id] = row._replace(key=first.id)

    def rows(self, folded: frozenset[int], hidden: frozenset[int]) -> tuple[list[Row], int]:
        """Return the rows, a parent before its children, without those below `folded` ones.

        Processes whose last images are `hidden` are left out, and counted.
        """
        below: dict[int, list[int]] = {}
        shown = [key for key in sorted(self._rows) if self._last[key] not in hidden]
        for key in shown:
            below.setdefault(self._key_of.get(self._parents[key], 0), []).append(key)

        def children(key: int, level: int) -> list[int]:
            return [] if key in folded else below.get(key, [])

        rows = [
            self._row(key, branch, _count_below(key, below) if key in folded else 0)
            for key, branch in drawn(below.get(0, []), children)
        ]
        return rows, len(self._rows) - len(shown)

    def _row(self, key: int, branch: str, hidden: int) -> Row:
        row = self._rows[key]
        mark = f"[+{hidden}] " if hidden else ""
        return row._replace(cells=(*row.cells[:-1], f"{branch}{mark}{row.cells[-1]}"))


def _count_below(key: int, below: Mapping[int, list[int]]) -> int:
    """Return how many processes are below one."""
    return sum(1 for _ in drawn([key], lambda each, level: below.get(each, []))) - 1


def _value(node: ProcessNode, field: str) -> Any:
    return node.body().get(field)
