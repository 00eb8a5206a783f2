"""Which sessions there are. A file that cannot be read is in the list too, as `unreadable`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from scopetrace.errors import SessionError
from scopetrace.model.session import SessionInfo
from scopetrace.query.opening import connect
from scopetrace.query.records import read_info
from scopetrace.store.home import COMPANIONS, parse_file_name, session_paths, sessions_folder
from scopetrace.store.problems import session_error


def list_sessions(home: Path | str | None = None, last: int | None = None) -> list[SessionInfo]:
    """Return the sessions in ascending order of id; with `last`, no more than the last so many.

    Raises:
        SessionError: the folder of the sessions cannot be read.
    """
    paths = list(session_paths(sessions_folder(home)).values())
    if last is not None:
        paths = paths[len(paths) - last :] if last < len(paths) else paths
    found = map(_info, paths)
    return [info for info in found if info.status != "unreadable" or info.path.exists()]


def find_session(session_id: int | None, home: Path | str | None = None) -> Path:
    """Return the file of a session, by default of the last one.

    Raises:
        SessionError: there is none.
    """
    paths = session_paths(sessions_folder(home))
    if not paths:
        raise SessionError("no sessions yet: start one with `scopetrace run COMMAND`")
    if session_id is None:
        return paths[max(paths)]
    if session_id not in paths:
        raise SessionError(f"no session {session_id}; {_which(list(paths))}")
    return paths[session_id]


def delete_session(info: SessionInfo) -> None:
    """Delete the file of a session and what SQLite may have left beside it.

    Raises:
        SessionError: it is being recorded, or it cannot be deleted.
    """
    if _info(info.path).status == "running":
        raise SessionError(
            f"session {info.id} is still being recorded: `scopetrace stop {info.id}` ends that"
        )
    try:
        for suffix in (*COMPANIONS, ""):
            Path(f"{info.path}{suffix}").unlink(missing_ok=True)
    except OSError as error:
        raise session_error("delete", info.path, error) from None


def _info(path: Path) -> SessionInfo:
    try:
        with closing(connect(path)) as db:
            return read_info(db, path)
    except (SessionError, sqlite3.Error, json.JSONDecodeError):
        return _unreadable(path)


def _unreadable(path: Path) -> SessionInfo:
    """Return what the name of a file tells."""
    session_id, command = parse_file_name(path.name) or (0, path.name)
    return SessionInfo(
        id=session_id, path=path, command=command, args=(), cwd="", pid=0, recorder_pid=0,
        recorder_started_ticks=0, boot_id="", host="", uid=0, username="", version="",
        started_ns=_changed_ns(path), ended_ns=None, status="unreadable", exit_code=None,
        signal=None, events=0, lost=0,
    )  # fmt: skip


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _which(ids: list[int]) -> str:
    if len(ids) == 1:
        return f"the only session is {ids[0]}"
    whole = len(ids) == ids[-1] - ids[0] + 1
    return f"sessions: {ids[0]} to {ids[-1]}" + ("" if whole else ", some of them deleted")
