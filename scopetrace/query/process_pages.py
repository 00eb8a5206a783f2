"""Pages of the processes of a session, by key: the id of the last image of each.

A process has several images if it ran several programs. The last of them is the one that no exec
and no change of user replaced; the earlier ones are found by following `parent`.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from scopetrace.db.text import bindable
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.model.process_tree import ProcessNode
from scopetrace.query.conditions import Condition, all_of, marks
from scopetrace.query.records import read_process_ends, read_processes


class ProcessFilter(NamedTuple):
    """Which processes to return; an empty tuple does not filter."""

    pid: tuple[int, ...] = ()
    """These, and the processes that they started."""
    match: tuple[str, ...] = ()
    """Texts of which the command line or the path of the program contains one."""


def read_process_page(
    db: sqlite3.Connection, wanted: ProcessFilter, key: int, most: int, backwards: bool
) -> list[ProcessNode]:
    """Return at most `most` processes in the order in which they began, without their children.

    They are those just behind the key; if `backwards`, those just before it.
    """
    edge = Condition(f"id {'<' if backwards else '>'} ?", (key,))
    chosen = all_of([Condition("replaced IS NOT 1"), edge, *_conditions(wanted)])
    clauses = f"WHERE {chosen.sql} ORDER BY id {'DESC' if backwards else 'ASC'} LIMIT ?"
    images = sorted(read_processes(db, clauses, (*chosen.parameters, most)))
    ends = {end.id: end for end in read_process_ends(db, [image.id for image in images])}
    return [_node(db, image, ends.get(image.id)) for image in images]


def _conditions(wanted: ProcessFilter) -> list[Condition]:
    found = []
    if wanted.pid:
        places = marks(wanted.pid)
        sql = f"(pid IN ({places}) OR ppid IN ({places}))"
        found.append(Condition(sql, (*wanted.pid, *wanted.pid)))
    if wanted.match:
        one = "instr(cmd, CAST(? AS TEXT)) OR instr(exe, CAST(? AS TEXT))"
        texts = [bindable(text) for text in wanted.match for _ in range(2)]
        found.append(Condition(f"({' OR '.join([one] * len(wanted.match))})", tuple(texts)))
    return found


def _node(db: sqlite3.Connection, last: Process, end: ProcessEnd | None) -> ProcessNode:
    return ProcessNode(
        images=(*_images_before(db, last), last),
        ended_ns=end.ended_ns if end else None,
        exit_code=end.exit_code if end else None,
        signal=end.signal if end else None,
        cpu_us=None,
        max_rss_kib=None,
        children=(),
    )


def _images_before(db: sqlite3.Connection, image: Process) -> list[Process]:
    """Return the images that a process was before `image`, the first one first."""
    found: list[Process] = []
    while True:
        clauses = "WHERE id = ? AND pid = ? AND replaced"
        before = next(read_processes(db, clauses, (image.parent, image.pid)), None)
        if before is None:
            return found[::-1]
        found.append(before)
        image = before
