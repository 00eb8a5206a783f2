"""Recording: the command in the foreground, and the recorder that watches it from the side.

`run_in_place` is what `scopetrace run` does, `run` the same for a Python program that wants the
session, `stop` ends a recording. Each is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES = {
    "run_in_place": "scopetrace.recorder.foreground",
    "run": "scopetrace.recorder.api",
    "stop": "scopetrace.recorder.control",
}

__all__ = ["run", "run_in_place", "stop"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'scopetrace.recorder' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
