"""Which of the calls that failed in a process may be why it ended badly.

Most calls that fail are how programs look for things: a library, a configuration, a program in
PATH. So a failure counts if what was looked for was found nowhere else, if it is no start-up noise
(`query.path_classes`), and the more the nearer it is to the end; what the process names in its last
words on stderr comes first. Only the last events of a process are read, so that the answer takes as
long for a million events as for a thousand.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from scopetrace.model.exchange import LEAST_HTTP_ERROR, url_of
from scopetrace.model.file_record import OWN, SYSTEM
from scopetrace.model.why import Failure, LastCall, is_weak
from scopetrace.query.conditions import in_images
from scopetrace.query.last_output import (
    NAMED_BY_WORD,
    NAMED_IN_PART,
    READ,
    SEARCHES,
    WORDED,
    LastOutput,
)
from scopetrace.query.path_classes import PathClasses
from scopetrace.query.row_order import first_after
from scopetrace.query.sql_functions import JsonDecoder

WINDOW = 50_000
"""So many events before the end of a process are looked at, of all processes."""
MUCH = 60
"""A process with so many events has gone on with its work."""
CHILD = -1
"""In place of the last event of a process: it started a child after it."""
MOST_FAILURES = 3
LAST_CALLS = 3
MOST_CALLS = 500
"""So many are looked through for them."""
ERRORS = ("fs.error", "net.error", "proc.error", "dns.error", "dns.resp")
SUCCESSES = ("fs.open", "fs.rename", "fs.mkdir", "fs.link", "proc.start")
ANSWERS = "http.resp"
NO_FAILURES = frozenset(("EINTR", "EINPROGRESS", "EALREADY", "ENOTTY", "ESPIPE", "ECHILD"))
"""Errors that say how things stand."""
RETRY, NOT_THERE = "EAGAIN", frozenset(("ENOENT", "ENOTDIR"))
LOCK, OPENS, DELETES = "lock", "open_close", "delete"
ANSWERED = "NOERROR"
NO_DEVICE = "ENXIO"
"""As of /dev/tty where there is no terminal: shells try it."""
OF_WRITING = frozenset(("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EPIPE"))
"""Errors that no program meets while it starts."""
PROBES = frozenset(("stat", "lock", "seek"))
"""Classes of calls that ask rather than do."""
STRONG, PROBE, UNASKED, NOISE, LITTLE_NOISE = 15, -10, -30, -60, -20
"""What it is worth: an error that is not weak; a question; one about what the command line does not
name; of start-up, weak and not."""
LEAST = -35
"""A failure that is worth less is none that matters."""
FARTHEST = 30
"""So much less at most is worth what is farther from the end."""
BESIDE = 12
"""So much less at most is worth what is shown beside the likeliest reason."""


def last_events(db: sqlite3.Connection, images: Collection[int]) -> dict[int, int]:
    """Return the id of the last event of each process image that has any.

    Without an index that takes a look at all events: so one for all that are asked about.
    """
    rows = db.execute(
        f"SELECT process, max(id) FROM event WHERE {in_images(images)} GROUP BY process"
    )
    return dict(rows.fetchall())


def errors_after(
    db: sqlite3.Connection, images: Collection[int], time_ns: int
) -> tuple[int, list[dict[str, Any]]]:
    """Return the id of the first event after a time, and what failed of a process since."""
    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()
    first = first_after(db, "event", "time_ns", time_ns, last)
    rows = db.execute(
        f"SELECT data FROM event WHERE id BETWEEN ? AND ? AND +{in_images(images)}"
        f" AND {_is_of(*ERRORS)} AND time_ns > ?",
        (first, first + WINDOW, time_ns),
    )
    decode = JsonDecoder()
    return first, [decode(data) for (data,) in rows]


def did_much_after(db: sqlite3.Connection, images: Collection[int], first: int) -> bool:
    """Return whether a process has `MUCH` events from one on."""
    rows = db.execute(
        f"SELECT 1 FROM event WHERE id BETWEEN ? AND ? AND +{in_images(images)} LIMIT {MUCH}",
        (first, first + WINDOW),
    )
    return len(rows.fetchall()) == MUCH


def _is_of(*sources: str) -> str:
    """Return a condition of SQL for events of these sources, for which no index is used."""
    listed = ", ".join(f"'{name}'" for name in sources)
    return f"+source IN ({listed}) AND sourcetype <> 'metric'"


class ProcessEvents:
    """The last events of one process, as far as they may say why it ended so.

    Args:
        db: the session.
        images: of the process.
        last: the id of the last event of each image (`last_events`).
    """

    def __init__(
        self, db: sqlite3.Connection, images: Collection[int], last: Mapping[int, int]
    ) -> None:
        upto = max(last.get(image, 0) for image in images)
        self.since = max(upto - WINDOW, 0)
        """The id of the last event before the window."""
        wanted = _is_of(*ERRORS, *SUCCESSES, ANSWERS)
        self._rows = db.execute(
            f"SELECT id, time_ns, source, data FROM event WHERE {in_images(images)}"
            f" AND id > ? AND id <= ? AND {wanted} ORDER BY id",
            (self.since, upto),
        ).fetchall()

    def failures(
        self,
        classes: PathClasses,
        words: LastOutput,
        programs: set[str],
        command: str,
        child_ns: int = 0,
    ) -> tuple[Failure, ...]:
        """Return the failures that matter, the likeliest reason first.

        `child_ns`: when the process started its last child that may be of interest; else 0.
        """
        found, there, made = [], set(programs), set[str]()
        decode, last = JsonDecoder(), 0
        for number, time_ns, source, text in reversed(self._rows):
            data = decode(text)
            if source in SUCCESSES or _is_answered(data):
                last = last or number
                there.add(_searched(data))
                made.update(filter(None, (_path(data), data.get("file_new"))))
                continue
            if source == ANSWERS and "http_client_duration" not in data:
                continue  # as a server it gave this answer
            if source in ("dns.resp", ANSWERS):
                data = {**data, "error": str(data.get("rcode") or data["http_status_code"])}
            if _is_no_path(data) or (data["error"] in NOT_THERE and _path(data) in made):
                continue
            if not _says_how_things_stand(data) or words.worth(data):
                resolved = _may_be_elsewhere(data) and _searched(data) in there
                found.append(_Found(number, time_ns, source, data, resolved))
                if not resolved:
                    last = last or (number if time_ns > child_ns else CHILD)
        ranked = _ranked(_merged(found, words), classes, words, command, last)
        return tuple(ranked[:MOST_FAILURES])


def _is_answered(data: dict[str, Any]) -> bool:
    """Whether a name server or a web server gave what it was asked for."""
    status = data.get("http_status_code")
    return data.get("rcode") == ANSWERED or (status is not None and status < LEAST_HTTP_ERROR)


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


def _is_no_path(data: dict[str, Any]) -> bool:
    """Whether a name stands for source text that is in no file, or for a library.

    So do `<string>` and `<frozen os>`, and `-lm`, of which ld(1) asks whether it is a file.
    """
    name = _last_name(_path(data))
    stands_for = (name.startswith("<") and name.endswith(">")) or name.startswith("-l")
    return stands_for and data["error"] in NOT_THERE


def _may_be_elsewhere(data: dict[str, Any]) -> bool:
    """Whether a call may have been one of those that look for a file in several folders."""
    error = data["error"]
    if "rcode" in data or "http_target" in data:
        return True
    return error in NOT_THERE or (error == "EACCES" and data.get("class") in SEARCHES)


def _path(data: dict[str, Any]) -> str:
    return str(data.get("file") or data.get("unix_peer_path") or data.get("unix_local_path") or "")


def _searched(data: dict[str, Any]) -> str:
    """Return what a search is for: a file by its name, a host by its first label, or a URL."""
    if "http_target" in data:
        return url_of(data)
    if "domain" in data:
        return str(data["domain"]).partition(".")[0]
    return _last_name(_path(data) or str(data.get("exe", "")))


def _last_name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _merged(found: Iterable[_Found], words: LastOutput) -> list[tuple[_Found, int, int]]:
    """Join what failed alike; return each with how often that was, and in how many folders.

    Alike are the same call on the same thing, and searches for one name through several folders,
    but for a file whose whole path was said.
    """
    groups: dict[tuple[Any, ...], list[_Found]] = {}
    for each in found:
        groups.setdefault((_likeness(each), words.names_whole(each.data)), []).append(each)
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
    end = "peer" if data.get("net_peer_ip") else "host"
    if "http_target" in data:
        return (found.source, data.get("http_method"), url_of(data), data["error"])
    about = (*(data.get(f"net_{end}_{name}") for name in ("ip", "port")), data.get("domain"))
    return (found.source, data.get("op"), path, data["error"], data.get("what"), about)


def _is_of_search(data: dict[str, Any]) -> bool:
    """Whether a file was looked for by its name where it is not, or in a folder that refuses."""
    if data["error"] == "ENOENT":
        return True
    elsewhere = data.get("refused_by") not in (None, data.get("file"))
    return _may_be_elsewhere(data) and elsewhere


class _Ranked(NamedTuple):
    """A failure, and what it is worth as a reason."""

    worth: int
    failure: Failure
    in_itself: int
    """Its worth but for its place and for what stderr says."""


def _ranked(
    merged: Sequence[tuple[_Found, int, int]],
    classes: PathClasses,
    words: LastOutput,
    command: str,
    last: int,
) -> list[Failure]:
    """Return the failures that matter, the likeliest first; `merged` has the last one first.

    `last` is the event of the last thing that the process did, if that is known. A question which
    that is may be what it ended for: `[ -f settings ] || exit 1`.
    """
    ranked: list[_Ranked] = []
    for place, (found, times, folders) in enumerate(merged):
        said, is_one = words.worth(found.data), folders == 1
        if is_one and found.event == last and _is_question(found.data):
            points = _points_of_last(found, classes, command)
        else:
            points = _points(found, classes) + _points_of_command(found, is_one, command)
        if found.resolved and said <= NAMED_IN_PART + WORDED:
            continue  # `cat: none: No such file` is not about the cat that PATH had elsewhere
        if words.lines and not said and found.data.get("class") == DELETES and is_weak(found.data):
            continue  # what was to be deleted is not there, and the reason is another one
        named = said > NAMED_BY_WORD - READ
        failure = Failure(*found[:4], times, folders, named, said > 0)
        ranked.append(_Ranked(said + points - min(place, FARTHEST), failure, points))
    ranked.sort(key=lambda each: each.worth, reverse=True)
    least = max(LEAST, ranked[0].worth - BESIDE) if ranked else LEAST
    shown: dict[tuple[Any, ...], Failure] = {}
    for each in _said(ranked, words):
        if each.worth >= least:
            shown.setdefault(_as_shown(each.failure.data), each.failure)
    return [*shown.values()]


def _as_shown(data: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a reader sees of a failure: cp opens its destination twice, each in its way."""
    if not _path(data):
        return tuple(map(str, data.items()))
    return (data.get("op"), _path(data), data["error"])


