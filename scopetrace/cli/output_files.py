"""Files that a command writes, and binary standard output.

Existing files are replaced only with --force. New files have mode 0600, as sessions have: network
data can contain secrets.
"""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from scopetrace.errors import ScopeError

OWNER_ONLY = 0o600
MOST_OPEN = 64
"""Files that a FolderWriter keeps open."""


def binary_stdout() -> BinaryIO:
    """Return standard output for bytes; /dev/null if it is closed."""
    sys.stdout.flush()
    if hasattr(sys.stdout, "buffer"):
        return sys.stdout.buffer
    return Path(os.devnull).open("wb")


@contextmanager
def new_file(path: Path, force: bool) -> Iterator[BinaryIO]:
    """Open a new file for writing; with `force`, an existing one is truncated.

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


@contextmanager
def whole_file(path: Path, force: bool) -> Iterator[Path]:
    """Give the path of an empty file, which is called `path` after the body of the `with`.

    Nothing is written through an existing file or link: with `force` it is replaced.

    Raises:
        ScopeError: `path` exists and `force` is not set, is no file, or cannot be written.
    """
    _check_replaceable(path, force)
    try:
        fd, name = mkstemp(prefix=".scopetrace-", dir=path.parent)
    except OSError as error:
        raise ScopeError(f"cannot write {path}: {error.strerror}") from None
    os.close(fd)
    try:
        yield Path(name)
        _check_replaceable(path, force)
        with _writing(path):
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _check_replaceable(path: Path, force: bool) -> None:
    if not os.path.lexists(path):
        return
    if not force:
        raise ScopeError(f"{path} exists already: --force replaces it")
    if not (path.is_file() or path.is_symlink()):
        raise ScopeError(f"cannot write {path}: it is not a file")


class FolderWriter:
    """Writes many files in one folder in pieces; keeps at most MOST_OPEN of them open."""

    def __init__(self, folder: Path, force: bool) -> None:
        self._folder = folder
        self._force = force
        self._open: OrderedDict[str, BinaryIO] = OrderedDict()
        self.sizes: dict[str, int] = {}
        """Name of each file → bytes written."""

    def __enter__(self) -> FolderWriter:
        with _writing(self._folder):
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                raise ScopeError(f"cannot write {self._folder}: it is not a folder") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._make_room(0)

    def add(self, name: str, data: bytes) -> None:
        """Append `data` to the file `name`; the first time it is created or replaced."""
        with _writing(self._folder / name):
            if name not in self._open:
                self._make_room()
                self._open[name] = self._start(name)
            self._open.move_to_end(name)
            self._open[name].write(data)
        self.sizes[name] += len(data)

    def taken(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` that exist and may not be replaced."""
        if self._force:
            return []
        return [name for name in names if os.path.lexists(self._folder / name)]

    def _start(self, name: str) -> BinaryIO:
        """Open a file; an existing one is deleted first, so that a link is not followed."""
        path = self._folder / name
        if name in self.sizes:
            return path.open("ab")
        if self._force:
            path.unlink(missing_ok=True)
        self.sizes[name] = 0
        return _create(path, force=False)

    def _make_room(self, most: int = MOST_OPEN - 1) -> None:
        """Close the least recently used files, until at most `most` are open."""
        while len(self._open) > most:
            name, file = self._open.popitem(last=False)
            with _writing(self._folder / name), file:
                pass


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn errors into a sentence with the name of the file, except BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ScopeError(f"cannot write {error.filename or path}: {error.strerror}") from None
