"""Who touched what: finds out what a question is about, and has it answered.

A number is a pid. A path is first one in the folder of the session, then one as a program passed
it, then the end of one path alone: of a file that was there, if any was. What is no path that the
session knows is a peer: HOST:PORT, :PORT, HOST, or the path of a unix socket. What has a port is a
peer first, since looking for a name of a file takes a look at all events.
"""

from __future__ import annotations

import posixpath
import re
import sqlite3
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from scopetrace.errors import SessionError, UsageError
from scopetrace.model.nearest import nearest
from scopetrace.model.session import SessionInfo
from scopetrace.model.touch import PEER, Who
from scopetrace.query.moves import Moves, read_moves
from scopetrace.query.who_file import FileEvents, file_touches, last_rows
from scopetrace.query.who_peer import parse_peer, peer_names, peer_touches
from scopetrace.query.who_process import pids, process_touches

_PARENTS = re.compile(r"(\.\./)*")
_MOST_CANDIDATES = 10
_WHERE_NAMES_ARE = "scopetrace files and scopetrace flows list what it has"
_EVENTS_FOR_NAMES = 100_000
"""Among the names in so many events, the last ones, the nearest to a wrong name is sought."""


def read_who(db: sqlite3.Connection, info: SessionInfo, text: str) -> Who:
    """Return who touched the file, peer or process that `text` names.

    Raises:
        SessionError: the session has nothing about it.
        UsageError: it is the end of several paths.
    """
    if not text:
        raise UsageError("give a path, HOST:PORT or a process id")
    if text.isdecimal():
        found = process_touches(db, int(text))
        if found is None:
            raise SessionError(_no_process(info, int(text), pids(db)))
        return found
    peer = peer_touches(db, text, info.cwd)
    if peer is not None and parse_peer(text).port is not None:
        return peer
    moves, events = read_moves(db), FileEvents(db)
    names = _paths(events, info.cwd, text, moves)
    if len(names) > 1:
        raise UsageError(_ambiguous(text, names))
    file = file_touches(db, names, moves, events) if names else None
    if file is None and peer is None:
        raise SessionError(_nothing(db, info, text))
    return _joined(file, peer)


def _joined(file: Who | None, peer: Who | None) -> Who:
    """Return one answer: a unix socket is a file, too."""
    if file is None or peer is None:
        answer = file or peer
        assert answer is not None
        return answer
    touches = sorted((*file.touches, *peer.touches), key=lambda touch: touch.time_ns)
    return Who(PEER, file.subject, file.names, tuple(touches))


def _paths(events: FileEvents, folder: str, text: str, moves: Moves) -> list[str]:
    """Return the paths that `text` can mean: one, several if it is the end of them, or none."""
    full = posixpath.normpath(posixpath.join(folder, text))
    related = moves.family((full,))
    known = _names_like(events, related | moves.folders_above(related), text)
    if not (known.used | known.failed).isdisjoint(related):
        return [full]
    end = "/" + _PARENTS.sub("", posixpath.normpath(text))
    ends = [] if text.startswith("/") else [known.used, known.failed]
    found = (
        known.passed,
        *([name for name in names if name.endswith(end)] for names in ends),
    )
    return _one_of_each_file(next(filter(None, found), ()), moves)


class _Known(NamedTuple):
    """Names in a session that may be meant."""

    used: set[str]
    failed: set[str]
    """Of calls that failed."""
    passed: set[str]
    """What the program called by the very text that is asked for."""


def _names_like(events: FileEvents, names: AbstractSet[str], text: str) -> _Known:
    """Return at least the names that have the base name of one of `names`."""
    known = _Known(set(), set(), set())
    for row in events.alike(names):
        (known.failed if row.source == "fs.error" else known.used).update(row.names.all)
        if row.names.file_passed == text:
            known.passed.add(row.names.file)
    return known


def _one_of_each_file(names: Iterable[str], moves: Moves) -> list[str]:
    """Return one name of each file, where renames and links show that two are of one file."""
    left, found = sorted(names), list[str]()
    while left:
        found.append(left[0])
        same = moves.family(left[:1])
        left = [name for name in left if name not in same]
    return found


def _ambiguous(text: str, names: list[str]) -> str:
    listed = ", ".join(names[:_MOST_CANDIDATES])
    more = f" and {len(names) - _MOST_CANDIDATES} more" if len(names) > _MOST_CANDIDATES else ""
    return f"{len(names)} files are named {text}: {listed}{more}; give a whole path"


def _no_process(info: SessionInfo, pid: int, known: list[int]) -> str:
    near = sorted(sorted(known, key=lambda other: abs(other - pid))[:3])
    hint = f"; the nearest are {', '.join(map(str, near))}" if near else ""
    return f"session {info.id} has no process {pid}{hint}"


def _nothing(db: sqlite3.Connection, info: SessionInfo, text: str) -> str:
    """Return the sentence that nothing is known, with the nearest names of files and peers."""
    by_base: dict[str, str] = {}
    for row in last_rows(db, _EVENTS_FOR_NAMES):
        for name in row.names.all:
            by_base.setdefault(posixpath.basename(name), name)
    base = posixpath.basename(text.rstrip("/"))
    near = [by_base[name] for name in nearest(base, by_base)] + nearest(text, peer_names(db))
    hint = f"did you mean {' or '.join(near[:3])}?" if near else _WHERE_NAMES_ARE
    return f"session {info.id} has nothing about {text}; {hint}"
