"""A cache of the facts about many sessions, in the file `.index` beside them.

Reading a session takes a tenth of a millisecond, opening one that has a log ten times that. The
index has a row for each session: its facts, and the stat(2) of its file and log before they were
read. A row is used only while that stat(2) is unchanged; otherwise the session is read. The index
never changes a result:

- if it is missing, damaged, truncated or of another version, it is ignored and written anew;
- if another user owns it or may write to it, it is ignored; in a folder of another user it is
  neither read nor written, and sessions of another user are not cached;
- files that could change without a change of stat(2) are not cached: links, sessions with a
  rollback journal, files so new that another change may have the same time stamp;
- a session that is being recorded is read each time; one whose recorder was killed does not change;
- the file is replaced as a whole, by one process at a time.
"""

from __future__ import annotations

import json
import os
import stat
import time
import zlib
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from scopetrace import __version__
from scopetrace.db.running import is_running
from scopetrace.model.session import SessionInfo

FILE_NAME = ".index"
FEW = 32
"""Fewer sessions are read faster than an index of thousands is loaded or written."""

_FIELDS = [field for field in SessionInfo._fields if field != "path"]
_VERSION = [1, __version__, _FIELDS]
SETTLED_NS = 2_000_000_000
"""The coarsest time stamps of a file system (FAT) have a resolution of 2 s."""
MOST_CHARACTERS = 4096
"""Of a command line and its folder; a session with more is read each time."""
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # opening a fifo must not block
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

Rows = dict[str, list[Any]]
"""Name of a session file → its state (`_state`), then its fields."""


class SessionIndex:
    """The cached sessions of a folder, and changes that are not saved yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked_ns = 0
        self._ours = _is_ours(folder)
        self._files = _files(folder) if self._ours else {}
        self._rows = _load(folder / FILE_NAME) if self._ours else {}
        self._fresh = 0

    def recall(self, path: Path) -> SessionInfo | None:
        """Return the cached facts of a session; None: it must be read next."""
        self._asked_ns = time.time_ns()
        row = self._rows.get(path.name)
        if row is None or path.parent != self._folder or row[0] != self._state(path.name):
            return None
        _, number, command, args, *rest = row
        return SessionInfo(number, path, command, tuple(args), *rest)

    def note(self, info: SessionInfo) -> None:
        """Cache the facts of the session that was recalled last, if a change would be noticed."""
        state = self._state(info.path.name)
        cacheable = state is not None and self._is_settled(info.path.name)
        if not cacheable or _is_recorded_now(info) or _is_uncacheable(info):
            return
        self._rows[info.path.name] = [state, info.id, *info[2:]]
        self._fresh += 1

    def save(self) -> None:
        """Write the index if many sessions are new or deleted; errors are ignored."""
        kept = {name: row for name, row in self._rows.items() if name in self._files}
        if self._ours and (self._fresh >= FEW or len(self._rows) > 2 * len(kept)):
            with suppress(OSError):
                _replace(self._folder / FILE_NAME, _encode(kept))

    def _state(self, name: str) -> str | None:
        """Return a text that changes whenever a session does; None: there is no such text.

        For the log it has mtime, not ctime: when root reads a session, SQLite changes the owner of
        the log, and so its ctime.
        """
        file, log = self._files.get(name), self._files.get(f"{name}-wal")
        if file is None or f"{name}-journal" in self._files or not _is_own_file(file):
            return None
        state = f"{file.st_ino} {file.st_size} {file.st_ctime_ns}"
        if log is None or not _is_own_file(log):
            return None if log else state
        return f"{state} {log.st_ino} {log.st_size} {log.st_mtime_ns}"

    def _is_settled(self, name: str) -> bool:
        """Return whether a later change will have another time stamp than the last one."""
        files = (self._files.get(name), self._files.get(f"{name}-wal"))
        return all(part.st_ctime_ns < self._asked_ns - SETTLED_NS for part in files if part)


def _is_own_file(file: os.stat_result) -> bool:
    return stat.S_ISREG(file.st_mode) and file.st_uid == os.geteuid()


def _is_recorded_now(info: SessionInfo) -> bool:
    if info.status != "running":
        return False
    return is_running(info.recorder_pid, info.recorder_started_ticks, info.boot_id)


def _is_uncacheable(info: SessionInfo) -> bool:
    """Return whether a session has too long a command line, or could not be read."""
    length = sum(map(len, info.args)) + len(info.cwd)
    return length > MOST_CHARACTERS or info.status == "unreadable"


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid()
    except OSError:
        return False


def _files(folder: Path) -> dict[str, os.stat_result]:
    """Return the lstat(2) of all files in a folder by name."""
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    found[entry.name] = entry.stat(follow_symlinks=False)
    except OSError:
        return {}
    return found


def _load(path: Path) -> Rows:
    """Return the rows of an index; {} if there is none, or other users may write to it."""
    try:
        file = os.open(path, os.O_RDONLY | _FLAGS)
    except OSError:
        return {}
    try:
        about = os.fstat(file)
        trusted = about.st_uid == os.geteuid() and not about.st_mode & _WRITABLE_BY_OTHERS
        if not trusted or not stat.S_ISREG(about.st_mode):
            return {}
        with open(file, "rb", closefd=False) as stream:
            return _decode(stream.read())
    except OSError:
        return {}
    finally:
        os.close(file)


def _encode(rows: Rows) -> bytes:
    """Return the content of an index: a line with the CRC of the rest, then JSON."""
    body = json.dumps([_VERSION, rows], separators=(",", ":")).encode()
    return b"%08x\n%b" % (zlib.crc32(body), body)


def _decode(data: bytes) -> Rows:
    """Return the rows of an index; {} if it is damaged or of another version."""
    check, _, body = data.partition(b"\n")
    if check != b"%08x" % zlib.crc32(body):
        return {}
    try:
        version, rows = json.loads(body)
        return rows if version == _VERSION and all(map(_is_row, rows.values())) else {}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}  # the CRC is right, but another program made it


def _is_row(row: Any) -> bool:
    return isinstance(row, list) and len(row) == len(_FIELDS) + 1


def _replace(path: Path, data: bytes) -> None:
    """Replace a file by `data`, unless another process is replacing it now."""
    new = path.with_name(f"{path.name}.new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | _FLAGS, 0o600)
    try:
        flock(file, LOCK_EX | LOCK_NB)
        if not os.path.samestat(os.fstat(file), new.lstat()):
            return  # another process renamed it between our open and our lock
        _write(file, new, data)
        new.rename(path)
    finally:
        os.close(file)


def _write(file: int, path: Path, data: bytes) -> None:
    """Write a new index; delete it if it could not be written completely."""
    try:
        os.fchmod(file, 0o600)
        os.ftruncate(file, 0)
        with open(file, "wb", closefd=False) as stream:
            stream.write(data)
    except OSError:
        path.unlink()
        raise
