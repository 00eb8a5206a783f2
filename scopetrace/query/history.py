"""The list of sessions. A file that cannot be read is in it too, with the status `unreadable`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from scopetrace.db.errors import session_error
from scopetrace.db.paths import COMPANIONS, parse_file_name, session_paths, sessions_folder
from scopetrace.errors import SessionError
from scopetrace.model.session import SessionInfo
from scopetrace.query.connect import connect
from scopetrace.query.records import as_of_now, read_recorded, recorded_info
from scopetrace.query.session_index import FEW, SessionIndex
from scopetrace.query.session_row import read_row


def list_sessions(home: Path | str | None = None, last: int | None = None) -> list[SessionInfo]:
    """Return the sessions in ascending order of id; with `last`, at most so many of the last ones.

    Raises:
        SessionError: the folder of the sessions cannot be read.
    """
    paths = list(session_paths(sessions_folder(home)).values())
    if last is not None:
        paths = paths[len(paths) - last :] if last < len(paths) else paths
    found = _infos(paths)
    return [info for info in found if info.status != "unreadable" or info.path.exists()]


def find_session(session_id: int | None, home: Path | str | None = None) -> Path:
    """Return the path of a session, by default of the last one.

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
    """Delete one session, as `delete_sessions` does."""
    delete_sessions([info])


def delete_sessions(
    infos: Sequence[SessionInfo], on_deleted: Callable[[], object] = lambda: None
) -> None:
    """Delete the files of sessions and what SQLite may have left beside them.

    Args:
        infos: the sessions.
        on_deleted: is called after each of them.

    Raises:
        SessionError: one is being recorded, then none is deleted; or one cannot be deleted.
    """
    for info in _infos([info.path for info in infos]):
        if info.status == "running":
            raise SessionError(
                f"session {info.id} is still being recorded: `scopetrace stop {info.id}` ends that"
            )
    for info in infos:
        try:
            for suffix in (*COMPANIONS, ""):
                Path(f"{info.path}{suffix}").unlink(missing_ok=True)
            on_deleted()
        except OSError as error:
            raise session_error("delete", info.path, error) from None


def _infos(paths: Sequence[Path]) -> list[SessionInfo]:
    """Return the facts about sessions of one folder, with their status of now."""
    if len(paths) < FEW:
        return [as_of_now(_recorded(path)) for path in paths]
    index = SessionIndex(paths[0].parent)
    found = []
    for path in paths:
        info = index.recall(path)
        if info is None:
            info = _recorded(path)
            index.note(info)
        found.append(as_of_now(info))
    index.save()
    return found


def _recorded(path: Path) -> SessionInfo:
    try:
        row = read_row(path)
        if row is not None:
            return recorded_info(row, path)
        with closing(connect(path)) as db:
            return read_recorded(db, path)
    except (SessionError, sqlite3.Error, ValueError, TypeError):  # of a damaged row, its JSON, too
        return _unreadable(path)


def _unreadable(path: Path) -> SessionInfo:
    """Return id and command from the name of a file."""
    session_id, command = parse_file_name(path.name) or (0, path.name)
    return SessionInfo(
        id=session_id, path=path, command=command, args=(), cwd="", pid=0, recorder_pid=0,
        recorder_started_ticks=0, boot_id="", host="", uid=0, username="", version="",
        started_ns=_modified_ns(path), ended_ns=None, status="unreadable", exit_code=None,
        signal=None, events=0, lost=0,
    )  # fmt: skip


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _which(ids: list[int]) -> str:
    if len(ids) == 1:
        return f"the only session is {ids[0]}"
    whole = len(ids) == ids[-1] - ids[0] + 1
    return f"sessions: {ids[0]} to {ids[-1]}" + ("" if whole else ", some of them deleted")
