"""The options of `subprocess.Popen` that `scopetrace.run` passes on, with their types."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from os import PathLike
from typing import IO, TypedDict

Stream = int | IO[bytes] | IO[str] | None
"""A file, a descriptor, or subprocess.DEVNULL; None: the caller's own."""


class PopenOptions(TypedDict, total=False):
    """Each as in the documentation of `subprocess.Popen`."""

    stdin: Stream
    stdout: Stream
    stderr: Stream
    cwd: str | PathLike[str] | None
    env: Mapping[str, str] | None
    preexec_fn: Callable[[], object] | None
    close_fds: bool
    pass_fds: Collection[int]
    restore_signals: bool
    start_new_session: bool
    process_group: int | None
    user: str | int | None
    group: str | int | None
    extra_groups: Iterable[str | int] | None
    umask: int
