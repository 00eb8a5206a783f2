"""Files with which two sessions did the same, left out before names are compared.

Most files are such, and what varies in a path from run to run takes long to find.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from operator import itemgetter

from scopetrace.model.file_record import FileRecord
from scopetrace.query.diff.names import Names

CACHES = re.compile(
    r"/(?:__pycache__|\.(?:pytest|mypy|ruff)_cache|pytest-cache-files-\w+|\.hypothesis)(?:/|$)"
)
_VARY = frozenset(("path", "names", "io_us", "pids", "procs"))
_done = itemgetter(*(at for at, name in enumerate(FileRecord._fields) if name not in _VARY))
"""Returns what of a record is the same in two runs that did the same."""
Files = dict[str, FileRecord]
"""Path, as both sessions see it → the file."""


def without_alike(
    a: Collection[FileRecord], b: Collection[FileRecord], names: tuple[Names, Names]
) -> tuple[list[FileRecord], list[FileRecord]]:
    """Return the files of two sessions that may differ.

    Left out is one that has the same path in both, and with which both did the same. It stays if
    another one may be called the same: if that is in the same folder, or above, and is called
    otherwise than by its path.
    """
    seen_a, seen_b = (
        [called.seen(file.path) for file in files]
        for files, called in zip((a, b), names, strict=True)
    )
    files_a, files_b = dict(zip(seen_a, a, strict=True)), dict(zip(seen_b, b, strict=True))
    apart = _apart(files_a, files_b)
    apart |= _twice(seen_a, files_a) | _twice(seen_b, files_b)
    may_differ = _is_below(
        _folders(files_a, apart, names[0]) | _folders(files_b, apart, names[1]), apart
    )
    return (
        [file for path, file in zip(seen_a, a, strict=True) if may_differ(path)],
        [file for path, file in zip(seen_b, b, strict=True) if may_differ(path)],
    )


def _apart(a: Files, b: Files) -> set[str]:
    """Return the paths that only one session has, or with which they did not do the same."""
    return (a.keys() ^ b.keys()) | {
        path for path, file in a.items() if path in b and _done(file) != _done(b[path])
    }


def _twice(paths: Sequence[str], files: Files) -> set[str]:
    """Return the paths that several files of one session have."""
    if len(paths) == len(files):
        return set()
    return {path for path, times in Counter(paths).items() if times > 1}


def _folders(files: Files, apart: Collection[str], names: Names) -> set[str]:
    """Return the folders of files that are called otherwise than by their paths."""
    found = set()
    for path, file in files.items():
        if cache := CACHES.search(path):
            found.add(path[: cache.start()])
        elif path in apart and (name := names.text(file.path)) != path:
            found.add(posixpath.commonprefix((path, name)).rpartition("/")[0])
    return found


def _is_below(folders: Collection[str], paths: Collection[str]) -> Callable[[str], bool]:
    """Return a function: whether a path is one of `paths`, or below one of the folders."""
    known = {"": "" in folders, **dict.fromkeys(folders, True)}

    def is_below(path: str) -> bool:
        if path in paths:
            return True
        folder, passed = path.rpartition("/")[0], []
        while folder not in known:
            passed.append(folder)
            folder = folder.rpartition("/")[0]
        known.update(dict.fromkeys(passed, known[folder]))
        return known[folder]

    return is_below