def _said(ranked: Sequence[_Ranked], words: LastOutput) -> list[_Ranked]:
    """Return what fits to the last lines: what they name, else what has their words for an error.

    Where its own lines have neither, they are about something else than what is not there, or about
    something else than any of these if they have the words of another error.
    """
    named = [each for each in ranked if each.failure.named]
    worded = [each for each in ranked if each.failure.worded]
    if words.has_error:
        return named or worded
    silent = not (words.lines and words.own)
    return named or worded or [each for each in ranked if silent or each.in_itself > 0]


def _points(found: _Found, classes: PathClasses) -> int:
    data = found.data
    weak = is_weak(data) or data["error"] == NO_DEVICE
    points = 0 if weak else STRONG
    if _is_question(data):
        points += PROBE
    path = _path(data)
    if path and classes.of(path) != OWN and data["error"] not in OF_WRITING:
        points += NOISE if weak else LITTLE_NOISE
    return points


def _points_of_command(found: _Found, is_one: bool, command: str) -> int:
    """Return what it is worth that the command line names a file, or not; `is_one`: no search."""
    if is_one and _is_question(found.data) and _searched(found.data) not in command:
        return UNASKED
    return STRONG if _is_asked_for(found.data, command) else 0


def _points_of_last(found: _Found, classes: PathClasses, command: str) -> int:
    """Return what a question is worth after which the process did nothing else.

    Scripts ask about /dev and /proc, too; the other classes are looked up by what runs them. Its
    own settings are what a program can do without (git: ~/.config/git/ignore).
    """
    path = _path(found.data)
    program = _last_name(command.partition(" ")[0])
    settings = {program, f"{program}rc", f"{program}config"}
    named = {part.lstrip(".").partition(".")[0] for part in path.split("/")}
    asked = classes.of(path) in (OWN, SYSTEM) and not settings & named
    return 0 if asked else PROBE + NOISE


