"""Find the configuration file: the first one that exists is read, and no other.

A file that the user names must exist. Others are skipped with a warning if they cannot be used:
./scope.yml is used only if no other user could have written it, since the current folder may be
any.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from scopetrace.errors import ConfigError

STOCK = Path(__file__).with_name("scope.yml")
"""The file that is installed with scopetrace: the defaults."""
HERE = Path("scope.yml")
SYSTEM = Path("/etc/scopetrace/scope.yml")
MAX_BYTES = 1 << 20


class Found(NamedTuple):
    """The file to use."""

    path: Path | None
    """None: there is only the stock file."""
    text: str
    """Its text; empty for the stock file, which is always read."""
    warnings: tuple[str, ...] = ()
    """Which files were skipped, and why."""


def find_config(userconfig: Path | None, environ: Mapping[str, str]) -> Found:
    """Find and read the file to use; `userconfig` comes before all others.

    Raises:
        ConfigError: A file that the user names cannot be read, or the file found is not UTF-8.
    """
    if userconfig is not None:
        return Found(userconfig, read_text(userconfig))
    if named := environ.get("SCOPE_CONF_PATH"):
        return Found(Path(named), _named_by_variable(Path(named)))
    warnings: list[str] = []
    for path in _places(environ):
        try:
            data = _read(path, trusted_only=path == HERE)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            warnings.append(f"{path}: skipped: {error.strerror}")
            continue
        return Found(path, _decoded(data, path), tuple(warnings))
    return Found(None, "", tuple(warnings))


def read_text(path: Path) -> str:
    """Read a file that the user names.

    Raises:
        ConfigError: It cannot be read, is too long, or is no UTF-8.
    """
    try:
        return _decoded(_read(path), path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def why_untrusted(status: os.stat_result, user: int) -> str | None:
    """Return why `user` should not use a file in the current folder; None: it may be used."""
    if not stat.S_ISREG(status.st_mode):
        return "it is no regular file"
    if status.st_uid not in (user, 0):
        return "it belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others can write it"
    return None


def _places(environ: Mapping[str, str]) -> Iterator[Path]:
    yield HERE
    # The XDG base directory specification has relative paths ignored.
    configured = environ.get("XDG_CONFIG_HOME", "")
    if configured.startswith("/"):
        yield Path(configured, "scopetrace", "scope.yml")
    elif home := environ.get("HOME"):
        yield Path(home, ".config", "scopetrace", "scope.yml")
    yield SYSTEM


def _named_by_variable(path: Path) -> str:
    try:
        return read_text(path)
    except ConfigError as error:
        raise ConfigError(f"SCOPE_CONF_PATH: {error}") from None


def _read(path: Path, trusted_only: bool = False) -> bytes:
    """Read a file; with `trusted_only`, raise PermissionError if other users could write it.

    The check is made on the open file, so that it cannot be replaced between check and reading.
    O_NONBLOCK: opening a fifo of that name must not block.
    """

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | (os.O_NONBLOCK if trusted_only else 0))

    with io.BufferedReader(io.FileIO(path, opener=opener)) as file:
        if trusted_only and (why := _why_untrusted(path, os.fstat(file.fileno()))):
            raise PermissionError(errno.EPERM, why, str(path))
        return file.read(MAX_BYTES + 1)


def _why_untrusted(path: Path, status: os.stat_result) -> str | None:
    user = os.geteuid()
    if path.lstat().st_uid not in (user, 0):
        return "it is a link that belongs to another user"
    return why_untrusted(status, user)


def _decoded(data: bytes, path: Path) -> str:
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path}: longer than {MAX_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: no UTF-8 text") from None
