"""One family of errors: each is one sentence for the person at the terminal, and an exit status.

Anything that is not a `ScopeError` and reaches `main` is a bug.
"""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """What scopetrace's own exit status says. `run` otherwise ends as its program does."""

    OK = 0
    ERROR = 1
    """The request made sense but failed: no such session, unreadable file…"""
    USAGE = 2
    """The command line or the configuration is wrong."""
    NOT_EXECUTABLE = 126
    NOT_FOUND = 127


class ScopeError(Exception):
    """A failure the user can understand: one sentence without a full stop, no traceback."""

    status = ExitStatus.ERROR


class UsageError(ScopeError):
    """Options or arguments that do not go together."""

    status = ExitStatus.USAGE


class ConfigError(UsageError):
    """A configuration that cannot be used: names file, line and key."""


class SessionError(ScopeError):
    """A session that is not there, or cannot be read or written."""


class CommandNotFound(ScopeError):
    """The command to run does not exist."""

    status = ExitStatus.NOT_FOUND


class CommandNotExecutable(ScopeError):
    """The command to run exists but cannot be executed."""

    status = ExitStatus.NOT_EXECUTABLE


class EngineError(ScopeError):
    """This machine does not let us trace: too old a kernel, ptrace denied…"""
