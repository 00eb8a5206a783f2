"""What every source is, how they are found, and which system calls they need.

A source declares the events it can make and, for each, the groups of calls (syscalls.def) without
which it cannot: so the calls that stop a program follow from what its user wants to see. A source
takes operations and puts events into its outlet; it does no input or output of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Protocol

import scopetrace.sources
from scopetrace.model.flow import Flow
from scopetrace.model.image import Image
from scopetrace.model.open_file import OpenFile
from scopetrace.watch import Content


class Mode(IntEnum):
    """Which calls of a group make records (enum call_mode)."""

    OFF = 0
    FAILURES = 1
    ALL = 2


GROUPS = (
    "open", "close", "fd", "read", "write", "move", "net", "send", "receive", "delete", "rename",
    "link", "mkdir", "attr", "stat", "seek", "map", "cwd", "exec", "task", "cred", "guard", "make",
    "aio", "uring", "lock", "touch", "birth", "permit", "room", "heap", "tune",
)  # fmt: skip
"""The groups of syscalls.def (GROUP_NAMES)."""

ALWAYS = ("exec", "task", "cred", "guard")
"""The groups that the engine lives on."""

ANY_PATH = None
"""The name of events that are named after the file they are about."""

Needs = Mapping[str | None, Mapping[str, Mode]]
"""Name of an event → group → mode."""


FLOWS = dict.fromkeys(("close", "fd", "read", "write", "move", "net", "send", "receive"), Mode.ALL)
"""What it takes to follow sockets and what goes through them."""


class Claim:
    """That what is written to an open file becomes events of a source."""

    __slots__ = ("content", "source", "sourcetype")

    def __init__(self, sourcetype: str, source: str, content: Content) -> None:
        self.sourcetype = sourcetype
        self.source = source
        self.content = content
        """What of it the rules want."""


UNWANTED = Claim("", "", Content(()))
"""That it becomes nothing."""


class Outlet(Protocol):
    """Where sources put their events."""

    def emit(
        self,
        image: Image,
        time_ns: int,
        tid: int,
        sourcetype: str,
        source: str,
        channel: int,
        data: dict[str, Any],
    ) -> None:
        """Take an event that the rules of its process may still change or refuse."""

    def notice(
        self, image: Image, time_ns: int, tid: int, message: str, reason: str, count: int
    ) -> None:
        """Take a notice, which no rule refuses."""

    def measure(
        self, image: Image, time_ns: int, name: str, value: float, numops: int = 1, **tags: Any
    ) -> None:
        """Take a measure of a metric (`model.metric.METRICS`) of a process.

        Call it only where `image.rules.measures` holds the kind of the metric, and whatever the
        rules say of events. `numops` is how many operations the value sums up: of a histogram or a
        timer, the total. Tags are those that METRICS names, a text or a number each; what the
        verbosity leaves out is dropped here, and None is a tag that is not known. A `net` gauge
        stays as it is until it is measured again or the image ends: measure it as 0 when the last
        of what it counts, with the same tags, is gone.
        """

    def measure_own(
        self, image: Image, time_ns: int, name: str, type: str, value: float, tags: dict[str, str]
    ) -> None:
        """Take a measure of a metric that the program itself sent (StatsD).

        Call it only where `image.rules.measures` holds `statsd`. `type` is counter, gauge, timer,
        histogram or set; of a set, each value is told once a period.
        """


MESSAGE = 10
"""How many facts a request, a response or a message of DNS is worth."""


class Reader(Protocol):
    """Reads one flow for one source: a parser, and what it makes of the flow's two directions.

    `outgoing` is true for what the program sends. Bytes of one direction come in order, cut
    anywhere; of a datagram flow, each call of `feed` is one datagram. Between the two directions
    the order is that of the program's own calls. A reader may be given any bytes at all: it never
    raises, never invents an event, and keeps about `flowmemory` bytes (scope.yml) at most.
    """

    done: bool
    """True: it gave up or needs no more bytes; it is not called again, but for `close`."""

    @property
    def facts(self) -> int:
        """What it has read until now: each record or sample is one, each message is `MESSAGE`.

        They earn the CPU time that reading takes (`sources.allowance`).
        """

    def feed(self, image: Image, tid: int, time_ns: int, outgoing: bool, data: bytes) -> None:
        """Take the next bytes of one direction."""

    def gap(self, image: Image, tid: int, time_ns: int, outgoing: bool, size: int) -> None:
        """Learn that the next `size` bytes of one direction are not known."""

    def end(self, image: Image, tid: int, time_ns: int, outgoing: bool) -> None:
        """Learn that one direction has ended: a shutdown, or the peer's end of file."""

    def close(self, image: Image, tid: int, time_ns: int) -> None:
        """Learn that a process let go of the flow; emit what is still to say. May come twice."""

    def give_up(self, image: Image, tid: int, time_ns: int) -> None:
        """Learn that reading the flow takes too long: it is not called again.

        Emit what was read. Of what was under way nothing more is known, and nothing is to be said.
        """


Handlers = Mapping[type, Callable[[Any], None]]
"""Class of operation → what takes it."""


class Source:
    """Makes events of one sourcetype."""

    sourcetype: ClassVar[str]
    needs: ClassVar[Needs]
    measures: ClassVar[str] = ""
    """The type of its metrics, for which it needs the same calls."""
    needs_in_detail: ClassVar[Mapping[int, Mapping[str, Mode]]] = {}
    """Verbosity of metrics from which on more calls are needed → group → mode."""

    failures: ClassVar[Mapping[str, Mapping[str, tuple[str, ...]]]] = {}
    """Name of an event → how much is watched for failures alone (scope.yml) → groups."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet

    def handlers(self) -> Handlers:
        """Return what this source does with operations."""
        return {}

    def claim(self, image: Image, file: OpenFile) -> Claim | None:
        """Return a claim if what `image` writes to `file` is for this source."""
        return None

    def reader(self, image: Image, flow: Flow, protocol: str) -> Reader | None:
        """Return a reader if what goes through `flow`, which speaks `protocol`, is for this source.

        Asked once, when the protocol was recognised (`sources.protocols`); nothing is lost: the
        reader gets the flow's bytes from the first one that was seen.
        """
        return None


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
