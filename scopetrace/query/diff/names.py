"""Names that hold for two runs of one program: what varies from run to run is taken out.

Taken out are process ids, ports that the kernel chose, temporary names, fds, addresses of memory,
inodes, seeds and, in lines of text, times and durations. The folder of the session is `.` if the
two runs had different ones.

A temporary name is one that the run itself made and removed in a folder for temporary files, or
one that looks as if it had been drawn by lot (mkstemp(3), a UUID).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from scopetrace.model.file_record import FileRecord

TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")
"""Folders for temporary files."""
EPHEMERAL_PORT = 32768
"""Where the ports begin that the kernel chooses (ip(7), ip_local_port_range)."""
LEAST_PID = 100
"""Smaller process ids are not taken out of texts: too many other numbers look the same."""
LOGGED_REQUEST = r"\b(?:GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS) [^\"\s]+(?: HTTP/[\d.]+)?\"?"
"""A request as logs of servers have it; its status follows."""
_ANSWER = re.compile(rf"{LOGGED_REQUEST} \d{{3}}((?: [\d.]+)+)")
"""An answer, with its sizes as group 1. These depend on when the client went away; the lengths that
the server promised are compared instead (`facts.Sizes`)."""
PLACE = "\0"
"""Stands for a number in the form of a line."""
DIGITS = re.compile(r"\d+")
DAY_NS = 86_400_000_000_000

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_LOT = re.compile(
    rf"{_UUID}|(?<=^tmp)[a-z0-9_]{{8}}|(?<=tmp\.)[A-Za-z0-9]{{10}}|\d{{4,}}"
    r"|(?<=^cc)(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{6}(?=\.)"
    r"|(?<![0-9a-z])(?=[a-f]*[0-9])[0-9a-f]{8,}(?![0-9a-z])"
    r"|(?<=[a-z._-])(?=[a-z0-9]*[A-Z])(?=[A-Z]*[a-z0-9])[A-Za-z0-9]{6}(?![A-Za-z0-9])"
    r"|^(?=(?:\w*?[a-z][A-Z]){2})\w{10}$"
)
"""What looks drawn by lot within one name of a temporary file."""
_OF_GCC = re.compile(r"cc[A-Za-z0-9]{6}\.\w+")
"""How gcc calls its temporary files; a name of letters alone may also be a word."""
_OF_MKTEMP = re.compile(r"(?:tmp[a-z0-9_]{8}|tmp\.[A-Za-z0-9]{10})(?:\.\w+)*")
"""How mktemp(1) and Python's tempfile call theirs, wherever TMPDIR is."""

