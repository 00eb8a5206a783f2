"""How long commands take that read all sessions, of which there are 10,000.

The first command reads each session and makes the index (`scopetrace.query.session_index`), once;
so it is a line of its own.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from figures import Figure, wall
from workloads import timed

from scopetrace.model.event import Event
from scopetrace.store.sessions import SessionStore

SESSIONS = 10_000
AIM_MS = 1000
INDEX_SETTLES_S = 3
"""Files that changed less than 2 s ago are not put into the index."""
IGNORING_STATUS = ("sh", "-c", '"$@" 2>/dev/null || :', "sh")
"""Runs a command whose exit status is an error: there is no session to stop."""
PROBE = "import scopetrace; scopetrace.run(['true']).close()"
"""scopetrace.run in Python: it has to find the session that it made."""


def many_sessions(scopetrace: str, folder: Path, rounds: int) -> Iterator[Figure]:
    """Make the sessions and measure, one command after another."""
    home = folder / "many"
    os.environ["SCOPETRACE_HOME"] = str(home)
    copy_sessions(home)
    time.sleep(INDEX_SETTLES_S)
    named = f"(of {SESSIONS:,} sessions)"
    first = f"{timed([scopetrace, 'ps']):.1f} s"
    yield Figure(f"scopetrace ps, the first time {named}", first, "≤ 2 s")
    for command in ("ps", "history -a", "history", "stop", "prune --older 9000d"):
        argv = [*IGNORING_STATUS, scopetrace, *command.split()]
        yield wall(argv, f"scopetrace {command} {named}", AIM_MS, rounds)
    asking = {"COMP_WORDS": "scopetrace events --id ", "COMP_CWORD": "3"}
    answering = ["env", "_SCOPETRACE_COMPLETE=bash_complete", *map("=".join, asking.items())]
    yield wall([*answering, scopetrace], f"completion of --id {named}", AIM_MS, rounds)
    argv = [sys.executable, "-P", "-c", PROBE]
    yield wall(argv, f"scopetrace.run(['true']) {named}", AIM_MS, rounds)
    prune = [scopetrace, "prune", "--all", "--force"]
    yield Figure(f"scopetrace prune --all --force {named}", f"{timed(prune):.1f} s", "")


def copy_sessions(home: Path) -> None:
    """Record one small session and copy it, each copy with an id of its own."""
    writer = SessionStore(home).create("true", ["true"])
    writer.add_events([Event(1, 1, 1, "fs", "fs.open", 1, {"file": "/etc/passwd"})])
    writer.finish(exit_code=0)
    for number in range(2, SESSIONS + 1):
        copy = writer.path.with_name(f"{number}-true.db")
        shutil.copy(writer.path, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = OFF")
            db.execute("UPDATE session SET id = ?", (number,))
    writer.path.with_name(".last-id").write_text(f"{SESSIONS}\n")
