"""Whether a recorder still runs: its pid alone does not tell, since pids are used again.

A process is known by its pid, the clock tick it started at and the boot it belongs to (proc(5)).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def boot_id() -> str:
    """Return this boot's random name, or "" where /proc does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def started_ticks(pid: int) -> int | None:
    """Return field 22 of /proc/PID/stat; None if there is no such process or it is a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rfind(b")") + 1 :].split()  # the name before it may hold anything
    return None if fields[0] in b"ZXx" else int(fields[19])


def is_running(pid: int, ticks: int, boot: str) -> bool:
    """Tell whether the process that had `pid` when it started at `ticks` of `boot` still runs."""
    return pid > 0 and boot == boot_id() and started_ticks(pid) == ticks
