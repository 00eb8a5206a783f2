"""The line of a call, in the form that strace gives it."""

from __future__ import annotations

from collections.abc import Mapping

from scopetrace.syscalls.call import Call
from scopetrace.syscalls.rows import row


def render(
    call: Call,
    *,
    strings: int = 32,
    verbose: bool = False,
    fd_names: Mapping[int, str] | None = None,
) -> str:
    """Return a call as strace prints it: `close(3) = 0`.

    Args:
        call: What was recorded.
        strings: Bytes of a string or buffer that are shown.
        verbose: Show all fields of structures, as strace -v does.
        fd_names: What fds are, to show behind them: `3</etc/passwd>`.
    """
    found = row(call.abi, call.number)
    if found is None:
        args = ", ".join(map(hex, call.args))
        return f"syscall_{call.number:#x}({args}) = {call.result}"
    args = ", ".join(f"{value:#x}" for value in call.args[: len(found.arguments)])
    return f"{found.name}({args}) = {call.result}"
