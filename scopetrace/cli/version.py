"""`scopetrace version`: the versions that a bug report should name, and what works here."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from scopetrace import __version__

CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


@click.command()
def version() -> None:
    """Print the versions that a bug report needs.

    The last line (gate) says whether calls without stops work here: a short program is recorded
    with SCOPE_GATE=eager to find out.

    \b
    scopetrace version
    """
    from scopetrace._engine import MACHINE

    click.echo(f"scopetrace {__version__}")
    click.echo(f"Python     {platform.python_version()}")
    click.echo(f"SQLite     {sqlite3.sqlite_version}")
    click.echo(f"Linux      {os.uname().release}")
    click.echo(f"engine     {MACHINE}")
    click.echo(f"gate       {_try_gate()}")


def _try_gate() -> str:
    """Record a short program, and say whether it made calls without a stop."""
    from scopetrace.errors import ScopeError
    from scopetrace.recorder.api import run

    with tempfile.TemporaryDirectory(prefix="scopetrace-version-") as home:
        env = os.environ | {"SCOPETRACE_HOME": home, "SCOPE_GATE": "eager"}
        program = [sys.executable, "-I", "-S", "-c", ""]
        try:
            with run(program, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as done:
                found = done.summary()
        except (ScopeError, OSError) as error:
            return f"not tried, as recording does not work here ({error})"
    if found.gate.get("gated"):
        return "works"
    return "does not work here: " + (found.notices[0] if found.notices else _why_not())


def _why_not() -> str:
    try:
        clock = CLOCK.read_text().strip()
    except OSError:
        clock = "unknown"
    known = clock != "tsc"
    return (
        f"the clock is {clock}, not the counter of the CPU (tsc)" if known else "why is not known"
    )
