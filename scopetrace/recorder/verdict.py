"""What a recorder answers: one byte, and a sentence behind it unless that byte is GO."""

from __future__ import annotations

import errno
import os

from scopetrace.errors import ScopeError

GO = b"g"
"""Run the program: it is traced. The engine itself writes it (ext/ptrace/engine.c)."""
REFUSED = b"e"
"""Tracing was refused."""
UNRECORDED = b"u"
"""Run the program; nothing can be recorded."""


def why(error: Exception) -> str:
    """Return the clause that says why nothing is recorded, on one line."""
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
