"""Which system calls have to be watched: from the sources and what the rules want of them.

The calls that stop a program follow from what its user wants to see: each group of calls
(syscalls.def) gets the highest mode that any wanted event or metric needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Protocol

import scopetrace.sources
from scopetrace.source import FLOW_CALLS, Mode, Source

GROUPS = (
    "open", "close", "fd", "read", "write", "move", "net", "send", "receive", "delete", "rename",
    "link", "mkdir", "attr", "stat", "seek", "map", "cwd", "exec", "task", "cred", "guard", "make",
    "aio", "uring", "lock", "touch", "birth", "permit", "room", "heap", "tune",
)  # fmt: skip
"""The groups of syscalls.def (GROUP_NAMES)."""

ALWAYS = {
    **dict.fromkeys(("exec", "task", "cred", "guard"), Mode.ALL),
    "birth": Mode.FAILURES,
}
"""Groups that are always watched: the engine cannot follow processes without them."""


@cache
def source_classes() -> tuple[type[Source], ...]:
    """Return the sources: of each module or package of `scopetrace.sources` its `SOURCE`.

    The folder is listed without pkgutil, whose import costs that of `inspect`.
    """
    folder = Path(scopetrace.sources.__path__[0])
    files = (path.name for path in folder.iterdir() if not path.name.startswith("__"))
    names = {
        name.partition(".")[0] for name in files
    }  # of a compiled module it is name.cpython-….so
    modules = (import_module(f"scopetrace.sources.{name}") for name in sorted(names))
    return tuple(module.SOURCE for module in modules if hasattr(module, "SOURCE"))


class Interests(Protocol):
    """What `needed_calls` asks of a `Watch`. Answers err towards yes."""

    def could_want(self, sourcetype: str, source: str | None) -> bool:
        """Return whether such events may be wanted of any process; files: `ANY_PATH`."""

    def could_measure(self, kind: str, verbosity: int = 0) -> bool:
        """Return whether metrics of a type may be wanted, at this verbosity or a higher one."""

    @property
    def could_keep(self) -> bool:
        """Whether payloads may be wanted."""

    @property
    def failures(self) -> str:
        """How much is watched for failures alone: none, rare or all."""


def needed_calls(interests: Interests) -> dict[str, Mode]:
    """Return the mode of every group of calls."""
    modes = {group: ALWAYS.get(group, Mode.OFF) for group in GROUPS}
    for groups in _wanted(interests):
        for group, mode in groups.items():
            modes[group] = max(modes[group], mode)
    modes["aio"] = max(modes["read"], modes["write"])  # one call does both
    modes["uring"] = max(modes[group] for group in ("open", "read", "write", "net"))
    modes["make"] = max(modes["make"], modes["fd"])  # to follow fds, all that make one are watched
    return modes


def _wanted(interests: Interests) -> Iterable[Mapping[str, Mode]]:
    if interests.could_keep:
        yield FLOW_CALLS
    for source in source_classes():
        measured = bool(source.measures) and interests.could_measure(source.measures)
        for verbosity, more in source.needs_in_detail.items():
            if interests.could_measure(source.measures, verbosity):
                yield more
        for name, groups in source.needs.items():
            if measured or interests.could_want(source.sourcetype, name):
                yield groups
                yield from _failing(source.failures.get(name or "", {}), interests.failures)


def _failing(groups: Mapping[str, tuple[str, ...]], failures: str) -> Iterable[Mapping[str, Mode]]:
    """Return what is watched for failures alone: `all` has what is rare as well."""
    for level in FAILURE_LEVELS[failures]:
        yield dict.fromkeys(groups.get(level, ()), Mode.FAILURES)


FAILURE_LEVELS = {"none": (), "rare": ("rare",), "all": ("rare", "all")}
