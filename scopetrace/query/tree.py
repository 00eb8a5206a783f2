"""The processes of a session as a tree: images joined to processes, processes to their parents.

An image whose parent is an image of the same pid that was replaced continues that process (exec, a
change of user); any other one is the first of a process of its own.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from scopetrace.model.process import Process, ProcessEnd
from scopetrace.model.process_tree import ProcessNode
from scopetrace.query.collection import without_collection
from scopetrace.query.few_events import few_events
from scopetrace.query.kills import Kills, read_kills
from scopetrace.query.records import read_process_ends, read_processes
from scopetrace.query.sql_functions import JsonDecoder


class _Usage(NamedTuple):
    """What a proc.exit says of the resources that a process used."""

    cpu_us: int | None = None
    max_rss_kib: int | None = None
    process_group: int | None = None
    """Of a process that a signal ended."""


def read_tree(db: sqlite3.Connection) -> tuple[ProcessNode, ...]:
    """Return the processes that no other process of the session started, each with all below it."""
    with without_collection():
        return _read_tree(db)


def _read_tree(db: sqlite3.Connection) -> tuple[ProcessNode, ...]:
    ends = {end.id: end for end in read_process_ends(db)}
    chains: dict[int, list[Process]] = {}
    """Id of the first image of a process → its images."""
    first_of: dict[int, int] = {}
    for image in read_processes(db):
        first = _continued(image, first_of, chains, ends)
        first_of[image.id] = first
        chains.setdefault(first, []).append(image)
    return _joined(chains, first_of, ends, _usages(db), read_kills(db))


def _continued(
    image: Process,
    first_of: dict[int, int],
    chains: dict[int, list[Process]],
    ends: dict[int, ProcessEnd],
) -> int:
    """Return the id of the first image of the process that `image` belongs to, perhaps its own."""
    first = first_of.get(image.parent)
    before = ends.get(image.parent)
    if first is None or before is None or not before.replaced:
        return image.id
    return first if chains[first][-1].pid == image.pid else image.id


def _joined(
    chains: dict[int, list[Process]],
    first_of: dict[int, int],
    ends: dict[int, ProcessEnd],
    usages: dict[int, _Usage],
    kills: Kills,
) -> tuple[ProcessNode, ...]:
    """Join processes to their parents, the youngest first: a child is made before its parent."""
    below: dict[int, list[ProcessNode]] = {}
    for first in sorted(chains, reverse=True):
        images = chains[first]
        end, usage = ends.get(images[-1].id), usages.get(images[-1].id, _Usage())
        children = tuple(reversed(below.pop(first, [])))
        node = ProcessNode(
            tuple(images),
            end.ended_ns if end else None,
            end.exit_code if end else None,
            end.signal if end else None,
            usage.cpu_us,
            usage.max_rss_kib,
            children,
            kills.killer_of(images, end, usage.process_group),
        )
        below.setdefault(first_of.get(images[0].parent, 0), []).append(node)
    return tuple(reversed(below.get(0, [])))


def _usages(db: sqlite3.Connection) -> dict[int, _Usage]:
    """Return what each process used, by the id of its last image."""
    rows = db.execute(f"SELECT process, data FROM {few_events(db)} WHERE source = 'proc.exit'")
    found, decode = {}, JsonDecoder()
    for process, text in rows:
        data = decode(text)
        facts = (data.get(name) for name in ("cpu_own", "max_rss", "process_group"))
        found[process] = _Usage(*facts)
    return found
