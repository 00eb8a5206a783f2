"""The rules of scope.yml: what is wanted of a process, and what of it is recorded."""

from __future__ import annotations

from scopetrace.watch.filters import ProcessFacts
from scopetrace.watch.rules import Content, Rules
from scopetrace.watch.watch import Watch

__all__ = ["Content", "ProcessFacts", "Rules", "Watch"]