def _is_question(data: dict[str, Any]) -> bool:
    return data.get("class") in PROBES and (is_weak(data) or data["error"] == NO_DEVICE)


def _is_asked_for(data: dict[str, Any], command: str) -> bool:
    """Whether a file was to be opened that the command line names, and has no folder."""
    opens = data.get("class") == OPENS and bool(data.get("missing_folder"))
    return opens and str(data.get("file_passed") or _path(data)) in command


def _is_start_up(data: dict[str, Any], classes: PathClasses) -> bool:
    """Whether a call used a file of start-up, or looked for a program where it is not."""
    looks = data.get("error") in NOT_THERE and data.get("class") in SEARCHES
    return looks or classes.of(_path(data)) != OWN


def last_calls(
    db: sqlite3.Connection, images: Collection[int], since: int, classes: PathClasses
) -> Iterator[LastCall]:
    """Return the last calls that made an event, without start-up noise, the oldest first."""
    rows = db.execute(
        f"SELECT id, source, data FROM event WHERE {in_images(images)} AND id > ?"
        " AND +sourcetype IN ('fs', 'net', 'dns', 'http', 'console', 'file')"
        " AND +source NOT IN ('fs.close', 'net.close') ORDER BY id DESC LIMIT ?",
        (since, MOST_CALLS),
    )
    decode = JsonDecoder()
    calls = (LastCall(number, source, decode(data)) for number, source, data in rows)
    own = (call for call in calls if not _is_start_up(call.data, classes))
    return reversed([*islice(own, LAST_CALLS)])
