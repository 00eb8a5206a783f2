"""Files that a command writes, and standard output for what is no text.

What is already there stays unless its replacement was asked for. Files are for their owner alone,
as sessions are: what went over a network may be anybody's secret.
"""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from scopetrace.errors import ScopeError

OWNER_ONLY = 0o600
MOST_OPEN = 64


def binary_stdout() -> BinaryIO:
    """Return standard output for bytes; where it is closed, something that takes them in vain."""
    sys.stdout.flush()
    if hasattr(sys.stdout, "buffer"):
        return sys.stdout.buffer
    return Path(os.devnull).open("wb")


@contextmanager
def new_file(path: Path, force: bool) -> Iterator[BinaryIO]:
    """Open a file for writing that is not there yet, or whose content may go.

    A pipe or a device is written to as it is.

    Raises:
        ScopeError: it exists and `force` is not set, or it cannot be written.
    """
    with _writing(path), _create(path, force) as file:
        yield file


def _create(path: Path, force: bool) -> BinaryIO:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    except FileExistsError:
        if not path.is_file():
            return path.open("wb")
        if not force:
            raise ScopeError(f"{path} exists already: --force replaces it") from None
        return path.open("wb")
    return os.fdopen(fd, "wb")


class FolderWriter:
    """Writes many files of one folder in pieces, a few of them open at a time."""

    def __init__(self, folder: Path, force: bool) -> None:
        self._folder = folder
        self._force = force
        self._open: OrderedDict[str, BinaryIO] = OrderedDict()
        self.sizes: dict[str, int] = {}
        """The files that were written, and how much of each."""

    def __enter__(self) -> FolderWriter:
        with _writing(self._folder):
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                raise ScopeError(f"cannot write {self._folder}: it is no folder") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._make_room(0)

    def add(self, name: str, data: bytes) -> None:
        """Add `data` to the file `name`, which the first time must be new or may be replaced."""
        with _writing(self._folder / name):
            if name not in self._open:
                self._make_room()
                self._open[name] = self._start(name)
            self._open.move_to_end(name)
            self._open[name].write(data)
        self.sizes[name] += len(data)

    def taken(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` that are there and may not be replaced."""
        if self._force:
            return []
        return [name for name in names if os.path.lexists(self._folder / name)]

    def _start(self, name: str) -> BinaryIO:
        """Open a file; what was there and may go is removed, not followed if it is a link."""
        path = self._folder / name
        if name in self.sizes:
            return path.open("ab")
        if self._force:
            path.unlink(missing_ok=True)
        self.sizes[name] = 0
        return _create(path, force=False)

    def _make_room(self, most: int = MOST_OPEN - 1) -> None:
        """Close those not used for longest, until no more than `most` are open."""
        while len(self._open) > most:
            name, file = self._open.popitem(last=False)
            with _writing(self._folder / name), file:
                pass


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what goes wrong into a sentence with the file's name, but not a reader's end."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ScopeError(f"cannot write {error.filename or path}: {error.strerror}") from None
