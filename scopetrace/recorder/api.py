"""Recording from Python: the same `scopetrace run`, as a child of the caller."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scopetrace.errors import CommandNotExecutable, CommandNotFound, ExitStatus, SessionError
from scopetrace.query import list_sessions, open_session
from scopetrace.query.session import Session


def run(args: Sequence[str], *, config: Path | str | None = None, **popen: Any) -> Session:
    """Run a program, record it, and return its session once the program has ended.

    Processes that it left behind are still being recorded then; `session.info.status` tells.
    `session.info.exit_code` and `.signal` say how the program ended.

    Args:
        args: the program and its arguments.
        config: a scope.yml to use instead of the one that would be found.
        popen: anything that `subprocess.Popen` takes, such as `cwd`, `env`, `stdout`.

    Raises:
        CommandNotFound, CommandNotExecutable: there is nothing to run.
        SessionError: nothing was recorded; standard error says why.
    """
    chosen = [] if config is None else ["-u", os.fspath(config)]
    ours = [sys.executable, "-P", "-m", "scopetrace", "run", *chosen, "--"]
    with subprocess.Popen([*ours, *args], **popen) as process:
        status = process.wait()
    for info in reversed(list_sessions()):
        if info.pid == process.pid:
            return open_session(info.path)
    if status == ExitStatus.NOT_FOUND:
        raise CommandNotFound(f"{args[0]}: command not found")
    if status == ExitStatus.NOT_EXECUTABLE:
        raise CommandNotExecutable(f"{args[0]}: cannot be executed")
    raise SessionError(f"{args[0]} was not recorded")
