"""Sessions read: which sessions there are, and what is in one.

Reading never changes a session: every connection is read-only. This is the Python API too, and the
command line starts through it, so it imports little.
"""

from __future__ import annotations

from scopetrace.query.history import delete_session, delete_sessions, list_sessions
from scopetrace.query.session import Session, open_session

__all__ = ["Session", "delete_session", "delete_sessions", "list_sessions", "open_session"]
