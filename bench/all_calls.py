"""What `run --syscalls` costs against `strace -f -o FILE`, and its answers: speed and size.

The cost is CPU time, of the program and of who traces it: on a busy machine the time that passes
says more about the others.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
from collections.abc import Iterator

from figures import Figure
from workloads import Workload, cpu_seconds, prune, settle, wait_for_recorders

from scopetrace.query import list_sessions

COMPARED = ("getppid", "python3", "git status", "make -j2")
"""Which of the workloads, by words of their names."""
COST = "CPU time of run --syscalls ÷ strace -f -o FILE: {}"
GETPPIDS = 50_000
STRACE_FILE = "strace.out"
PRINTED = 1_000_000
"""Calls of the session that is printed."""


def all_calls(
    scopetrace: str, made: list[Workload], rounds: int, wanted: str = ""
) -> Iterator[Figure]:
    """Measure, one after another; if something is wanted, only workloads of such names."""
    loops = made[0].argv[0]
    for workload in made:
        if wanted in workload.name and any(name in workload.name for name in COMPARED):
            is_loop = workload.argv[0] == loops
            argv = [loops, "getppid", str(GETPPIDS)] if is_loop else workload.argv
            yield compared(workload.name, argv, scopetrace, rounds)
    if not wanted:
        yield from printed([loops, "getppid", str(PRINTED)], scopetrace)


def compared(name: str, argv: list[str], scopetrace: str, rounds: int) -> Figure:
    """Run a program in turn under both."""
    ours = [scopetrace, "run", "--syscalls", "--", *argv]
    theirs = ["strace", "-f", "-o", STRACE_FILE, "--", *argv]
    seconds: list[tuple[float, float]] = []
    if shutil.which(theirs[0]) is None:
        return Figure(COST.format(name), "-", "≤ 1")
    for _ in range(rounds):
        mine = cpu_seconds(ours)
        prune(scopetrace)
        seconds.append((mine, cpu_seconds(theirs)))
    ratios = [mine / other for mine, other in seconds]
    mine, other = (statistics.median(column) for column in zip(*seconds, strict=True))
    value = f"{mine:.2f} ÷ {other:.2f} s = {statistics.median(ratios):.2f}"
    return Figure(COST.format(name), value, "≤ 1")


def printed(argv: list[str], scopetrace: str) -> Iterator[Figure]:
    """Record many calls, and print them."""
    settle(scopetrace)
    subprocess.run([scopetrace, "run", "--syscalls", "--", *argv], check=True)
    wait_for_recorders(scopetrace)
    (session,) = list_sessions()
    size = session.path.stat().st_size
    yield Figure("bytes of a call in the session file", f"{size / PRINTED:.0f}", "≤ 100")
    rate = PRINTED / cpu_seconds([scopetrace, "syscalls", "-a"])
    yield Figure("lines of `syscalls -a`", f"{rate:,.0f} a second of CPU time", "≥ 50,000")
    prune(scopetrace)
