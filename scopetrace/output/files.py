"""Files of a session as a table, one to a row or grouped."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence

from scopetrace.model.file_record import FILE_FIELDS, FileRecord
from scopetrace.output.answers import Column, terminal_table
from scopetrace.output.units import format_microseconds, format_size

COLUMNS = (
    Column("USE"),
    Column("READ", right=True),
    Column("WRITTEN", right=True),
    Column("OPS", right=True, least_width=100),
    Column("I/O TIME", right=True, least_width=100),
    Column("PROC", least_width=120, most_width=24),
    Column("ERROR", least_width=80, most_width=16),
    Column("FILE"),
)
GROUP_COLUMNS = (
    Column("FILES", right=True),
    Column("READ", right=True),
    Column("WRITTEN", right=True),
    Column("OPS", right=True, least_width=80),
    Column("I/O TIME", right=True, least_width=80),
    Column("GROUP"),
)
GROUP_FIELDS = ("group", "files", "read_bytes", "written_bytes", "ops", "io_us")
PACKAGE = re.compile(
    r"/(?:site-packages|dist-packages|node_modules|gems|vendor_ruby|nodejs|mod)"
    r"/(?P<name>@[^/]+/[^/]+|[^/]+)"
)
"""Where the name of an installed package stands in a path."""


def file_table(files: Iterable[FileRecord], width: int | None) -> str:
    """Return a table of `files`; `width` of the terminal, None if there is none."""
    return terminal_table(COLUMNS, map(file_cells, files), width)


def file_cells(file: FileRecord) -> tuple[str, ...]:
    """Return the row of a file, a text for each of `COLUMNS`, not escaped."""
    ops = file.read_ops + file.written_ops
    return (
        file.uses,
        _bytes(file.read_bytes, file.read_ops),
        _bytes(file.written_bytes, file.written_ops),
        str(ops) if ops else "",
        format_microseconds(file.io_us) if file.io_us else "",
        " ".join(file.procs),
        " ".join(file.errors),
        file.path,
    )


def file_body(file: FileRecord) -> dict[str, object]:
    """Return a file as JSON has it."""
    return {name: value(file) for name, value in FILE_FIELDS.items()}


def relative(path: str, folder: str) -> str:
    """Return a path as seen from a folder, if it is below; else as it is."""
    inside = folder.rstrip("/") + "/"
    return path.removeprefix(inside) if path.startswith(inside) else path


def group_keys(by: str) -> Callable[[FileRecord], Sequence[str]]:
    """Return what finds the groups of a file: its folder, its processes, or its package.

    What is in no package is grouped by its class, as `(own)`.
    """
    return {
        "dir": lambda file: (posixpath.dirname(file.path) or "/",),
        "proc": lambda file: file.procs,
        "package": lambda file: (package_of(file.path) or f"({file.path_class})",),
    }[by]


def package_of(path: str) -> str:
    """Return the name of the installed package that a path belongs to, or nothing."""
    found = PACKAGE.search(path)
    return found["name"].removesuffix(".py") if found else ""


def grouped(files: Iterable[FileRecord], by: str) -> list[dict[str, object]]:
    """Return the sums of each group, as JSON has them, the one with most bytes first."""
    groups: dict[str, list[FileRecord]] = {}
    keys = group_keys(by)
    for file in files:
        for key in keys(file):
            groups.setdefault(key, []).append(file)
    bodies = [_group(key, members) for key, members in groups.items()]
    return sorted(
        bodies, key=lambda body: -int(str(body["read_bytes"])) - int(str(body["written_bytes"]))
    )


def _group(key: str, files: Sequence[FileRecord]) -> dict[str, object]:
    return {
        "group": key,
        "files": len(files),
        "read_bytes": sum(file.read_bytes for file in files),
        "written_bytes": sum(file.written_bytes for file in files),
        "ops": sum(file.read_ops + file.written_ops for file in files),
        "io_us": sum(file.io_us for file in files),
    }


def group_table(groups: Iterable[dict[str, object]], width: int | None) -> str:
    """Return a table of groups."""
    rows = (
        (
            body["files"],
            format_size(int(str(body["read_bytes"]))),
            format_size(int(str(body["written_bytes"]))),
            body["ops"],
            format_microseconds(int(str(body["io_us"]))),
            body["group"],
        )
        for body in groups
    )
    return terminal_table(GROUP_COLUMNS, rows, width)


def _bytes(size: int, ops: int) -> str:
    return format_size(size) if ops else ""
