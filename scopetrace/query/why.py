"""Why processes ended badly: the tree is followed to the process that failed first.

A shell or make ends badly because a child did. Which child that was is not recorded; it is taken
for the one whose status the parent repeats, or which ended last before the parent did, with nothing
that succeeded in between.
"""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from scopetrace.model.names import signal_name
from scopetrace.model.process_tree import ProcessNode, all_nodes, is_copy
from scopetrace.model.session import SessionInfo
from scopetrace.model.why import BadEnd, Failure, Why
from scopetrace.query.conditions import in_images
from scopetrace.query.failures import (
    ProcessEvents,
    did_much_after,
    errors_after,
    last_calls,
    last_events,
)
from scopetrace.query.few_events import few_events
from scopetrace.query.last_lines import LOG, STDERR, STDOUT, last_lines
from scopetrace.query.last_output import MOST_READ, NAMED_IN_PART, WORDED, LastOutput
from scopetrace.query.path_classes import PathClasses
from scopetrace.query.startup import start_up_images
from scopetrace.query.tree import read_tree

MOST_ENDS = 5
MOST_LOOKED_AT = 20
"""So many processes that ended badly are looked at."""
SOON_NS = 500_000_000
"""A parent that passes a failure on ends so soon after the child."""
BY_SIGNAL = 128
"""A shell's status for a child that a signal ended is this and the signal's number."""
BUILDERS = frozenset(("make", "gmake", "ninja", "samu"))
"""Programs that wait for other children after the first that failed."""
CLEANERS = frozenset(("rm", "rmdir", "kill"))
"""Programs that scripts start when they end, for whatever reason (`trap 'rm -f tmp' EXIT`)."""


def read_why(db: sqlite3.Connection, info: SessionInfo, classes: PathClasses) -> Why:
    """Return why the processes of a session that ended badly did, without those of the start-up."""
    roots = read_tree(db)
    nodes, start_up = [*all_nodes(roots)], start_up_images(db, classes)
    failed = [node for node in nodes if node.failed and node.key not in start_up]
    looked_at: list[tuple[ProcessNode, ...]] = []
    seen: set[int] = set()
    for node in _in_order(failed, info):
        if id(node) not in seen and len(looked_at) < MOST_LOOKED_AT:
            chain = _chain(db, node)
            seen.update(map(id, chain))
            looked_at.append(chain)
    found = _ends(db, looked_at, classes, nodes)
    ends = [end for place, end in enumerate(found) if _is_first(end, info) or _is_known(end)]
    shown = {id(node) for end in ends[:MOST_ENDS] for node in end.chain}
    others = sum(id(node) not in shown for node in failed)
    return Why(info, len(nodes), tuple(ends[:MOST_ENDS]), others)


def read_bad_end(
    db: sqlite3.Connection,
    info: SessionInfo,
    classes: PathClasses,
    roots: Sequence[ProcessNode],
) -> BadEnd | None:
    """Return why the first process of a session ended badly; None: it did not."""
    nodes = [*all_nodes(roots)]
    first = next((node for node in nodes if node.failed and node.pid == info.pid), None)
    return None if first is None else _ends(db, [_chain(db, first)], classes, nodes)[0]


def _ends(
    db: sqlite3.Connection,
    chains: Sequence[tuple[ProcessNode, ...]],
    classes: PathClasses,
    nodes: Sequence[ProcessNode],
) -> list[BadEnd]:
    programs = _programs(nodes)
    last = last_events(db, [image for chain in chains for image in _images(chain)])
    return [_end(db, chain, classes, nodes, programs, last) for chain in chains]


def _programs(nodes: Sequence[ProcessNode]) -> set[str]:
    """Return the names of the programs that ran."""
    images = [image for node in nodes for image in node.images]
    named = {_base_name(image.args[0]) for image in images if image.args}
    return {*(_base_name(image.exe) for image in images), *named}


def _base_name(path: str) -> str:
    return path.rpartition("/")[2]


def _in_order(failed: Sequence[ProcessNode], info: SessionInfo) -> Iterator[ProcessNode]:
    """Yield the first process, then the others, the one that ended last first."""
    yield from (node for node in failed if node.pid == info.pid)
    others = (node for node in failed if node.pid != info.pid)
    yield from sorted(others, key=lambda node: node.ended_ns or 0, reverse=True)


def _is_first(end: BadEnd, info: SessionInfo) -> bool:
    return end.chain[0].pid == info.pid


def _is_known(end: BadEnd) -> bool:
    """Whether anything is known of the reason: a `grep` that finds nothing ends badly, too.

    In a pipeline whose reader has read enough (`yes | head -1`) SIGPIPE ends the writer, as it
    should.
    """
    if end.origin.signal == signal.SIGPIPE:
        return bool(end.said) or any(each.data.get("error") != "EPIPE" for each in end.failures)
    return bool(end.failures or end.said or end.origin.signal is not None)


def _chain(db: sqlite3.Connection, node: ProcessNode) -> tuple[ProcessNode, ...]:
    """Return a process and the children by which its failure came."""
    chain = [node]
    while (child := _passed_on(chain[-1])) is not None and not _failed_after(db, chain[-1], child):
        chain.append(child)
    return tuple(chain)


def _failed_after(db: sqlite3.Connection, node: ProcessNode, child: ProcessNode) -> bool:
    """Return whether a process itself failed after a child had ended.

    A call failed, as it said last; or it went on with much else, and the child had not complained.
    """
    images = [image.id for image in node.images]
    first, errors = errors_after(db, images, child.ended_ns or 0)
    said = LastOutput(last_lines(db, images, first - 1, 1) if errors else ())
    if any(said.worth(data) >= NAMED_IN_PART + WORDED for data in errors):
        return True
    below = [image.id for _, each in child.walk() for image in each.images]
    return did_much_after(db, images, first) and not LastOutput(last_lines(db, below)).complaint


