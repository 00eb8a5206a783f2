"""Which sources there are, and which system calls they need.

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
from scopetrace.source import FLOWS, Mode, Source

GROUPS = (
    "open", "close", "fd", "read", "write", "move", "net", "send", "receive", "delete", "rename",
    "link", "mkdir", "attr", "stat", "seek", "map", "cwd", "exec", "task", "cred", "guard", "make",
    "aio", "uring", "lock", "touch", "birth", "permit", "room", "heap", "tune",
)  # fmt: skip
"""The groups of syscalls.def (GROUP_NAMES)."""

ALWAYS = ("exec", "task", "cred", "guard")
"""The groups that the engine lives on."""


@cache
def source_classes() -> tuple[type[Source], ...]:
    """Return the sources there are: each folder has a module `source` that names its `SOURCE`.

    Folders are listed without pkgutil, which would import the whole of `inspect` for it.
    """
    modules = sorted(Path(scopetrace.sources.__path__[0]).glob("*/source.py"))
    return tuple(
        import_module(f"scopetrace.sources.{module.parent.name}.source").SOURCE
        for module in modules
    )


class Wishes(Protocol):
    """What is needed of a `Watch`; all of it errs towards yes."""

    def could_want(self, sourcetype: str, source: str | None) -> bool:
        """Whether any process may want such events; `source` of files is `ANY_PATH`."""

    def could_measure(self, kind: str, verbosity: int = 0) -> bool:
        """Whether metrics of a type may be wanted, at this verbosity or a higher one."""

    @property
    def could_keep(self) -> bool:
        """Whether payloads may be wanted."""

    @property
    def failures(self) -> str:
        """How much is watched for failures alone: none, rare or all."""


def needed_calls(wishes: Wishes) -> dict[str, Mode]:
    """Return the mode of every group of calls."""
    modes = {group: Mode.ALL if group in ALWAYS else Mode.OFF for group in GROUPS}
    for groups in _wanted(wishes):
        for group, mode in groups.items():
            modes[group] = max(modes[group], mode)
    modes["aio"] = max(modes["read"], modes["write"])  # one call does both
    modes["uring"] = max(modes[group] for group in ("open", "read", "write", "net"))
    modes["make"] = max(modes["make"], modes["fd"])  # who follows fds, all of them
    return modes


def _wanted(wishes: Wishes) -> Iterable[Mapping[str, Mode]]:
    if wishes.could_keep:
        yield FLOWS
    for source in source_classes():
        measured = bool(source.measures) and wishes.could_measure(source.measures)
        for verbosity, more in source.needs_in_detail.items():
            if wishes.could_measure(source.measures, verbosity):
                yield more
        for name, groups in source.needs.items():
            if measured or wishes.could_want(source.sourcetype, name):
                yield groups
                yield from _failing(source.failures.get(name or "", {}), wishes.failures)


def _failing(
    groups: Mapping[str, tuple[str, ...]], failures: str
) -> Iterable[Mapping[str, Mode]]:  # fmt: skip
    """Return what is watched for failures alone: `all` has what is rare as well."""
    for level in FAILURE_LEVELS[failures]:
        yield dict.fromkeys(groups.get(level, ()), Mode.FAILURES)


FAILURE_LEVELS = {"none": (), "rare": ("rare",), "all": ("rare", "all")}