_OF_RUNS = (
    r"(?<=/pytest-)(?:\d+|current)(?=/|$)",  # pytest
    r"(?<=cmTC_)[0-9a-f]{5}|(?<=/TryCompile-)\w{6}|(?<=\.tmp)[0-9a-f]{5}\b",  # CMake
    r"(?<=/rustc)\w{6}(?=/)|(?<=/s-)[0-9a-z]{10}-[0-9a-z]{7}(?:-\w+)?(?=[./]|$)",  # cargo
)
"""What tools call something by that they make anew in each run."""
_MARKED = {
    "process": r"/proc/\d+(?:/task/\d+)?",
    "terminal": r"/dev/pts/\d+",
    "descriptor": r"(?<=/fd/)\d+",
    "object": (
        r"(?<=(?:socket|_inode):\[)\d+(?=\])|(?<=pipe:\[)\d+(?=\])"
        r"|(?<=/#)\d{3,}(?![\w.-])"  # O_TMPFILE: the inode (d_mark_tmpfile in fs/dcache.c)
    ),
    "run": "|".join(_OF_RUNS),
    "hash": r"(?<=/objects/)[0-9a-f]{2}(?:/(?:[0-9a-f]{38}|tmp_obj_\w{6}))?(?=/|$)",
}
"""What varies in paths and arguments behind one of `_MARKS`."""
_MARKS = (
    *("/proc/", "/dev/pts/", "/fd/", ":[", "/#", "/pytest-", "cmTC_", "/TryCompile-", ".tmp"),
    *("/rustc", "/s-", "/objects/"),
)
_UNMARKED = {
    "moment": r"\d{4}-?\d\d-?\d\d[T_-]\d\d[-_:]?\d\d[-_:]?\d\d(?:[-_.]\d+)?Z?",
    "lot": _UUID,
    "address": r"\b0x[0-9a-fA-F]{4,}|\b1(?:39|40)\d{12}\b",
    "number": r"(?<!\d)\d{3,}(?!\d)",
}
"""What varies anywhere in paths and arguments; it begins with one of `_FIRST`, as folders do."""
_FIRST = "(?=[/0-9a-fA-F])"
_NAMES = _MARKED | _UNMARKED
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_WEEK = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?"
_CLOCK = r"\d{1,2}:\d\d:\d\d(?:[.,]\d+)?"
_LINES = {
    "time": (
        rf"\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK}(?:Z| ?[+-]\d\d:?\d\d)?"
        rf"|\d\d/{_MONTH}/\d{{4}}:{_CLOCK}(?: [+-]\d{{4}})?"
        rf"|{_WEEK}\d{{1,2}} {_MONTH} \d{{4}},? {_CLOCK}(?: (?:[AP]M|[A-Z]{{3,4}}|[+-]\d{{4}}))*"
        rf"|{_WEEK}{_MONTH} +\d{{1,2}} {_CLOCK}(?: [A-Z]{{3,4}})?(?: \d{{4}})?"
        rf"|\b{_CLOCK}(?: [AP]M)?"
    ),
    "rate": (
        r"(?<=Latency|Req/Sec)(?:\s+[\d.]+[a-z]*){3}\s+[\d.]+%"
        r"|\b\d+ requests in [\d.]+\w+, [\d.]+\w+ read"
        r"|"
        r"\b[\d.]+[KMG]?=[\d.]+m?s\b|\b\d[\d.,]*\s?[a-zA-Z]{0,5}/s(?:ec)?\b"
        r"|(?<=/sec:)\s*[\d.]+\w*"
    ),
    "duration": (
        r"\b\d+m\d+(?:\.\d+)?s\b|\b\d+\s?(?:ns|us|µs|μs|ms)\b"
        r"|\b\d+\.\d+\s?(?:ns|us|µs|μs|ms|s|secs?|seconds?|m|min|minutes?|h)\b"
    ),
    "seed": r"(?<=[Ss]eed)\W{1,2}\d+|(?<=SEED)=\d+",
    "fd": r"(?<=\bfd)[ =:]{1,2}\d+",
    "serial": r"(?<= \*)\d+\b",
    "worker": r"\[gw\d+\](?: \[ *\d+%\])?",
}
"""What varies besides in lines of text. Rates are as wrk, wget and pip write them; `serial` is the
number of a connection in nginx's logs, `worker` says which worker of pytest-xdist ran a test."""
_SHOWN = {
    "process": "/proc/PID", "terminal": "/dev/pts/N", "descriptor": "N", "object": "N", "run": "*",
    "hash": "*", "moment": "*", "lot": "*", "address": "ADDRESS", "time": "TIME", "rate": "RATE",
    "duration": "DURATION", "seed": "=SEED", "fd": " N", "serial": "N",
    "worker": "[gwN]",
}  # fmt: skip
"""What stands in its place."""
_WORD_END = r"(?![\w.-])"
_START = r"(?:(?<![\w.-])|(?<=^-[A-Za-z])|(?<=\s-[A-Za-z]))"
"""Where a path may begin: not within another path, but after a letter of an option."""
_IN_TEMPORARY = (
    rf"{_START}(?P<folder>(?:{'|'.join(map(re.escape, TEMPORARY))})/)"
    r"(?P<temporary>[^/\s:;,'\"=()\[\]<>|]+)"
)
_PATH = re.compile(rf"{_START}/[^\s:;,'\"=()\[\]<>|]+")
_SLASH = re.compile("(?<=.)/")
_MEASURED = frozenset(("TIME", "RATE", "DURATION"))
_FILL = re.compile(r"([-=_* ])\1+")
"""What fills a line up to a width, which depends on how long the measured values in it are."""


class Numbers(dict[str, str]):
    """Number, in digits → what stands in its place, perhaps itself.

    Args:
        names: PID or PORT for those numbers of a run that another run would have otherwise.
        began_ns: Unix time at which the run began, ns: times of that day are taken out, too.
    """

    def __init__(self, names: Mapping[str, str], began_ns: int) -> None:
        super().__init__(names)
        self._began_ns = began_ns

    def __missing__(self, digits: str) -> str:
        shown = digits
        if len(digits) in (10, 13, 16, 19):  # seconds, ms, µs or ns
            time_ns = int(digits) * 10 ** (19 - len(digits))
            shown = "TIME" if abs(time_ns - self._began_ns) < DAY_NS else digits
        self[digits] = shown
        return shown


class Form(NamedTuple):
    """What lines that differ in their numbers have in common."""

    text: str
    """The line, with PLACE for each number that is kept."""
    kept: tuple[int, ...]
    """Which of its numbers are kept, from 0; the others are part of what was taken out."""


