"""scopetrace records what a program does, and answers questions about it.

    import scopetrace

    with scopetrace.run(["nginx", "-c", "/tmp/nginx.conf"]) as session:
        for event in session.events(source="fs.open"):
            print(event.time_ns, event.data["file"])

Functions are imported when they are first used, since the command line starts here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_MODULES = {"open_session": "scopetrace.query", "run": "scopetrace.recorder.api"}
"""Public name → the module that has it."""

__all__ = ["__version__", "open_session", "run"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'scopetrace' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
