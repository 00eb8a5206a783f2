"""Why a call failed, where its error and arguments leave no other reason."""

from __future__ import annotations

from scopetrace.syscalls.descriptors import positions, signed
from scopetrace.syscalls.recorded import Recorded

OF_ANY_MODE = frozenset(
    (
        "close", "dup", "fstat", "fstat64", "newfstatat", "fstatat64", "statx", "fstatfs",
        "fstatfs64", "fchdir",
    )
)  # fmt: skip
"""Calls to which it does not matter for what a descriptor was opened, even if only by O_PATH."""
SEEK_END = 2


def certain_reason(made: Recorded) -> str:
    """Return the only reason that a failed call can have; empty: there may be several."""
    if made.error == "EBADF" and made.name in OF_ANY_MODE:
        at = positions(made.abi, made.number)
        return f"no file is open as descriptor {signed(made.call.args[at.fds[0]])}"
    if made.error == "EINVAL" and made.name == "lseek" and made.call.args[2] <= SEEK_END:
        return "the position would lie before the beginning"
    return ""
