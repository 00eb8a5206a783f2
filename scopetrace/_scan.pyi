"""What ext/_scan.pyx offers; each is documented there."""

import sqlite3
from collections.abc import Sequence

def add_functions(db: sqlite3.Connection, path: str) -> None: ...
def count_values(
    db: sqlite3.Connection,
    path: str,
    sql: str,
    parameters: Sequence[object],
    has_number: bool,
) -> list[tuple[bytes | int | float | None, int, int | float | None]]: ...
