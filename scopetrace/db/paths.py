"""Where session files are, and how they are called.

One file for each session, `sessions/<id>-<command>.db`, and beside it what SQLite and the recorder
keep while it is written (`COMPANIONS`). A file that is being made has a hidden name with the pid of
its maker, and is renamed when it is whole.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from scopetrace.db.errors import session_error
from scopetrace.db.running import boot_id, started_ticks
from scopetrace.errors import SessionError

SESSIONS = "sessions"
"""The folder in which recorders write."""
RESERVE = "-reserve"
COMPANIONS = ("-wal", "-shm", "-journal", RESERVE, ".fault.txt")
"""Suffixes of the files that may be beside a session file."""

SESSION_FILE = re.compile(r"(\.?)([1-9][0-9]{0,17})-(.*)\.db")
_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_COMMAND_CHARACTERS = 64
"""Of a file name at most; Linux allows 255 bytes, and SQLite adds -journal."""
_HIDDEN_FILE = r"\.[1-9][0-9]*-.*?(?:\.([0-9]+)\.([0-9a-f]*))?\.db"
_BOOT_DIGITS = 8
_LONGEST_MAKING_S = 3600
"""Making a file takes milliseconds, but the clocks of machines that share a folder differ."""


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
    """Return the folder of the session files, whether it exists or not."""
    return state_home(home) / SESSIONS


def session_file_name(session_id: int, command: str) -> str:
    """Return the name of a session's file; it needs no quotes in a shell, whatever `command` is."""
    safe = _UNSAFE.sub("_", command)[:_COMMAND_CHARACTERS].strip(".")
    return f"{session_id}-{safe or 'command'}.db"


def parse_file_name(name: str) -> tuple[int, str] | None:
    """Return the id and the command that are in a session's file name, None for another file."""
    found = SESSION_FILE.fullmatch(name)
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
    return dict(sorted((parsed[0], path) for parsed, path in found if parsed))


def hidden_path(path: Path) -> Path:
    """Return the name under which this process makes the session file `path`."""
    return path.with_name(f".{path.stem}.{os.getpid()}.{boot_id()[:_BOOT_DIGITS]}.db")


def is_being_made(name: str, age_s: float) -> bool | None:
    """Return whether a process is making the file of this name now; None: it is no hidden name.

    Of a process of another machine, which may share the folder, only the age of the file shows it.
    """
    found = re.fullmatch(_HIDDEN_FILE, name.removesuffix("-journal"))
    if found is None:
        return None
    pid, boot = found.groups()
    if boot == boot_id()[:_BOOT_DIGITS]:
        return started_ticks(int(pid)) is not None
    return pid is not None and age_s < _LONGEST_MAKING_S