class Names:
    """Calls the things of one run by names that hold for another one as well.

    Args:
        folders: path of the folder that paths are seen from, and of those above it → `.`, `..`…
            (or the path itself); empty: there is none.
        numbers: those that vary.
        temporary: path of a temporary file → the name without its folder to call it by.
        fixed: paths of temporary files that both runs call the same.
        shared: texts that both runs have: no number in them is one that varies.
    """

    def __init__(
        self,
        folders: Mapping[str, str],
        numbers: Numbers,
        temporary: Mapping[str, str],
        fixed: Collection[str] = (),
        shared: Collection[str] = (),
    ) -> None:
        self._fixed = fixed
        self._shared = shared
        self._folders = folders
        self._inside = tuple(f"{called}/" for called in [*folders.values()][:1])
        self._temporary = temporary
        self._are_elsewhere = any(top_in_temporary(path) != path for path in temporary)
        """Whether some are not directly in a folder of TEMPORARY: TMPDIR is another one."""
        self.numbers = numbers
        seen_from = "|".join(map(re.escape, folders))
        first = [f"{_START}(?P<root>(?:{seen_from}){_WORD_END})"] if folders else []
        self._in_texts = _any_of(first, _NAMES)
        self._in_unmarked = re.compile(f"{_FIRST}(?:{_any_of(first, _UNMARKED).pattern})")
        self._in_lines = _any_of(first, _LINES | _NAMES)
        self._known: dict[str, str] = {}

    def text(self, text: str) -> str:
        """Return a path or an argument by a name that holds for both runs."""
        found = self._known.get(text)
        if found is None:
            called = text
            for start, end, shown in reversed([*self._elsewhere(text)]):
                called = called[:start] + shown + called[end:]
            replaced = self._shown_shared if text in self._shared else self._shown
            is_marked = any(mark in called for mark in _MARKS)
            pattern = self._in_texts if is_marked else self._in_unmarked
            found = self._known[text] = pattern.sub(replaced, called)
        return found

    def seen(self, path: str) -> str:
        """Return a path as seen from the folder, nothing else taken out."""
        for folder, called in self._folders.items():
            if path == folder or path.startswith(f"{folder}/"):
                return called + path[len(folder) :]
        return path

    def is_inside(self, name: str) -> bool:
        """Return whether what is called by a name is in the folder that paths are seen from."""
        return not self._inside or name.startswith(self._inside)

    def form(self, line: str) -> Form:
        """Return the form of a line of output: what varies taken out, and where numbers stand."""
        parts: list[str] = []
        kept: list[int] = []
        at = number = 0
        is_measured = False
        for found, until, shown in self._taken_out(line):
            start, end = max(_back(line, found), at), _on(line, until)
            is_measured = is_measured or shown in _MEASURED
            number = _plain(line[at:start], number, parts, kept)
            parts.append(shown)
            number += len(DIGITS.findall(line[start:end]))
            at = max(at, end)
        _plain(line[at:], number, parts, kept)
        text = "".join(parts)
        return Form(_FILL.sub(r"\1", text) if is_measured else text, tuple(kept))

    def _taken_out(self, line: str) -> list[tuple[int, int, str]]:
        """Return start and end of what is taken out of a line, and what stands in its place."""
        found = [
            (match.start(), match.end(), self._shown(match))
            for match in self._in_lines.finditer(line)
            if match.lastgroup != "number"
        ]
        for start, end, shown in self._elsewhere(line):
            found = _replaced(found, start, end, self._in_texts.sub(self._shown, shown))
        if answer := _ANSWER.search(line):
            found = _replaced(found, *answer.span(1), " BYTES")
        return found

    def _elsewhere(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield start and end of paths of temporary files in a text, and what to call them.

        Only if there are some that are not directly in a folder of TEMPORARY.
        """
        for match in _PATH.finditer(text) if self._are_elsewhere else ():
            for end in (*(each.start() for each in _SLASH.finditer(match[0])), len(match[0])):
                path = match[0][:end]
                if path in self._temporary:
                    called = posixpath.join(posixpath.dirname(path), self._temporary[path])
                    yield match.start(), match.start() + end, called
                    break

    def _shown(self, match: re.Match[str]) -> str:
        group = match.lastgroup or ""
        if group == "root":
            return self._folders[match[0]]
        if group == "temporary":
            return self._of_temporary(match["folder"], match["temporary"])
        if group == "number":
            return self.numbers[match[0]]
        return _SHOWN[group]

    def _shown_shared(self, match: re.Match[str]) -> str:
        return match[0] if match.lastgroup == "number" else self._shown(match)

    def _of_temporary(self, folder: str, name: str) -> str:
        known = self._temporary.get(folder + name)
        if known is None:
            known = name if folder + name in self._fixed else _LOT.sub("*", name)
        return folder + known


_SUFFIX = re.compile(r"(?:\.[a-z]{1,5})+$")
"""What a name ends in that says what kind of file it is."""
_TOP = re.compile(rf"(?:{'|'.join(map(re.escape, TEMPORARY))})/[^/]+")


def top_in_temporary(path: str) -> str:
    """Return the path of what a file is, or is in, directly below such a folder; empty: nothing."""
    found = _TOP.match(path)
    return found[0] if found else ""


def _any_of(first: Sequence[str], named: Mapping[str, str]) -> re.Pattern[str]:
    parts = [f"(?P<{name}>{text})" for name, text in named.items()]
    return re.compile("|".join([*first, _IN_TEMPORARY, *parts]))


def _replaced(
    found: list[tuple[int, int, str]], start: int, end: int, shown: str
) -> list[tuple[int, int, str]]:
    """Return what is taken out of a line, with one more part instead of those that it overlaps."""
    others = [each for each in found if each[1] <= start or each[0] >= end]
    return sorted([*others, (start, end, shown)])


def _back(line: str, at: int) -> int:
    """Return where a number begins that is cut by a position, or the position."""
    while 0 < at < len(line) and line[at].isdecimal() and line[at - 1].isdecimal():
        at -= 1
    return at


def _on(line: str, at: int) -> int:
    """Return where a number ends that is cut by a position, or the position."""
    while 0 < at < len(line) and line[at].isdecimal() and line[at - 1].isdecimal():
        at += 1
    return at


def _plain(text: str, number: int, parts: list[str], kept: list[int]) -> int:
    """Add a text of which nothing but its numbers may vary; return how many numbers there are."""
    text, count = DIGITS.subn(PLACE, text)
    parts.append(text)
    kept.extend(range(number, number + count))
    return number + count


def folders_of(a: str, b: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return what two sessions that ran in the folders `a` and `b` call these, and those above.

    Of one folder in both, that is its path. Else the names that both paths end in are left out, so
    that a folder beside that of the session is seen from the same place (/home/ann/app/build and
    /srv/app/build give /home/ann and /srv). It is called `.`, the one above it `..` and so on, up
    to the first that is the same in both. A folder that all programs use has no name.
    """
    if a == b:
        return ({a: a} if _is_usable(a) else {}), ({b: b} if _is_usable(b) else {})
    first, second = a.split("/"), b.split("/")
    while len(first) > 2 and len(second) > 2 and first[-1] == second[-1]:
        first.pop()
        second.pop()
    roots = ["/".join(first), "/".join(second)]
    if not all(map(_is_usable, roots)):
        roots = [a, b]
    return _called(*roots), _called(*roots[::-1])


def _called(folder: str, other: str) -> dict[str, str]:
    """Return the names of a folder and of those above it that are not above another folder."""
    found = {folder: "."} if _is_usable(folder) else {}
    name = ".."
    while _is_usable(folder := posixpath.dirname(folder)) and not _is_above(folder, other):
        found[folder] = name
        name += "/.."
    return found


def _is_above(folder: str, other: str) -> bool:
    return f"{other}/".startswith(f"{folder}/")


def _is_usable(folder: str) -> bool:
    return folder.startswith("/") and folder not in ("/", *TEMPORARY)


def names_in_temporary(files: Iterable[FileRecord]) -> set[str]:
    """Return the paths of what files are, or are in, directly below a folder for temporary ones."""
    return {top for file in files if (top := top_in_temporary(file.path))}


def temporary_names(
    files: Iterable[FileRecord], cwd: str, shared: Collection[str] = ()
) -> dict[str, str]:
    """Return what to call the temporary files of a run: path → name.

    They are those that it made and removed again, and those that it made under a name as
    mktemp(1) draws them, unless that is one of `shared`.
    """
    found = {}
    for file in files:
        path = file.path
        if file.changed and path not in shared and _OF_MKTEMP.fullmatch(posixpath.basename(path)):
            found[path] = "*" + _suffix(path)
        if file.deleted and (file.written or file.opens):
            for path in (file.path, *file.names):
                folder, name = posixpath.split(path)
                is_drawn = _LOT.search(name) or _OF_GCC.fullmatch(name)
                if (folder in TEMPORARY or is_drawn) and not f"{cwd}/".startswith(f"{path}/"):
                    found[path] = "*" + _suffix(name)
    return found


def _suffix(name: str) -> str:
    found = _SUFFIX.search(name)
    return found[0] if found else ""
