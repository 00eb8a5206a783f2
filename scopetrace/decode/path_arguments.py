"""What the path arguments of a call mean."""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

from scopetrace.decode.parts import HOW, NAME, NAME2, PATH, PATH2, Parts
from scopetrace.decode.paths import absolute, text
from scopetrace.decode.state import INT, signed
from scopetrace.decode.tasks import Task
from scopetrace.model.call import Call
from scopetrace.model.named import build
from scopetrace.model.raw import RawRecord

AT_FDCWD = -100
EXECS = ("execve", "execveat")
OPENS = ("open", "openat", "openat2", "creat", "open_by_handle_at")
CREAT_FLAGS = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
FLAGS_OF_HOW = struct.Struct("=Q")


class Names(NamedTuple):
    """What a path argument means, and what the program passed if that is another text."""

    file: str
    passed: str = ""


NO_NAMES = Names("")


def path_of(task: Task, record: RawRecord, parts: Parts, call: Call) -> Names:
    """Return what the first path argument means; empty if the record has none."""
    return _names(task, record, parts.get(PATH, b""), parts.get(NAME), call.dirfd)


def second_path_of(task: Task, record: RawRecord, parts: Parts, call: Call) -> Names:
    """Return what the second path argument means."""
    return _names(task, record, parts.get(PATH2, b""), parts.get(NAME2), call.dirfd2)


def _names(task: Task, record: RawRecord, passed: bytes, name: bytes | None, dirfd: int) -> Names:
    """Return what a path means: `name` if the kernel was asked, else what is known of its start.

    A program that is not dumpable hides its cwd and the links of its fds, but not what was learnt
    of them before. `dirfd` is the position of the fd that a relative path starts from; 0: none.
    """
    asked = text(passed)
    if name:
        return build(Names, (text(name), "" if name == passed else asked))
    start = task.folders.cwd
    if dirfd and (fd := signed(record.argument(dirfd))) != AT_FDCWD:
        file = task.table.fds.get(fd)
        start = file.path if file is not None and file.named else ""
        if not passed and record.result >= 0:  # AT_EMPTY_PATH: the file that the fd is
            return Names(start)
    file_name = absolute(start, task.folders.root, asked) if passed else ""
    return Names(file_name, "" if asked == file_name else asked)


def open_flags(record: RawRecord, parts: Parts, op: str) -> int:
    """Return the flags of open(2) that a call was made with."""
    if op == "open":
        return record.arg2 & INT
    if op == "creat":
        return CREAT_FLAGS
    if op != "openat2" and HOW not in parts:
        return record.arg3 & INT
    how = parts.get(HOW, b"")
    return int(FLAGS_OF_HOW.unpack_from(how)[0]) if len(how) >= FLAGS_OF_HOW.size else 0
