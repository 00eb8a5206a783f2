"""The session file, written: where it lives, what is in it, and the one writer it has.

`SessionStore` and `SessionWriter` are found here, imported when first asked for: whoever only reads
sessions needs the schema and not the JSON encoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scopetrace.store.sessions import SessionStore
    from scopetrace.store.writer import SessionWriter

__all__ = ["SessionStore", "SessionWriter"]


def __getattr__(name: str) -> Any:
    if name == "SessionStore":
        from scopetrace.store.sessions import SessionStore

        return SessionStore
    if name == "SessionWriter":
        from scopetrace.store.writer import SessionWriter

        return SessionWriter
    raise AttributeError(f"module 'scopetrace.store' has no attribute {name!r}")
