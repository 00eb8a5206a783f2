"""Why a process could not be traced, in words: ptrace itself only says EPERM.

Reasons as ptrace(2) lists them, and Yama's Documentation/admin-guide/LSM/Yama.rst.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


def why_refused(number: int, pid: int) -> str:
    """Return a sentence for the errno with which seizing `pid` failed."""
    if number != errno.EPERM:
        return f"tracing is not possible here: {os.strerror(number)}"
    tracer = _tracer(pid)
    if tracer:
        return f"this process is already traced, by process {tracer}: a program has one tracer only"
    scope = _read(_YAMA).strip()
    if scope == "3":
        return "tracing is switched off until the next boot (kernel.yama.ptrace_scope is 3)"
    if scope == "2":
        return "tracing needs CAP_SYS_PTRACE here (kernel.yama.ptrace_scope is 2)"
    return "the kernel refused to let us trace: in a container, its seccomp profile may forbid it"


def _tracer(pid: int) -> int:
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("TracerPid:"):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
