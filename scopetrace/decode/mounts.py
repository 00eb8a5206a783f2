"""On which file system a path is: where it is mounted and how (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from typing import NamedTuple

from scopetrace.decode.paths import text

ESCAPE = re.compile(rb"\\([0-7]{3})")
"""How a blank, a tab, a line end and a backslash in a name are written there."""


class Mount(NamedTuple):
    """One mounted file system."""

    point: str
    options: frozenset[str]
    """Of the mount and of the file system: ro, noexec…"""
    device: bytes = b""
    """Major and minor number of the file system."""


def find_mount(table: bytes, path: str) -> Mount | None:
    """Return the mount of a table that a path is on; of two at one place the later is seen."""
    found: Mount | None = None
    for line in table.splitlines():
        words, _, rest = line.partition(b" - ")
        fields, more = words.split(), rest.split()
        if len(fields) < 6 or len(more) < 3:
            continue
        point = text(ESCAPE.sub(lambda match: bytes((int(match[1], 8),)), fields[4]))
        if _is_within(path, point) and (found is None or len(point) >= len(found.point)):
            options = f"{text(fields[5])},{text(more[2])}".split(",")
            found = Mount(point, frozenset(options), fields[2])
    return found


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
