"""What every source is, and what it works with.

A source declares the events it can make and, for each, the groups of calls (syscalls.def) without
which it cannot: so the calls that stop a program follow from what its user wants to see. A source
takes operations and puts events into its outlet; it does no input or output of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, ClassVar, Protocol

from scopetrace.model.flow import Flow
from scopetrace.model.image import Image
from scopetrace.model.open_file import OpenFile
from scopetrace.watch import Content


class Mode(IntEnum):
    """Which calls of a group make records (enum call_mode)."""

    OFF = 0
    FAILURES = 1
    ALL = 2


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

        They earn the CPU time that reading takes (`streams.cpu_budget`).
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

        Asked once, when the protocol was recognised (`streams.detector`); nothing is lost: the
        reader gets the flow's bytes from the first one that was seen.
        """
        return None
