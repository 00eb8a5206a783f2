"""What `run --syscalls` costs against `strace -f -o FILE`, and its answers: speed and size."""

from __future__ import annotations

import shutil
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

from figures import Figure
from workloads import prune, settle, timed, wait_for_recorders, workloads

from scopetrace.query import list_sessions

COMPARED = ("getppid", "python3", "git status", "make -j2")
"""Which of the workloads, by words of their names."""
GETPPIDS = 50_000
STRACE_FILE = "strace.out"
PRINTED = 1_000_000
"""Calls of the session that is printed."""


def all_calls(scopetrace: str, folder: Path, rounds: int) -> Iterator[Figure]:
    """Measure, one after another."""
    loops = str(folder / "loops")
    for workload in workloads(folder):
        if any(name in workload.name for name in COMPARED):
            is_loop = workload.argv[0] == loops
            argv = [loops, "getppid", str(GETPPIDS)] if is_loop else workload.argv
            yield compared(workload.name, argv, scopetrace, rounds)
    yield from printed([loops, "getppid", str(PRINTED)], scopetrace)


def compared(name: str, argv: list[str], scopetrace: str, rounds: int) -> Figure:
    """Run a program in turn under both; nothing is compared where there is no strace."""
    ours = [scopetrace, "run", "--syscalls", "--", *argv]
    theirs = [shutil.which("strace") or "", "-f", "-o", STRACE_FILE, "--", *argv]
    seconds: list[tuple[float, float]] = []
    for _ in range(rounds if theirs[0] else 0):
        mine = timed(ours)
        wait_for_recorders(scopetrace)
        prune(scopetrace)
        seconds.append((mine, timed(theirs)))
    ratios = [mine / other for mine, other in seconds]
    value = f"{statistics.median(ratios):.2f}" if ratios else "-"
    return Figure(f"run --syscalls ÷ strace -f -o FILE: {name}", value, "≤ 1")


def printed(argv: list[str], scopetrace: str) -> Iterator[Figure]:
    """Record many calls, and print them."""
    settle(scopetrace)
    subprocess.run([scopetrace, "run", "--syscalls", "--", *argv], check=True)
    wait_for_recorders(scopetrace)
    (session,) = list_sessions()
    size = session.path.stat().st_size
    yield Figure("bytes of a call in the session file", f"{size / PRINTED:.0f}", "≤ 100")
    rate = PRINTED / timed([scopetrace, "syscalls", "-a"])
    yield Figure("lines of `syscalls -a`", f"{rate:,.0f} a second", "≥ 50,000")
    prune(scopetrace)
