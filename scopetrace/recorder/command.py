"""The command to run: found as a shell finds it, with the environment as it was handed to us."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from scopetrace.errors import CommandNotExecutable, CommandNotFound

_DEFAULT_PATH = b"/bin:/usr/bin"
"""Where execvp(3) looks when there is no PATH."""
HELD_BACK = b"SCOPETRACE_HELD_BACK_"
"""What precedes the name of a variable that is the program's alone (`loader_variables`)."""


def original_environment() -> list[bytes]:
    """Return this process's environment as exec gave it, "NAME=value" each.

    The interpreter may have added to `os.environ` since (PEP 538 sets LC_CTYPE). What was held back
    from it has its own name again.
    """
    variables = Path("/proc/self/environ").read_bytes().split(b"\0")[:-1]
    return [variable.removeprefix(HELD_BACK) for variable in variables]


def find_command(name: str, environment: list[bytes]) -> bytes:
    """Return the path of the file to execute.

    Raises:
        CommandNotFound: there is none.
        CommandNotExecutable: there is one, but it cannot be executed.
    """
    plain = os.fsencode(name)
    if b"/" in plain:
        return _checked(name, plain)
    found = [(folder or b".") + b"/" + plain for folder in _search_path(environment)]
    files = [path for path in found if _is_file(path)]
    for path in files:
        if os.access(path, os.X_OK):
            return path
    if files:
        return _checked(name, files[0])
    raise CommandNotFound(f"{name}: command not found")


def _is_file(path: bytes) -> bool:
    try:
        return stat.S_ISREG(Path(os.fsdecode(path)).stat().st_mode)
    except OSError:
        return False


def _search_path(environment: list[bytes]) -> list[bytes]:
    for variable in environment:
        if variable.startswith(b"PATH="):
            return variable[5:].split(b":")
    return _DEFAULT_PATH.split(b":")


def _checked(name: str, path: bytes) -> bytes:
    try:
        mode = Path(os.fsdecode(path)).stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CommandNotFound(f"{name}: {error.strerror}") from None
    except OSError as error:
        raise CommandNotExecutable(f"{name}: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise CommandNotExecutable(f"{name}: {os.strerror(errno.EISDIR)}")
    if not os.access(path, os.X_OK):
        raise CommandNotExecutable(f"{name}: {os.strerror(errno.EACCES)}")
    return path
