"""scopetrace records what a program does, and answers questions about it.

    import scopetrace

    with scopetrace.run(["nginx", "-c", "/tmp/nginx.conf"]) as session:
        for event in session.events(source="fs.open"):
            print(event.time_ns, event.data["file"])

Functions are imported when they are first used, since the command line starts here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scopetrace.query import Session, open_session
    from scopetrace.recorder.api import run

__version__ = "0.1.0"

_MODULES = {
    "Session": "scopetrace.query",
    "open_session": "scopetrace.query",
    "run": "scopetrace.recorder.api",
}
"""Public name → the module that has it."""

__all__ = ["Session", "__version__", "open_session", "run"]


if not TYPE_CHECKING:  # a type checker would take it that every name is there

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module 'scopetrace' has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
