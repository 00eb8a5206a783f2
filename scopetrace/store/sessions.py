"""New sessions: an id, a file, and its row of the table `session`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scopetrace import __version__
from scopetrace.db.folder import make_folder
from scopetrace.db.paths import session_file_name, sessions_folder
from scopetrace.db.running import boot_id, started_ticks
from scopetrace.db.schema import check_sqlite
from scopetrace.errors import SessionError
from scopetrace.model.names import user_name
from scopetrace.store.new_file import new_session_file
from scopetrace.store.session_id import allocate_id
from scopetrace.store.writer import SessionWriter


class SessionStore:
    """The sessions of one user; makes new ones."""

    def __init__(self, home: Path | str | None = None) -> None:
        """`home` is the folder to use; by default what `state_home` finds."""
        self.folder = sessions_folder(home)

    def create(
        self,
        command: str,
        args: Sequence[str],
        *,
        pid: int = 0,
        cwd: str | None = None,
        started_ns: int | None = None,
        config: str = "",
        **facts: Any,
    ) -> SessionWriter:
        """Make a session that this process records, and return its writer.

        Args:
            command: what was started; only its base name is kept.
            args: its arguments, itself included.
            pid: of the first process; 0 if it is not known yet (`SessionWriter.update` it then).
            cwd: where it was started; by default the current folder.
            started_ns: Unix time, ns; by default now.
            config: the effective configuration, as `config.serialize` writes it.
            facts: other fields of SessionInfo, instead of those of this process.

        Raises:
            SessionError: no session can be written here.
        """
        check_sqlite()
        make_folder(self.folder)
        session_id = allocate_id(self.folder)
        name = command.rpartition("/")[2] or command
        about = {
            **_defaults(),
            "id": session_id,
            "command": name,
            "args": tuple(args),
            "cwd": str(Path("/proc/self/cwd").readlink()) if cwd is None else cwd,
            "pid": pid,
            "started_ns": time.time_ns() if started_ns is None else started_ns,
            "config": config,
            **facts,
        }
        path = self.folder / session_file_name(session_id, name)
        with new_session_file(path, about):
            pass
        try:
            return SessionWriter(path)
        except SessionError:
            path.unlink()
            raise


def _defaults() -> dict[str, Any]:
    """Return the facts that hold for each session that this process begins to record."""
    uid, pid = os.getuid(), os.getpid()
    return {
        "recorder_pid": pid,
        "recorder_started_ticks": started_ticks(pid) or 0,
        "boot_id": boot_id(),
        "host": os.uname().nodename,
        "uid": uid,
        "username": user_name(uid),
        "version": __version__,
        "ended_ns": None,
        "status": "running",
        "exit_code": None,
        "signal": None,
        "events": 0,
        "lost": 0,
    }
