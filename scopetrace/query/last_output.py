"""What a process wrote last, on standard error or else on standard output, and what that names."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

SHOWN = 3
"""So many lines are shown."""
READ = 20
"""So many are searched for names."""
MOST_READ = 100
"""So many for what the process said before it printed how it is used."""
NAMED_WHOLE, NAMED_IN_PART, NAMED_BY_WORD, WORDED = 100, 60, 40, 20
"""What it is worth that a line has the whole path, its last name, the last name if that is a mere
word, or the words of the error."""
SEARCHES = ("stat", "exec")
"""Classes of calls by which programs are looked for in PATH."""
CONTRADICTED = 10
"""What it is worth at most if a line has the words of another error."""
SHORTEST_NAME = 3
PATHS = ("file", "file_passed", "file_new", "file_new_passed", "unix_peer_path", "unix_local_path")
FOLDERS = ("refused_by", "missing_folder")
"""Parts of these paths that refused, or are not there."""
ENDS = (
    *("net_peer_port", "net_host_port", "net_peer_name", "net_peer_ip", "domain"),
    "http_status_code",
)
_COMPLAINT = re.compile(
    r"(?i)error|fatal|fail|cannot|can't|could not|unable|denied|exception|not found|no such"
    r"|invalid|undefined|unknown|abort|panic|assert|unrecogni[sz]ed|unexpected|unsupported|illegal"
    r"|refused|timed out|nothing to"
)
"""What a line has that says why."""
_STRONG = re.compile(r"(?i)\W*(?:\w*error|fatal|panic|\w*exception)\b")
"""How a line begins that says by itself that it says why."""
_WARNING = re.compile(r"(?i)\bwarn")
_WORD = re.compile(r"\w{2}")
"""A line without is made of marks, as the `^^^^` below a line of a traceback."""
_PREVIOUS = re.compile(r"\bprevious errors?\b")
_COUNT = re.compile(rf"\W*\d+ [^\W\d]+|.*{_PREVIOUS.pattern}")
"""A line that counts what the lines before it say: `1 failed`, `2 errors generated`."""
_LABEL = re.compile(r"(?i)\s*(?:error|fatal): ")
"""How lines begin that one failure brought about; the first of them is its cause."""
_FRAME = re.compile(r"\s+(?:at |from |\d+: )|#\d+ ")
"""How a line of a stack begins: it has names of functions, such as `panic`."""
_USAGE = re.compile(r"(?i)usage: ")
_HINT = re.compile(r"(?i)\btry\b.*(?:--help|manual|more information)")
_LIBRARY = re.compile(r"lib(.+)\.(?:so|a)")
"""The file of a library, which is called `-lNAME` on command lines."""
_DENIAL = re.compile(r"(?i)\b(?:no|not|must)\b|n't\b")
"""What a line has that says why, if no line has a word for a failure."""
_END = r"\s'\"\u2019)>\],:;"
_ABSOLUTE = re.compile(rf"(?:(?<=[\s'\"\u2018(<\[=:,])|^)/[^{_END}]*/([^/{_END}]+)")
"""A path and its last name."""
_LEVEL = re.compile(r"\[(?:emerg|alert|crit|error|fatal)\]|\b(?:FATAL|CRITICAL|PANIC)\b")
"""How a log says that a line of it is no mere notice."""
_EDGE = r"(?:^|$|[^\w\s])"


class LastOutput:
    """The last lines of a process.

    Args:
        lines: the oldest first, at most `MOST_READ`.
        own: whether it wrote them itself; else a process did that passed its failure on, and need
            not know what failed.
        program: its name, by which its messages may begin, perhaps with its folder.
    """

    def __init__(self, lines: Sequence[str] = (), own: bool = True, program: str = "") -> None:
        self.lines = tuple(lines[-READ:])
        self.own = own
        self._begin = re.compile(rf"^(?:/\S*/)?{re.escape(program)}: ")
        self._all = tuple(lines)

    def worth(self, data: Mapping[str, Any]) -> int:
        """Return what it is worth that a line names what failed: most for the last line."""
        return self._best(data)[0]

    def _best(self, data: Mapping[str, Any]) -> tuple[int, str]:
        """Return the most that a line is worth, and that line; 0 if none names the failure."""
        best, telling = 0, ""
        last = self._error_of_the_end
        names, words = _names(data), _words(str(data.get("error", "")))
        paths = [*_paths(data), *_folders(data), *_endpoints(data)]
        searches = data.get("class") in SEARCHES
        for age, line in enumerate(reversed(self.lines)):
            if self._continues(len(self.lines) - 1 - age):
                continue
            # The name of the program is no name of what failed (mount, and mkdir of /run/mount).
            message = _without_others(self._begin.sub("", line, count=1), data)
            points = _worth(message, paths, names, words, searches)
            if points == NAMED_BY_WORD and not self._is_said(line):
                continue
            if age and last and not searches and words.lower() not in last:
                points = min(points, CONTRADICTED)
            if points and points - age > best:
                best, telling = points - age, line
        return best, telling

    def _is_said(self, line: str) -> bool:
        """Return whether a line complains or begins as messages of the program do, if any does."""
        is_said = _complains(line) or self._begin.match(line) is not None
        return is_said or not self.complaint

    def said(self, data: Mapping[str, Any] | None) -> str:
        """Return the line that says most: the one that names a failure, or the last complaint."""
        if data is not None and (line := self._best(data)[1]):
            return line
        complaint, message = self.complaint, self._last_message(self.lines)
        if not _STRONG.match(complaint):
            message = self._last_with(_LEVEL) or message
            if message:
                return message.strip()
        found = complaint or self._last_message(self._all)
        found = found or next(filter(_USAGE.match, self._all), "")
        return (found or self._last_with(_DENIAL) or self._last_with(_WORD)).strip()

    def names_whole(self, data: Mapping[str, Any]) -> bool:
        """Return whether a line has the absolute path of what failed."""
        path = str(data.get("file", ""))
        return "/" in path and any(path in line for line in self.lines)

    @property
    def has_error(self) -> bool:
        """Whether the last line, if it is the own one, has the words of an error.

        Those of a refusal may be about another refusal: nice(2) gives EPERM for EACCES.
        """
        refusals = {_words(error).lower() for error in ("EPERM", "EACCES")}
        return bool(self._error_of_the_end - refusals)

    @property
    def _error_of_the_end(self) -> set[str]:
        """The words of strerror(3) in the last line: what was said before is another matter."""
        return _errors_in(self.lines[-1]) if self.lines and self.own else set()

    @property
    def complaint(self) -> str:
        """The last line that has a word for a failure, a count only if no other has; else empty.

        Of lines with the same label, one after another, it is the first.
        """
        found = [at for at, line in enumerate(self.lines) if _complains(line)][::-1]
        if not found:
            return ""
        at = next((at for at in found if not _COUNT.match(self.lines[at])), found[0])
        while self._continues(at):
            at -= 1
        return self.lines[at]

    def _continues(self, at: int) -> bool:
        """Return whether a line has the label of the line before it, by which it came about."""
        label = _LABEL.match(self.lines[at])
        return bool(label and at and self.lines[at - 1].startswith(label[0]))

    def _last_message(self, lines: Sequence[str]) -> str:
        """Return the last line that begins with the name of the program; no warning, no hint.

        Programs print their reasons so, and then perhaps where to read more.
        """
        named = filter(self._begin.match, reversed(lines))
        others = (_WARNING, _HINT, _PREVIOUS)
        reasons = (line for line in named if not any(each.search(line) for each in others))
        return next(reasons, "")

    def _last_with(self, pattern: re.Pattern[str]) -> str:
        return next((line for line in reversed(self.lines) if pattern.search(line)), "")

    def shown(self, said: str) -> tuple[str, ...]:
        """Return the last lines, or, if `said` is before these, it and the lines after it."""
        last = self.lines[-SHOWN:]
        if not said or any(said in line for line in last):
            return last
        place = next((at for at, line in enumerate(self._all) if said in line), 0)
        return self._all[place : place + SHOWN]


def _complains(line: str) -> bool:
    return _COMPLAINT.search(line) is not None and not _FRAME.match(line)


def _paths(data: Mapping[str, Any]) -> list[str]:
    """Return the paths that a call was about."""
    about = [word for word in str(data.get("what", "")).split() if "/" in word]
    return [*(str(data[name]) for name in PATHS if data.get(name)), *about]


def _without_others(line: str, data: Mapping[str, Any]) -> str:
    """Return a line without absolute paths that have the last name of the file alone.

    A program that passed a whole path says that one, or its end.
    """
    if not str(data.get("file_passed", data.get("file", ""))).startswith("/"):
        return line
    paths = _paths(data)
    last = {path.rpartition("/")[2] for path in paths}

    def kept(found: re.Match[str]) -> str:
        is_other = found[1] in last and not any(path.endswith(found[0]) for path in paths)
        return "" if is_other else found[0]

    return _ABSOLUTE.sub(kept, line)


def _folders(data: Mapping[str, Any]) -> list[str]:
    """Return what refused, or is not there, on the way to these paths."""
    return [str(data[name]) for name in FOLDERS if data.get(name)]


def _endpoints(data: Mapping[str, Any]) -> list[str]:
    """Return address and port of a connection, as most programs write them."""
    ends = ((data.get(f"net_{end}_ip"), data.get(f"net_{end}_port")) for end in ("peer", "host"))
    return [f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip, port in ends if ip and port]


def _names(data: Mapping[str, Any]) -> list[str]:
    """Return the last names of these paths, and what a connection is called by."""
    names = [path.rstrip("/").rpartition("/")[2] for path in _paths(data)]
    libraries = (match for name in names if (match := _LIBRARY.fullmatch(name)))
    return [
        *names,
        *(f"-l{match[1]}" for match in libraries),
        *(str(data[name]) for name in ENDS if data.get(name)),
    ]


def _words(error: str) -> str:
    """Return the words of strerror(3) for an error."""
    number = getattr(errno, error, None) if error else None
    return os.strerror(number) if isinstance(number, int) else ""


def _worth(
    line: str, paths: Sequence[str], names: Sequence[str], words: str, searches: bool
) -> int:
    """Return what it is worth that a line is about a failure.

    Of a search the line may have the error that another folder gave.
    """
    found = _errors_in(line)
    about = words.lower() in found
    points = _named(line, paths, names, WORDED if about else 0)
    return points if about or searches or not found else min(points, CONTRADICTED)


def _errors_in(line: str) -> set[str]:
    return {text.lower() for text in _error_words().findall(line)}


@cache
def _error_words() -> re.Pattern[str]:
    """Return what finds the words of strerror(3) for any error."""
    words = sorted({os.strerror(number) for number in errno.errorcode}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)), re.IGNORECASE)


def _named(line: str, paths: Sequence[str], names: Sequence[str], points: int) -> int:
    if any(_has_whole(line, path) for path in paths):
        return points + NAMED_WHOLE
    long = [name for name in names if len(name) >= SHORTEST_NAME]
    found = [name for name in long if _has_name(line, name, bool(points))]
    if found and not points and all(map(str.isalpha, found)):
        return NAMED_BY_WORD
    return points + NAMED_IN_PART if found else points


def _has_whole(line: str, path: str) -> bool:
    """Return whether a line has a path of several names, or an address with its port."""
    if "/" in path[:-1]:
        whole = path in line and re.search(rf"{re.escape(path)}(?!/\w)", line) is not None
        return whole or _has_end(line, path)
    return ":" in path and _has_word(line, path)


def _has_end(line: str, path: str) -> bool:
    """Return whether a line has the end of a path, two names at least."""
    end = "/".join(path.rstrip("/").split("/")[-2:])
    return "/" in end[1:] and end in line and _has_word(line, end)


def _has_name(line: str, name: str, has_words: bool) -> bool:
    """Return whether a line has a name; a mere word may just be part of the sentence.

    So it counts only beside a mark or at an end of the line, or in a line that has the words of the
    error (`has_words`). Indented lines are often commands that are proposed.
    """
    if has_words or not name.isalpha():
        return _has_word(line, name)
    if line[:1].isspace():
        return _has_word(line, name, before=_EDGE, after=_EDGE)
    return _has_word(line, name, before=_EDGE) or _has_word(line, name, after=_EDGE)


def _has_word(text: str, word: str, before: str = "", after: str = "") -> bool:
    """Return whether a text has a word, between what the two patterns match.

    It is not there as a folder on the way to another file. A host is beside slashes, too.
    """
    word = re.escape(word)
    word = rf"(?:{word}(?!/\w)|(?:(?<!/)|(?<=//)){word})"
    pattern = rf"{before}(?<![\w.#<-]){word}(?![\w~^-]|\.\w){after}"
    return re.search(pattern, text) is not None
