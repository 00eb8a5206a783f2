"""Files of two sessions: which one of them used, found or may use, and which had other sizes.

How many bytes a file had is not known. What is compared is how many were read and written by all
processes together, and by the one that used the file most: a file that is read more often, as by a
server with more requests, differs in the first alone and is the same. The kernel's files, temporary
files, those that hold a process id and those whose text was recorded are not compared by bytes.

A module of Python that is read from its cache counts as read, and what tools keep to be faster next
time is left out, so that a first run is like a second one.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from scopetrace.model.difference import (
    CONTENT,
    FILE,
    ONLY_A,
    ONLY_B,
    PRESENCE,
    READ_BYTES,
    RESULT,
    SOURCE,
    USE,
    WRITTEN_BYTES,
    Difference,
)
from scopetrace.model.file_record import OWN, SYSTEM, FileRecord
from scopetrace.query.diff.alike import CACHES, without_alike
from scopetrace.query.diff.facts import CHANCE
from scopetrace.query.diff.names import Names, top_in_temporary

_MODULE = re.compile(r"(?P<folder>.*/)__pycache__/(?P<name>[^/]+?)\.[a-z]+-?\d+[^/]*\.pyc$")
"""Where Python keeps a compiled module (PEP 3147)."""
_UNSIZED = re.compile(r"\.pid$|\.lock$")
"""Names of files whose sizes say nothing."""
_MISSES = frozenset(("ENOENT", "ENOTDIR"))
_REFUSALS = frozenset(("EACCES", "EPERM", "EROFS"))


class Use:
    """What one session did with one file, or with all that have one name in both sessions."""

    __slots__ = (
        "compiled", "deleted", "errors", "existed", "folder", "found", "most_read", "most_written",
        "opens", "path_class", "pids", "read", "read_bytes", "renamed", "written", "written_bytes",
    )  # fmt: skip

    def __init__(self) -> None:
        self.found = self.read = self.written = self.deleted = self.renamed = False
        self.folder = self.existed = False
        self.opens = 0
        self.pids: set[int] = set()
        self.compiled = False
        """A module of Python that was compiled anew, although there was a compiled one."""
        self.errors: set[str] = set()
        self.read_bytes = self.most_read = self.written_bytes = self.most_written = 0
        self.path_class = ""

    def add(self, file: FileRecord) -> None:
        """Add what was done to a file."""
        self.existed |= "EEXIST" in file.errors
        self.found |= bool(file.opens or file.read or file.written or file.deleted or file.renamed)
        self.found |= self.existed
        self.read |= file.read
        self.written |= file.written
        self.deleted |= file.deleted
        self.folder |= file.folder
        self.opens += file.opens
        self.pids.update(file.pids)
        self.renamed |= file.renamed
        self.errors |= set(file.errors) - CHANCE - {"EEXIST"}
        self.read_bytes += file.read_bytes
        self.most_read = max(self.most_read, file.most_read_bytes)
        self.written_bytes += file.written_bytes
        self.most_written = max(self.most_written, file.most_written_bytes)
        self.path_class = self.path_class or file.path_class

    def add_compiled(self, file: FileRecord) -> None:
        """Add what was done to the compiled form of a module."""
        was_there = bool(file.read_ops)
        self.pids.update(file.pids)
        self.found |= was_there
        self.read |= was_there
        self.compiled |= was_there and file.written
        self.path_class = self.path_class or file.path_class

    @property
    def result(self) -> tuple[bool, frozenset[str]]:
        """Whether it was found, and what failed, in words."""
        return self.found, frozenset(self._error_words)

    @property
    def letters(self) -> tuple[bool, ...]:
        """What was done."""
        return self.read, self.written, self.deleted, self.renamed

    def differs(self, other: Use) -> bool:
        """Return whether something else was done; to make what was there already is to make it.

        An open with O_CREAT makes a file only in the run that is the first, as that of a log.
        """
        made = self.existed or other.existed or (self.is_unwritten and other.is_unwritten)
        ours, theirs = self.letters, other.letters
        return (ours[0], *ours[2:]) != (theirs[0], *theirs[2:]) if made else ours != theirs

    @property
    def words(self) -> str:
        """What was done and what failed, in words."""
        words = [
            word
            for word, holds in (
                ("read", self.read),
                ("written", self.written),
                ("renamed", self.renamed),
                ("deleted", self.deleted),
            )
            if holds
        ]
        words += self._error_words
        return ", ".join(dict.fromkeys(words)) or ("opened" if self.found else "used")

    @property
    def _error_words(self) -> list[str]:
        """What failed; of a file that was found, ENOTDIR says no more than that it is no folder."""
        return [
            _error_word(error)
            for error in sorted(self.errors)
            if not (self.found and error == "ENOTDIR")
        ]

    @property
    def is_made(self) -> bool:
        """Whether the session made or changed it."""
        return self.written or self.deleted or self.renamed or self.existed

    @property
    def is_unwritten(self) -> bool:
        """Whether it was opened, and no bytes were written."""
        return bool(self.opens) and not self.written_bytes

    @property
    def is_brief(self) -> bool:
        """Whether the session made it and removed it again."""
        return self.written and self.deleted

    @property
    def is_inherited(self) -> bool:
        """Whether it was open when the session began, and only written: where output went."""
        return not (self.opens or self.read or self.errors or self.renamed or self.deleted)

    def sizes(self, aspect: str) -> tuple[int, int]:
        """Return the bytes of all uses together, and of the largest."""
        if aspect == READ_BYTES:
            return self.read_bytes, self.most_read
        return self.written_bytes, self.most_written


def _error_word(error: str) -> str:
    if error in _MISSES:
        return "not found"
    return f"denied ({error})" if error in _REFUSALS else error


def compare_files(
    a: Collection[FileRecord],
    b: Collection[FileRecord],
    names: tuple[Names, Names],
    texts: Collection[str],
    only_pids: tuple[Collection[int], Collection[int]],
) -> Iterator[Difference]:
    """Yield what differs between the files of two sessions.

    Args:
        a, b: the files of each.
        names: what each calls its things.
        texts: names of files whose text is compared, so that their bytes need not be.
        only_pids: the processes that ran in A only, and in B only.
    """
    left_a, left_b = without_alike(a, b, names)
    uses_a, uses_b = _uses(left_a, names[0]), _uses(left_b, names[1])
    brief = _folders_of_brief(uses_a, uses_b) & _folders_of_brief(uses_b, uses_a)
    for path in dict.fromkeys([*uses_a, *uses_b]):
        first, second = uses_a.get(path), uses_b.get(path)
        if _is_passing(path, first, second, brief) or _is_in_made(path, uses_a, uses_b):
            continue
        if first is None and second is not None:
            yield _only(ONLY_B, path, second, names[1], only_pids[1])
        elif second is None and first is not None:
            yield _only(ONLY_A, path, first, names[0], only_pids[0])
        elif first is not None and second is not None:
            yield from _both(path, first, second, path not in texts)


def _uses(files: Iterable[FileRecord], names: Names) -> dict[str, Use]:
    found: dict[str, Use] = {}
    for file in files:
        module = _MODULE.match(file.path)
        if module is not None:
            if file.read_ops:
                path = names.text(f"{module['folder']}{module['name']}.py")
                found.setdefault(path, Use()).add_compiled(file)
        elif not CACHES.search(file.path):
            path = names.text(file.path)
            found.setdefault(path, Use()).add(file)
    return {path: use for path, use in found.items() if not use.is_inherited}


def _folders_of_brief(uses: Mapping[str, Use], others: Mapping[str, Use]) -> set[str]:
    """Return the folders of the files that only one session made, and removed again."""
    return {
        posixpath.dirname(path) for path, use in uses.items() if use.is_brief and path not in others
    }


def _is_passing(path: str, a: Use | None, b: Use | None, brief: Collection[str]) -> bool:
    """Return whether a file is one that each run makes for itself, under a name of its own.

    Either it has a temporary name and was made or changed, or was only looked for; or one session
    made and removed it, as the other did with one in the same folder.
    """
    uses = [use for use in (a, b) if use is not None]
    if "*" in path:
        is_missed = len(uses) == 1 and not uses[0].found and uses[0].errors <= _MISSES
        return is_missed or any(use.is_made for use in uses)
    return len(uses) == 1 and uses[0].is_brief and posixpath.dirname(path) in brief


def _is_in_made(path: str, *sessions: Mapping[str, Use]) -> bool:
    """Return whether a file has a temporary name, in a folder that a session made for such."""
    top = top_in_temporary(path) if "*" in path else ""
    return any(top in uses and uses[top].is_made for uses in sessions)


def _only(change: str, path: str, use: Use, names: Names, only_pids: Collection[int]) -> Difference:
    """Return that a file was used in one session only.

    That follows from a process that ran there only, if no other one used it, unless it is a file
    of the session's own folder.
    """
    first, second = (use.words, None) if change == ONLY_A else (None, use.words)
    is_telling = use.found and use.path_class == OWN and names.is_inside(path)
    return Difference(
        change, FILE, PRESENCE, path, first, second, use.path_class,
        follows=not is_telling and use.pids <= set(only_pids),
    )  # fmt: skip


def _both(path: str, a: Use, b: Use, has_sizes: bool) -> Iterator[Difference]:
    """Yield what differs of a file that both sessions know: the first of these that does."""
    if a.result != b.result:
        yield _of(RESULT, USE, path, a, b)
    elif a.differs(b):
        yield _of(CONTENT, USE, path, a, b)
    elif a.compiled != b.compiled and not (a.read_bytes and b.read_bytes):
        yield _of(CONTENT, SOURCE, path, a, b)
    elif has_sizes and not (a.folder or b.folder or _is_unsized(path, a)):
        yield from _sizes(path, a, b)


def _is_unsized(path: str, use: Use) -> bool:
    return use.path_class == SYSTEM or _UNSIZED.search(path) is not None


def _of(change: str, aspect: str, path: str, a: Use, b: Use) -> Difference:
    first, second = (_freshness(a), _freshness(b)) if aspect == SOURCE else (a.words, b.words)
    path_class = b.path_class if a.path_class == OWN else a.path_class
    return Difference(change, FILE, aspect, path, first, second, path_class)


def _freshness(use: Use) -> str:
    return "compiled anew" if use.compiled else "compiled before"


def _sizes(path: str, a: Use, b: Use) -> Iterator[Difference]:
    for aspect in (WRITTEN_BYTES, READ_BYTES):
        (all_a, most_a), (all_b, most_b) = a.sizes(aspect), b.sizes(aspect)
        if all_a and all_b and all_a != all_b and most_a != most_b:
            yield Difference(CONTENT, FILE, aspect, path, most_a, most_b, path_class=a.path_class)
            return
