"""The exceptions of scopetrace: each is one sentence for the user, and an exit status.

Any other exception that reaches `main` is a bug.
"""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit statuses of scopetrace itself. `run` has the exit status of its program."""

    OK = 0
    ERROR = 1
    """The command failed: no such session, unreadable file…"""
    USAGE = 2
    """The command line or the configuration is wrong."""
    NOT_EXECUTABLE = 126
    NOT_FOUND = 127


class ScopeError(Exception):
    """An error for the user: one sentence without a full stop, printed without a traceback."""

    status = ExitStatus.ERROR


class UsageError(ScopeError):
    """Options or arguments that do not go together."""

    status = ExitStatus.USAGE


class ConfigError(UsageError):
    """The configuration cannot be used; the message names file, line and key."""


class SessionError(ScopeError):
    """A session does not exist, or cannot be read or written."""


class MissingLogWarning(UserWarning):
    """A session's file has no log beside it, and may lack a part of the recording."""


class CommandNotFound(ScopeError):
    """The command to run does not exist."""

    status = ExitStatus.NOT_FOUND


class CommandNotExecutable(ScopeError):
    """The command to run exists but cannot be executed."""

    status = ExitStatus.NOT_EXECUTABLE


class EngineError(ScopeError):
    """Tracing is not possible on this machine: the kernel is too old, ptrace is denied…"""
