"""Record from Python: `scopetrace run` as a child of the caller."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Unpack

from scopetrace.db.paths import session_paths, state_home
from scopetrace.errors import (
    CommandNotExecutable,
    CommandNotFound,
    ExitStatus,
    SessionError,
    UsageError,
)
from scopetrace.query import open_session
from scopetrace.query.session import Session
from scopetrace.recorder.popen_options import PopenOptions


def run(
    args: Sequence[str | PathLike[str]],
    *,
    config: str | PathLike[str] | None = None,
    **popen: Unpack[PopenOptions],
) -> Session:
    """Run a program, record it, and return its session once the program has ended.

    If it left processes behind, they are still being recorded: `session.info.status` is "running".
    `session.exit_code` and `session.info.signal` say how the program ended.

    Args:
        args: the program and its arguments.
        config: a scope.yml to use instead of the one that would be found.
        popen: options of `subprocess.Popen`, such as `cwd`, `env`, `stdout`.

    Raises:
        UsageError: `args` is a text, or empty.
        CommandNotFound, CommandNotExecutable: the program cannot be run.
        SessionError: it was not recorded; standard error says why.
    """
    recording = _Recording(args, config, popen)
    with subprocess.Popen(recording.command, **popen) as process:
        process.wait()
    return recording.session(process)


def run_and_communicate(
    args: Sequence[str | PathLike[str]],
    input: str | None,
    config: str | PathLike[str] | None,
    popen: PopenOptions,
) -> tuple[Session, str, str]:
    """Like `run`, but also write to its standard input and read what it prints.

    Returns:
        the session, standard output and standard error; these are empty if they are no pipes.
    """
    recording = _Recording(args, config, popen)
    with subprocess.Popen(
        recording.command, text=True, errors="backslashreplace", **popen
    ) as process:
        out, err = process.communicate(input)
    return recording.session(process), out or "", err or ""


class _Recording:
    """How to start a program recorded, and how to find its session."""

    def __init__(
        self,
        args: Sequence[str | PathLike[str]],
        config: str | PathLike[str] | None,
        popen: PopenOptions,
    ) -> None:
        self.command = recording_command(args, config)
        self._name = os.fspath(args[0])
        self._folder = _sessions_folder(popen.get("env"), popen.get("cwd"))
        self._before = max(session_paths(self._folder), default=0)

    def session(self, process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> Session:
        """Open the session of a program that has ended."""
        for session in _newer(self._folder, self._before):
            if session.info.pid == process.pid:
                session.wait_for_recorder()
                return session
            session.close()
        if process.returncode == ExitStatus.NOT_FOUND:
            raise CommandNotFound(f"{self._name}: command not found")
        if process.returncode == ExitStatus.NOT_EXECUTABLE:
            raise CommandNotExecutable(f"{self._name}: cannot be executed")
        raise SessionError(f"{self._name} was not recorded")


def recording_command(
    args: Sequence[str | PathLike[str]], config: str | PathLike[str] | None = None
) -> list[str]:
    """Return the command line that runs `args` recorded, without the line at its end.

    Raises:
        UsageError: `args` is a text, or empty.
    """
    if isinstance(args, str | bytes) or not args:
        raise UsageError(
            "the program to run is a list of its name and arguments: run(['ls', '-l']); for a"
            " command line of the shell, run(['sh', '-c', 'ls -l | wc'])"
        )
    chosen = [] if config is None else ["-u", os.fspath(config)]
    ours = [sys.executable, "-P", "-m", "scopetrace", "run", "-q", *chosen, "--"]
    return [*ours, *(os.fspath(each) for each in args)]


def _sessions_folder(env: Mapping[str, str] | None, cwd: str | PathLike[str] | None) -> Path:
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
