"""How a session id is made: one more than the highest id that the folder has or had.

The counter file `.last-id` beside the sessions remembers the last id, so that the id of a deleted
session is not used again. It is locked (flock(2)) while an id is taken.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from scopetrace.db.errors import session_error
from scopetrace.db.paths import SESSION_FILE

_COUNTER = ".last-id"
_MOST_BYTES = 32
_MOST_DIGITS = 18
"""So that an id fits into SQLite's 64 bits."""
_COUNTER_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def allocate_id(folder: Path) -> int:
    """Return an id that no session in `folder` has or had.

    Raises:
        SessionError: the folder cannot be made or written.
    """
    with _locked_counter(folder) as counter:
        session_id = max(_read(counter), _highest(folder)) + 1
        _write(counter, session_id)
    return session_id


def give_back_id(folder: Path, session_id: int) -> None:
    """Allow the id of a session that was discarded to be used again, if it is still the last."""
    with _locked_counter(folder) as counter:
        if _read(counter) == session_id and _highest(folder) < session_id:
            _write(counter, session_id - 1)


@contextmanager
def _locked_counter(folder: Path) -> Iterator[int]:
    """Hold the counter's lock; the kernel releases it with the fd, also of a killed process."""
    try:
        counter = os.open(folder / _COUNTER, _COUNTER_FLAGS, 0o600)
    except OSError as error:
        raise session_error("write sessions in", folder, error) from None
    try:
        flock(counter, LOCK_EX)
        yield counter
    except OSError as error:
        raise session_error("write sessions in", folder, error) from None
    finally:
        os.close(counter)


def _read(counter: int) -> int:
    text = os.pread(counter, _MOST_BYTES, 0).strip()
    return int(text) if text.isdigit() and len(text) < _MOST_DIGITS else 0


def _write(counter: int, session_id: int) -> None:
    text = b"%d\n" % session_id
    os.pwrite(counter, text, 0)
    os.ftruncate(counter, len(text))


def _highest(folder: Path) -> int:
    """Return the highest id of any session file here, also of one that is being made."""
    found = (SESSION_FILE.fullmatch(path.name) for path in folder.iterdir())
    return max((int(match[2]) for match in found if match), default=0)
