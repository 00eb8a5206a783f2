"""What ext/_fs_sums.pyx offers; each is documented there."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

_Value = TypeVar("_Value")

class FileSums:
    opens: int
    read_bytes: int
    read_ops: int
    written_bytes: int
    written_ops: int
    io_us: int
    most_read_bytes: int
    most_written_bytes: int
    mapped: bool
    changed: bool
    exists: bool
    folder: bool
    errors: tuple[str, ...]
    @property
    def processes(self) -> list[int]: ...
    def of_processes(self, values: dict[int, _Value]) -> tuple[_Value, ...]: ...
    def add_process(self, process: int) -> None: ...
    def join_processes(self, other: FileSums) -> None: ...
    def forget_processes(self, most: int) -> None: ...
    def change(self) -> None: ...

def add_events(
    rows: Sequence[tuple[bytes, int, bytes]],
    files: Mapping[str, FileSums],
    make: Callable[[str], FileSums],
    rest: Callable[[tuple[bytes, int, bytes]], object],
) -> None: ...
def add_selected(
    db: sqlite3.Connection,
    path: str,
    sql: str,
    files: Mapping[str, FileSums],
    make: Callable[[str], FileSums],
    rest: Callable[[tuple[bytes, int, bytes]], object],
    most: Callable[[], bool],
) -> bool: ...
