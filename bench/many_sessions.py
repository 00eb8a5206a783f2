"""How long commands take that look at all sessions, where there are 10,000.

The first of them after so many were copied here reads each session and makes the index (see
`scopetrace.query.session_index`), which happens once; so the first is a line of its own.
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
WHATEVER = ("sh", "-c", '"$@" 2>/dev/null || :', "sh")
"""What runs a command that says by its exit status that there is nothing to stop."""
PROBE = "import scopetrace; scopetrace.run(['true']).close()"
"""scopetrace.run from Python, which looks for the session that it has made."""


def many_sessions(scopetrace: str, folder: Path, rounds: int) -> Iterator[Figure]:
    """Make the sessions and measure, one command after another."""
    home = folder / "many"
    os.environ["SCOPETRACE_HOME"] = str(home)
    copy_sessions(home)
    time.sleep(3)  # what changed less than 2 s ago is not remembered
    named = f"(of {SESSIONS:,} sessions)"
    yield Figure(f"scopetrace ps, the first time {named}", f"{timed([scopetrace, 'ps']):.1f} s", "")
    for command in ("ps", "history -a", "history", "stop", "prune --older 9000d"):
        argv = [*WHATEVER, scopetrace, *command.split()]
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
