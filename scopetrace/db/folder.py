"""The folder of the sessions: made for its owner alone, and refused where others could write.

A session can hold secrets, so the folder is 0700 and its files are 0600.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from scopetrace.db.errors import session_error
from scopetrace.errors import SessionError

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def make_folder(folder: Path) -> None:
    """Make the folder of the sessions and its parent, with mode 0700.

    Raises:
        SessionError: it cannot be made, or other users may write to an existing one.
    """
    try:
        for part in (folder.parent, folder):
            if not part.is_dir():
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
                part.chmod(0o700)
    except OSError as error:
        raise session_error("make the folder", folder, error) from None
    why = why_unsafe(folder)
    if why is not None:
        raise SessionError(f"cannot write sessions in {folder}: {why}")


def why_unsafe(folder: Path) -> str | None:
    """Return why other users could put files into the folder of the sessions; None: they cannot.

    They can if they may write to it, or to its parent, where they could replace it. With the sticky
    bit they can neither rename nor delete the owner's files (inode(7)).
    """
    try:
        about = {part: part.stat() for part in (folder, folder.parent)}
    except OSError as error:
        return error.strerror
    if about[folder].st_uid not in (os.geteuid(), 0):
        return "it belongs to another user"
    for part, status in about.items():
        if status.st_mode & _WRITABLE_BY_OTHERS and not status.st_mode & stat.S_ISVTX:
            return f"others may write to {part} (chmod go-w makes it safe)"
    return None
