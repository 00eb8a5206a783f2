"""On which file system a path is: where it is mounted and how (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    number: bytes = b""
    parent: bytes = b""
    """Number of the mount in which it is mounted."""


def find_mount(table: bytes, path: str) -> Mount | None:
    """Return the mount of a table that a path is on; of two at one place the later is seen."""
    found: Mount | None = None
    for mount in _mounts(table):
        if _is_within(path, mount.point) and (
            found is None or len(mount.point) >= len(found.point)
        ):
            found = mount
    return found


def mount_inside(table: bytes, path: str) -> str | None:
    """Return where one is mounted inside of the mount that a path is on."""
    outer = find_mount(table, path)
    inner = (mount for mount in _mounts(table) if outer and mount.parent == outer.number)
    return next((mount.point for mount in inner), None)


def _mounts(table: bytes) -> Iterator[Mount]:
    for line in table.splitlines():
        words, _, rest = line.partition(b" - ")
        fields, more = words.split(), rest.split()
        if len(fields) < 6 or len(more) < 3:
            continue
        number, parent, device, _root, point, options, *_ = fields
        yield Mount(
            text(ESCAPE.sub(lambda match: bytes((int(match[1], 8),)), point)),
            frozenset(f"{text(options)},{text(more[2])}".split(",")),
            device,
            number,
            parent,
        )


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