def _passed_on(node: ProcessNode) -> ProcessNode | None:
    """Return the child whose failure a process passed on; None: it failed itself."""
    ended = sorted(
        (child for child in node.children if child.ended_ns is not None),
        key=lambda child: child.ended_ns or 0,
    )
    if node.process.proc in BUILDERS:
        return next((child for child in ended if child.failed), None)
    begun_ns = max((child.started_ns for child in ended if not child.failed), default=0)
    last = [child for child in ended if child.failed and (child.ended_ns or 0) > begun_ns]
    repeated = next((child for child in last if _repeats(node, child)), None)
    if repeated is not None or not last:
        return repeated
    within = (node.ended_ns or 0) - (last[-1].ended_ns or 0) < SOON_NS
    return last[-1] if within and last[-1].signal != signal.SIGPIPE else None


def _repeats(node: ProcessNode, child: ProcessNode) -> bool:
    """Whether a process ended as its child did."""
    if child.signal is not None:
        return node.signal == child.signal or node.exit_code == BY_SIGNAL + child.signal
    return node.exit_code == child.exit_code


def _end(
    db: sqlite3.Connection,
    chain: tuple[ProcessNode, ...],
    classes: PathClasses,
    nodes: Sequence[ProcessNode],
    programs: set[str],
    last: Mapping[int, int],
) -> BadEnd:
    origin = chain[-1]
    images = _images(chain)
    events = ProcessEvents(db, images, last)
    stream, words = _last_output(db, chain, images, events.since)
    complaints = words if stream == STDERR or words.complaint else LastOutput()
    command = origin.process.command
    started = (each.started_ns for each in origin.children if each.process.proc not in CLEANERS)
    child_ns = max(started, default=0)
    failures: tuple[Failure, ...] = ()
    if _may_fail(origin):
        failures = events.failures(classes, complaints, programs, command, child_ns)
    said = complaints.said(failures[0].data if failures else None)
    shown = words.shown(said)
    delivered = {} if origin.signal is None else _delivered(db, images, origin.signal)
    sender = origin.killer_pid or delivered.get("sender_pid")
    before = () if origin.signal is None else last_calls(db, images, events.since, classes)
    return BadEnd(
        chain=chain,
        failures=failures,
        stderr=shown if stream == STDERR else (),
        stdout=shown if stream == STDOUT else (),
        log=shown if stream == LOG else (),
        said=said,
        signal=delivered,
        sender=next((node for node in nodes if node.pid == sender), None),
        last_calls=tuple(before),
    )


def _may_fail(node: ProcessNode) -> bool:
    """Whether a failed call can be why a process ended: none brings about SIGKILL."""
    return node.signal != signal.SIGKILL


def _images(chain: Sequence[ProcessNode]) -> list[int]:
    """Return the images of the process that failed first.

    A child that ran no program of its own did what its parent had prepared, as a shell that has
    looked for a command before it forks; so the parent's count as well.
    """
    found = [image.id for image in chain[-1].images]
    for parent, child in reversed(list(pairwise(chain))):
        if not is_copy(parent, child):
            break
        found += [image.id for image in parent.images]
    return found


def _last_output(
    db: sqlite3.Connection, chain: Sequence[ProcessNode], own: Sequence[int], since: int
) -> tuple[str, LastOutput]:
    """Return the last lines of the process that failed first, or of the next one that has any.

    They are on STDERR, or, if none of these processes wrote there, on STDOUT, or else in a LOG. A
    complaint of the first in a LOG comes before what others wrote: it may be its STDERR, as in a
    `configure` script; a complaint that the next command of a pipeline wrote may be, too.
    `own` are the images of the first.
    """
    streams = (STDERR, STDOUT, LOG)
    first, *rest = ((stream, node, node, True) for stream in streams for node in chain[::-1])
    piped = ((STDOUT, reader, writer, False) for writer, reader in _piped(chain))
    for stream, node, writer, is_sure in (first, (LOG, chain[-1], chain[-1], False), *piped, *rest):
        lines = last_lines(db, [image.id for image in node.images], since, MOST_READ, stream)
        is_own = writer.images[0].id in own
        found = LastOutput(lines, is_own, _base_name(writer.process.proc))
        if found.complaint or (lines and is_sure):
            return stream, found
    return STDERR, LastOutput()


def _piped(chain: Sequence[ProcessNode]) -> Iterator[tuple[ProcessNode, ProcessNode]]:
    """Yield each process of a chain with those that ran beside it, and succeeded."""
    for parent, child in pairwise(chain):
        for other in parent.children:
            both_ns = min(child.ended_ns or 0, other.ended_ns or 0)
            if not other.failed and max(child.started_ns, other.started_ns) < both_ns:
                yield child, other


def _delivered(db: sqlite3.Connection, images: Sequence[int], number: int) -> dict[str, Any]:
    """Return what is known of the last delivery of a signal to a process."""
    rows = db.execute(
        f"SELECT data FROM {few_events(db)} WHERE source = 'proc.signal'"
        f" AND +{in_images(images)} ORDER BY id DESC LIMIT 20"
    )
    name = signal_name(number)
    found = (json.loads(data) for (data,) in rows)
    return next((data for data in found if data.get("signal") == name), {})
