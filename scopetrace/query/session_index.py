"""What many sessions say about themselves, remembered in one file beside them.

Opening a session costs a millisecond, which is 12 s for 10,000 of them. So their rows are copied
into `.index`, each with what stat(2) said of its file and of its log before it was read. A row is
used only while all of that is still so; else the session itself is read. The index never makes
another answer, only a faster one:

- if it is missing, damaged, cut or of another version, it is as good as empty and written anew;
- if another user owns it or may write to it, it is not read; in a folder of another user it is
  neither read nor written, and sessions of another user are not remembered;
- what could change without a trace is not remembered: links, sessions with a rollback journal,
  files so young that another change may fall into the same tick of the file system's clock;
- a session that is being recorded is read each time; one whose recorder was killed changes no more;
- the file is replaced whole, by one process at a time.
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
"""So many sessions are read sooner than an index of thousands is loaded, or written."""

_FIELDS = [field for field in SessionInfo._fields if field != "path"]
_VERSION = [1, __version__, _FIELDS]
SETTLED_NS = 2_000_000_000
"""The coarsest clock of a file system (FAT) counts in steps of 2 s."""
LONGEST_ROW = 4096
"""Characters of a command line and its folder; a session with more is read each time."""
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # whatever stands there, it holds up nobody
_OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH

Rows = dict[str, list[Any]]
"""Name of a session file → its state, then its fields."""


class SessionIndex:
    """The remembered sessions of a folder, as they are written, and what is new of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked_ns = 0
        self._ours = _is_ours(folder)
        self._files = _files(folder) if self._ours else {}
        self._rows = _load(folder / FILE_NAME) if self._ours else {}
        self._fresh = 0

    def recall(self, path: Path) -> SessionInfo | None:
        """Return what is remembered of a session; None if it must be read next."""
        self._asked_ns = time.time_ns()
        row = self._rows.get(path.name)
        if row is None or path.parent != self._folder or row[0] != self._state(path.name):
            return None
        _, number, command, args, *rest = row
        return SessionInfo(number, path, command, tuple(args), *rest)

    def note(self, info: SessionInfo) -> None:
        """Remember what was read of the session that was asked for last, if that is lasting."""
        state = self._state(info.path.name)
        lasting = state is not None and self._is_settled(info.path.name)
        if not lasting or _is_recorded_now(info) or _is_odd(info):
            return
        self._rows[info.path.name] = [state, info.id, *info[2:]]
        self._fresh += 1

    def save(self) -> None:
        """Write it if much is new or gone. If that fails, the next answer is slow again."""
        kept = {name: row for name, row in self._rows.items() if name in self._files}
        if self._ours and (self._fresh >= FEW or len(self._rows) > 2 * len(kept)):
            with suppress(OSError):
                _replace(self._folder / FILE_NAME, _encode(kept))

    def _state(self, name: str) -> str | None:
        """Return what changes whenever a session does; None if that cannot be relied on.

        Of the log it is the time of its last write: SQLite gives the log to the session's owner
        whenever root reads it, which is a change (ctime) too.
        """
        file, log = self._files.get(name), self._files.get(f"{name}-wal")
        if file is None or f"{name}-journal" in self._files or not _is_own_file(file):
            return None
        state = f"{file.st_ino} {file.st_size} {file.st_ctime_ns}"
        if log is None or not _is_own_file(log):
            return None if log else state
        return f"{state} {log.st_ino} {log.st_size} {log.st_mtime_ns}"

    def _is_settled(self, name: str) -> bool:
        """Tell whether no change after the reading can look like the last one before it."""
        files = (self._files.get(name), self._files.get(f"{name}-wal"))
        return all(part.st_ctime_ns < self._asked_ns - SETTLED_NS for part in files if part)


def _is_own_file(file: os.stat_result) -> bool:
    return stat.S_ISREG(file.st_mode) and file.st_uid == os.geteuid()


def _is_recorded_now(info: SessionInfo) -> bool:
    if info.status != "running":
        return False
    return is_running(info.recorder_pid, info.recorder_started_ticks, info.boot_id)


def _is_odd(info: SessionInfo) -> bool:
    """Tell whether a session says too much to keep, or could not be read this time."""
    length = sum(map(len, info.args)) + len(info.cwd)
    return length > LONGEST_ROW or info.status == "unreadable"


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid()
    except OSError:
        return False


def _files(folder: Path) -> dict[str, os.stat_result]:
    """Return what lstat(2) says of all that is in a folder."""
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
    """Return the rows of an index; {} if there is none, or none to trust."""
    try:
        file = os.open(path, os.O_RDONLY | _FLAGS)
    except OSError:
        return {}
    try:
        about = os.fstat(file)
        trusted = about.st_uid == os.geteuid() and not about.st_mode & _OF_OTHERS
        if not trusted or not stat.S_ISREG(about.st_mode):
            return {}
        with open(file, "rb", closefd=False) as stream:
            return _decode(stream.read())
    except OSError:
        return {}
    finally:
        os.close(file)


def _encode(rows: Rows) -> bytes:
    """Return an index: a line with the check sum of the rest, and JSON."""
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
        return {}  # not of our making, though the sum is right


def _is_row(row: Any) -> bool:
    return isinstance(row, list) and len(row) == len(_FIELDS) + 1


def _replace(path: Path, data: bytes) -> None:
    """Put `data` into the place of a file, unless another process is about to."""
    new = path.with_name(f"{path.name}.new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | _FLAGS, 0o600)
    try:
        flock(file, LOCK_EX | LOCK_NB)
        if not os.path.samestat(os.fstat(file), new.lstat()):
            return  # it became the index between our open and our lock
        _write(file, new, data)
        new.rename(path)
    finally:
        os.close(file)


def _write(file: int, path: Path, data: bytes) -> None:
    """Write all of a new index, or leave nothing of it."""
    try:
        os.fchmod(file, 0o600)
        os.ftruncate(file, 0)
        with open(file, "wb", closefd=False) as stream:
            stream.write(data)
    except OSError:
        path.unlink()
        raise
