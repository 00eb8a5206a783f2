"""Whether a recorder is still running. Its pid alone does not show it, since pids are reused.

A process is identified by its pid, the clock tick at which it started, and the boot id (proc(5)).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def boot_id() -> str:
    """Return the random id of this boot, or "" where /proc does not have it."""
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
    fields = stat[stat.rfind(b")") + 1 :].split()  # the name before it may contain any byte
    return None if fields[0] in b"ZXx" else int(fields[19])


def is_running(pid: int, ticks: int, boot: str) -> bool:
    """Return whether the process that started as `pid` at `ticks` of `boot` is still running."""
    return pid > 0 and boot == boot_id() and started_ticks(pid) == ticks
