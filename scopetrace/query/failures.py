"""Which of the calls that failed in a process may be why it ended badly.

Most calls that fail are how programs look for things: a library, a configuration, a program in
PATH. So a failure counts if what was looked for was found nowhere else, if it is no start-up noise
(`query.path_classes`), and the more the nearer it is to the end; what the process names in its last
words on stderr comes first. Only the last events of a process are read, so that the answer takes as
long for a million events as for a thousand.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from scopetrace.model.file_record import OWN
from scopetrace.model.why import Failure, LastCall
from scopetrace.query.path_classes import PathClasses
from scopetrace.query.sql_functions import JsonDecoder

WINDOW = 50_000
"""So many events before the end of a process are looked at, of all processes."""
MOST_FAILURES = 3
LAST_CALLS = 3
ERRORS = ("fs.error", "net.error", "proc.error", "dns.error")
NO_FAILURES = frozenset(("EINTR", "EINPROGRESS", "EALREADY", "ENOTTY", "ESPIPE", "ECHILD"))
"""Errors that say how things stand."""
RETRY, NOT_THERE = "EAGAIN", frozenset(("ENOENT", "ENOTDIR"))
LOCK = "lock"
PROBES = frozenset(("stat", "lock", "seek"))
"""Classes of calls that ask rather than do."""
SEARCHES = frozenset(("stat", "exec"))
"""Classes of calls by which programs are looked for in PATH."""
NAMED_WHOLE, NAMED_IN_PART, WORDED = 100, 60, 20
"""What it is worth that stderr has the whole path, its last name, or the words of the error."""
REFUSED, PROBE, NOISE = 15, -10, -60
"""What it is worth that an error is another than ENOENT, of a question, or of start-up noise."""
LEAST = -35
"""A failure that is worth less is none that matters."""
FARTHEST = 30
"""So much less at most is worth what is farther from the end, or is shown beside the best."""
SHORTEST_NAME = 3


class ProcessEvents:
    """The last events of one process, as far as they may say why it ended so."""

    def __init__(self, db: sqlite3.Connection, images: Collection[int]) -> None:
        listed = ", ".join(map(str, images))
        (last,) = db.execute(f"SELECT max(id) FROM event WHERE process IN ({listed})").fetchone()
        self.since = max((last or 0) - WINDOW, 0)
        """The id of the last event before the window."""
        sources = ", ".join(f"'{name}'" for name in (*ERRORS, "fs.open", "proc.start"))
        self._rows = db.execute(
            f"SELECT id, time_ns, source, data FROM event WHERE process IN ({listed})"
            f" AND id > ? AND +source IN ({sources}) AND sourcetype <> 'metric' ORDER BY id",
            (self.since,),
        ).fetchall()

    def failures(
        self, classes: PathClasses, stderr: Sequence[str], programs: set[str]
    ) -> tuple[Failure, ...]:
        """Return the failures that matter, the likeliest reason first."""
        found, opened = [], set(programs)
        decode = JsonDecoder()
        for number, time_ns, source, text in reversed(self._rows):
            data = decode(text)
            if source in ("fs.open", "proc.start"):
                opened.add(_last_name(data.get("file") or data.get("exe", "")))
            elif not _says_how_things_stand(data):
                resolved = _may_be_elsewhere(data) and _last_name(_path(data)) in opened
                found.append(_Found(number, time_ns, source, data, resolved))
        ranked = _ranked(_merged(found), classes, stderr)
        return tuple(ranked[:MOST_FAILURES])


class _Found(NamedTuple):
    """A failure before it is ranked."""

    event: int
    time_ns: int
    source: str
    data: dict[str, Any]
    resolved: bool
    """Another file of its name was there."""


def _says_how_things_stand(data: dict[str, Any]) -> bool:
    error = data.get("error", "")
    return error in NO_FAILURES or (error == RETRY and data.get("class") not in (LOCK, None))


def _may_be_elsewhere(data: dict[str, Any]) -> bool:
    """Whether a call may have been one of those that look for a file in several folders."""
    error = data["error"]
    return error in NOT_THERE or (error == "EACCES" and data.get("class") in SEARCHES)


def _path(data: dict[str, Any]) -> str:
    return str(data.get("file") or data.get("unix_peer_path") or data.get("unix_local_path") or "")


def _last_name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _merged(found: Iterable[_Found]) -> list[tuple[_Found, int, int]]:
    """Join what failed alike; return each with how often that was, and in how many folders.

    Alike are the same call on the same thing, and searches for one name through several folders.
    """
    groups: dict[tuple[Any, ...], list[_Found]] = {}
    for each in found:
        groups.setdefault(_likeness(each), []).append(each)
    return [
        (_speaker(alike), len(alike), len({_path(each.data) for each in alike}) or 1)
        for alike in groups.values()
    ]


def _speaker(alike: Sequence[_Found]) -> _Found:
    """Return the last of several; of a search the last that found nothing, not one refused."""
    return next((each for each in alike if each.data["error"] == "ENOENT"), alike[0])


def _likeness(found: _Found) -> tuple[Any, ...]:
    data = found.data
    path = _path(data)
    if path and _is_of_search(data):
        return (found.source, data.get("class"), _last_name(path))
    ends = tuple(data.get(name) for name in ("net_peer_ip", "net_peer_port", "net_host_port"))
    return (found.source, data.get("op"), path, data["error"], data.get("what"), ends)


def _is_of_search(data: dict[str, Any]) -> bool:
    """Whether a file was looked for by its name where it is not, or in a folder that refuses."""
    if data["error"] == "ENOENT":
        return data.get("class") in SEARCHES or "missing_folder" not in data
    elsewhere = data.get("refused_by") not in (None, data.get("file"))
    return _may_be_elsewhere(data) and elsewhere


def _ranked(
    merged: Sequence[tuple[_Found, int, int]], classes: PathClasses, stderr: Sequence[str]
) -> list[Failure]:
    """Return the failures that matter, the likeliest first; `merged` has the last one first."""
    worth: list[tuple[int, int, Failure]] = []
    for place, (found, times, folders) in enumerate(merged):
        named = _named(found.data, stderr)
        if found.resolved and named < NAMED_WHOLE:
            continue
        points = named + _points(found, classes) - min(place, FARTHEST)
        worth.append((-points, place, Failure(*found[:4], times, folders, named >= NAMED_IN_PART)))
    worth.sort(key=lambda item: item[:2])
    best = -worth[0][0] if worth else 0
    least = max(LEAST, best - FARTHEST)
    return [failure for points, _, failure in worth if -points >= least]


def _points(found: _Found, classes: PathClasses) -> int:
    data = found.data
    points = REFUSED if data["error"] not in NOT_THERE else 0
    if data.get("class") in PROBES and data["error"] in NOT_THERE:
        points += PROBE
    path = _path(data)
    if path and classes.of(path) != OWN:
        points += NOISE
    return points


def _named(data: dict[str, Any], stderr: Sequence[str]) -> int:
    """Return what it is worth that a line of stderr names what failed."""
    paths = [str(data[name]) for name in PATHS if data.get(name)]
    names = [*map(_last_name, paths), *(str(data[name]) for name in ENDS if data.get(name))]
    words = _words(data["error"])
    return max((_named_in(line, paths, names, words) for line in stderr), default=0)


def _named_in(line: str, paths: Sequence[str], names: Sequence[str], words: str) -> int:
    points = WORDED if words in line else 0
    if any("/" in path[:-1] and path in line for path in paths):
        return points + NAMED_WHOLE
    if any(len(name) >= SHORTEST_NAME and _has_word(line, name) for name in names):
        return points + NAMED_IN_PART
    return points


PATHS = ("file", "file_passed", "file_new", "file_new_passed", "unix_peer_path", "unix_local_path")
ENDS = ("net_peer_port", "net_host_port", "net_peer_name", "net_peer_ip", "domain")


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", text) is not None


def _words(error: str) -> str:
    """Return the words of strerror(3) for an error."""
    import errno

    number = getattr(errno, error, None)
    return os.strerror(number) if isinstance(number, int) else error


def last_calls(db: sqlite3.Connection, images: Collection[int], since: int) -> Iterator[LastCall]:
    """Yield the last calls of a process that made an event, the oldest first."""
    listed = ", ".join(map(str, images))
    rows = db.execute(
        f"SELECT id, source, data FROM event WHERE process IN ({listed}) AND id > ?"
        " AND +sourcetype IN ('fs', 'net', 'dns', 'http', 'console', 'file')"
        " AND +source NOT IN ('fs.close', 'net.close') ORDER BY id DESC LIMIT ?",
        (since, LAST_CALLS),
    ).fetchall()
    decode = JsonDecoder()
    for number, source, data in reversed(rows):
        yield LastCall(number, source, decode(data))
