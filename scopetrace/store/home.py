"""Where sessions live, and who gets which id.

One file for each session, `sessions/<id>-<command>.db`, 0600 in a folder of 0700: a session can
hold secrets. An id is given away under a lock and never twice, as long as a file or the counter
beside the sessions remembers it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from scopetrace.errors import SessionError
from scopetrace.store.problems import session_error

RESERVE = "-reserve"
COMPANIONS = ("-wal", "-shm", "-journal", RESERVE, ".fault.txt")
"""What may stand beside a session file, behind its name."""

_COUNTER = ".last-id"
_COUNTER_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_SESSION_FILE = re.compile(r"(\.?)([1-9][0-9]{0,17})-(.*)\.db")
_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_LONGEST_COMMAND = 64
"""Of a file name; Linux allows 255 bytes, and SQLite adds -journal."""


def state_home(home: Path | str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of all that scopetrace keeps.

    `home` itself, else $SCOPETRACE_HOME, $XDG_STATE_HOME/scopetrace, ~/.local/state/scopetrace.
    As the XDG base directory specification says, a relative $XDG_STATE_HOME is ignored.
    """
    if home is not None:
        return Path(home)
    if own := environ.get("SCOPETRACE_HOME"):
        return Path(own).absolute()
    xdg = environ.get("XDG_STATE_HOME", "")
    if xdg.startswith("/"):
        return Path(xdg) / "scopetrace"
    try:
        own_home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
        return own_home / ".local/state/scopetrace"
    except RuntimeError:
        raise SessionError("no home folder is known: set SCOPETRACE_HOME") from None


def sessions_folder(home: Path | str | None = None) -> Path:
    """Return the folder that session files are in, there or not."""
    return state_home(home) / "sessions"


def session_file_name(session_id: int, command: str) -> str:
    """Return the name of a session's file; whatever `command` is, one that every shell takes."""
    safe = _UNSAFE.sub("_", command)[:_LONGEST_COMMAND].strip(".")
    return f"{session_id}-{safe or 'command'}.db"


def parse_file_name(name: str) -> tuple[int, str] | None:
    """Return the id and the command that a session's file name tells, None for another file."""
    found = _SESSION_FILE.fullmatch(name)
    return None if found is None or found[1] else (int(found[2]), found[3])


def session_paths(folder: Path) -> dict[int, Path]:
    """Return the session files of `folder` by id, ascending; {} if there is no such folder."""
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise session_error("list the sessions in", folder, error) from None
    found = ((parse_file_name(path.name), path) for path in paths)
    return dict(sorted((told[0], path) for told, path in found if told))


def make_folder(folder: Path) -> None:
    """Make the folder of the sessions, and the one above it, for their owner alone.

    Raises:
        SessionError: it cannot be made, or others may write to one that is there.
    """
    try:
        for part in (folder.parent, folder):
            if not part.is_dir():
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
                part.chmod(0o700)
    except OSError as error:
        raise session_error("make the folder", folder, error) from None
    why = why_unsafe(folder)
    if why is not None:
        raise SessionError(f"cannot write sessions in {folder}: {why}")


def why_unsafe(folder: Path) -> str | None:
    """Return why others could put files into the folder of the sessions; None: they cannot.

    They could where they may write to it, or exchange it since they may write to the one above. In
    one with the sticky bit they cannot touch what is ours (inode(7)).
    """
    try:
        about = {part: part.stat() for part in (folder, folder.parent)}
    except OSError as error:
        return error.strerror
    if about[folder].st_uid not in (os.geteuid(), 0):
        return "it belongs to another user"
    for part, status in about.items():
        if status.st_mode & _OF_OTHERS and not status.st_mode & stat.S_ISVTX:
            return f"others may write to {part} (chmod go-w makes it safe)"
    return None


def allocate_id(folder: Path) -> int:
    """Return an id that no session in `folder` has or had.

    Raises:
        SessionError: the folder cannot be made or written.
    """
    with _locked_counter(folder) as counter:
        session_id = max(_read(counter), _highest(folder)) + 1
        _write(counter, session_id)
    return session_id


def give_back_id(folder: Path, session_id: int) -> None:
    """Let the id of a session that never came to be be used again, if it is still the last."""
    with _locked_counter(folder) as counter:
        if _read(counter) == session_id and _highest(folder) < session_id:
            _write(counter, session_id - 1)


@contextmanager
def _locked_counter(folder: Path) -> Iterator[int]:
    """Hold the counter's lock; the lock goes with the fd, so a killed process never keeps it."""
    try:
        counter = os.open(folder / _COUNTER, _COUNTER_FLAGS, 0o600)
    except OSError as error:
        raise session_error("write sessions in", folder, error) from None
    try:
        flock(counter, LOCK_EX)
        yield counter
    except OSError as error:
        raise session_error("write sessions in", folder, error) from None
    finally:
        os.close(counter)


def _read(counter: int) -> int:
    text = os.pread(counter, 32, 0).strip()
    return int(text) if text.isdigit() and len(text) < 18 else 0


def _write(counter: int, session_id: int) -> None:
    text = b"%d\n" % session_id
    os.pwrite(counter, text, 0)
    os.ftruncate(counter, len(text))


def _highest(folder: Path) -> int:
    """Return the highest id of any file here, those in the making included."""
    found = (_SESSION_FILE.fullmatch(path.name) for path in folder.iterdir())
    return max((int(match[2]) for match in found if match), default=0)
