"""Record from Python: `scopetrace run` as a child of the caller."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scopetrace.db.paths import session_paths, state_home
from scopetrace.errors import CommandNotExecutable, CommandNotFound, ExitStatus, SessionError
from scopetrace.query import open_session
from scopetrace.query.session import Session


def run(args: Sequence[str], *, config: Path | str | None = None, **popen: Any) -> Session:
    """Run a program, record it, and return its session once the program has ended.

    If it left processes behind, they are still being recorded: `session.info.status` is "running".
    `session.info.exit_code` and `.signal` say how the program ended.

    Args:
        args: the program and its arguments.
        config: a scope.yml to use instead of the one that would be found.
        popen: anything that `subprocess.Popen` takes, such as `cwd`, `env`, `stdout`.

    Raises:
        CommandNotFound, CommandNotExecutable: the program cannot be run.
        SessionError: it was not recorded; standard error says why.
    """
    chosen = [] if config is None else ["-u", os.fspath(config)]
    ours = [sys.executable, "-P", "-m", "scopetrace", "run", *chosen, "--"]
    folder = _sessions_folder(popen.get("env"), popen.get("cwd"))
    before = max(session_paths(folder), default=0)
    with subprocess.Popen([*ours, *args], **popen) as process:
        status = process.wait()
    for session in _newer(folder, before):
        if session.info.pid == process.pid:
            return session
        session.close()
    if status == ExitStatus.NOT_FOUND:
        raise CommandNotFound(f"{args[0]}: command not found")
    if status == ExitStatus.NOT_EXECUTABLE:
        raise CommandNotExecutable(f"{args[0]}: cannot be executed")
    raise SessionError(f"{args[0]} was not recorded")


def _sessions_folder(env: Mapping[str, str] | None, cwd: Path | str | None) -> Path:
    """Return where a child with this environment and folder keeps its sessions."""
    environ = os.environ if env is None else env
    own = environ.get("SCOPETRACE_HOME")
    home = Path(cwd or ".", own).absolute() if own else state_home(environ=environ)
    return home / "sessions"


def _newer(folder: Path, before: int) -> Iterator[Session]:
    """Open the sessions with higher ids, newest first: an older one may be of a reused pid."""
    for number, path in reversed(session_paths(folder).items()):
        try:
            session = open_session(path) if number > before else None
        except SessionError:
            continue  # a session of another command, deleted since it was listed
        if session is not None:
            yield session
