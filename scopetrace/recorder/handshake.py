"""The handshake between the process that becomes the program and its recorder, over two pipes.

    foreground ── Order ──────────────────────> recorder     what to record, and how
    foreground <─ GO, REFUSED or UNRECORDED ──  recorder     one byte; not GO: and a reason

msgspec is imported when an order is sent or read: the foreground forks its recorder before that.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NamedTuple

from scopetrace.errors import ScopeError

GO = b"g"
"""Run the program: it is traced. The engine itself writes it (ext/ptrace/engine.c)."""
REFUSED = b"e"
"""Do not run the program: tracing was refused."""
UNRECORDED = b"u"
"""Run the program; it cannot be recorded."""

_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


class Order(NamedTuple):
    """What to record, and how."""

    args: list[bytes]
    """The command and its arguments."""
    pid: int
    """The process that becomes the program."""
    tid: int
    """Its thread that execs, and is to be traced."""
    config: bytes
    """As `pack_config` returns it."""
    config_text: str
    """The configuration as YAML, for the session file."""
    modes: dict[str, int]
    """What the engine does with each group of calls."""


def send_order(fd: int, order: Order) -> None:
    """Write an order to a pipe and close it."""
    import msgspec

    with os.fdopen(fd, "wb") as pipe:
        pipe.write(msgspec.msgpack.encode(order))


def receive_order(fd: int) -> Order | None:
    """Read an order from a pipe to its end and close it; None if the sender gave up."""
    import msgspec

    with os.fdopen(fd, "rb") as pipe:
        packed = pipe.read()
    return msgspec.msgpack.decode(packed, type=Order) if packed else None


def why_unrecorded(error: Exception) -> str:
    """Return the clause that says why the program is not recorded, on one line."""
    if isinstance(error, ScopeError):
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        reason = os.strerror(error.errno)
        reason = reason if error.filename is None else f"{error.filename}: {reason}"
    elif isinstance(error, MemoryError):
        reason = os.strerror(errno.ENOMEM)
    else:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
    return f"the recorder cannot be started ({reason})"


def why_refused(number: int, pid: int) -> str:
    """Return why seizing `pid` failed with errno `number`; ptrace(2) itself only says EPERM.

    The reasons are those of ptrace(2) and of Documentation/admin-guide/LSM/Yama.rst.
    """
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
