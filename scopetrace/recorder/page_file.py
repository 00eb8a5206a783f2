"""The file of `run --report`: checked before the program runs, written when it has ended.

It may be written hours after the command was typed, so no user can be asked then. A file that is
not such a page is never replaced.
"""

from __future__ import annotations

import os
from pathlib import Path

from scopetrace.errors import ScopeError
from scopetrace.output.report import BEGINNING_BYTES, MARK

OWNER_ONLY = 0o600


def check_page_file(path: Path) -> None:
    """Check that a page can be written.

    Raises:
        ScopeError: it cannot, or the file is another one.
    """
    if os.path.lexists(path):
        _check_replaceable(path)
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        reason = "Permission denied" if path.parent.is_dir() else "there is no such folder"
        raise ScopeError(f"cannot write {path}: {reason}")


def write_page_file(path: Path, text: bytes) -> None:
    """Write a page; only its owner may read it.

    Raises:
        ScopeError: it cannot be written, or the file is another one.
    """
    if os.path.lexists(path):
        _check_replaceable(path)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, OWNER_ONLY)
        with os.fdopen(fd, "wb") as file:
            file.write(text)
    except OSError as error:
        raise ScopeError(f"cannot write {path}: {error.strerror}") from None


def _check_replaceable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            is_page = MARK in file.read(BEGINNING_BYTES)
    except OSError as error:
        raise ScopeError(f"cannot write {path}: {error.strerror}") from None
    if not is_page:
        raise ScopeError(f"{path} exists already and is no report of scopetrace")
