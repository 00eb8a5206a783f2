"""What the system says about a process: its CPU time, memory, threads and open files.

A process may exit at any moment, or belong to another user: then the answer is None.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import NamedTuple

CPUCLOCK_SCHED = 2
"""The clock of all CPU time of a process, in the low bits of its id (linux/posix-timers.h)."""

STATUS_BYTES = 8192
"""More than /proc/PID/status has ever had."""


class Status(NamedTuple):
    """What is kept of /proc/PID/status (proc(5))."""

    virtual_kib: int
    resident_kib: int
    threads: int


def cpu_us(pid: int) -> int | None:
    """Return the CPU time that all threads of a process have used, without its children.

    It is what clock_getcpuclockid(3) makes of a pid: precise to the ns, unlike /proc/PID/stat.
    """
    try:
        return time.clock_gettime_ns(~pid << 3 | CPUCLOCK_SCHED) // 1000
    except (OSError, OverflowError):
        return None


def read_status(pid: int) -> Status | None:
    """Return the sizes and the threads of a process, None also for a zombie: it has no memory."""
    try:
        fd = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(fd, STATUS_BYTES)
    except OSError:
        return None
    finally:
        os.close(fd)
    return parse_status(text)


def parse_status(text: bytes) -> Status | None:
    """Return what is wanted of the text of /proc/PID/status, None if it is not there."""
    numbers = []
    for line in WANTED:
        at = text.find(line)
        number = NUMBER.match(text, at + len(line)) if at >= 0 else None
        if number is None:
            return None
        numbers.append(int(number[1]))
    return Status(*numbers)


WANTED = (b"\nVmSize:", b"\nVmRSS:", b"\nThreads:")
"""How the lines begin that are wanted; none of them is the first."""
NUMBER = re.compile(rb"[ \t]*([0-9]+)(?=\s|\Z)")


def open_fds(pid: int) -> int | None:
    """Return how many fds a process has; since Linux 6.2 the size of the folder says it."""
    folder = Path(f"/proc/{pid}/fd")
    try:
        return folder.stat().st_size or sum(1 for _ in folder.iterdir())
    except OSError:
        return None
