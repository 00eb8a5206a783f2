"""scopetrace records what a program does, and answers questions about it.

    import scopetrace

    with scopetrace.run(["nginx", "-c", "/tmp/nginx.conf"]) as session:
        for event in session.events(source="fs.open"):
            print(event.time_ns, event.data["file"])

Nothing is imported before it is used: the command line starts through this module.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_ROOMS = {"open_session": "scopetrace.query", "run": "scopetrace.recorder.api"}
"""Public name → the module that has it."""

__all__ = ["__version__", "open_session", "run"]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'scopetrace' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
