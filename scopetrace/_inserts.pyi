"""What ext/_inserts.pyx offers; each is documented there."""

import sqlite3
from typing import Any

class Insert:
    def __init__(
        self,
        db: sqlite3.Connection,
        path: str,
        table: str,
        columns: tuple[str, ...],
        form: type[tuple[Any, ...]],
    ) -> None: ...
    def add(self, rows: list[tuple[Any, ...]], first: int) -> int: ...
    def close(self) -> None: ...
