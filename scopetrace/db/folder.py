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
    """Make the folder of the sessions, and the one above it, for their owner alone.

    Raises:
        SessionError: it cannot be made, or others may write to one that is there.
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
    """Return why others could put files into the folder of the sessions; None: they cannot.

    They could where they may write to it, or exchange it since they may write to the one above. In
    one with the sticky bit they cannot touch what is ours (inode(7)).
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
