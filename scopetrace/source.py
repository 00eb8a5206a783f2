"""What a source is, and what it works with.

A source declares the events that it can make and, for each, the groups of calls (syscalls.def)
without which it cannot: so the calls that stop a program follow from what its user wants to see.
A source takes operations, emits events through its outlet, and does no input or output of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, ClassVar, Protocol

from scopetrace.model.flow import Flow
from scopetrace.model.form import Data
from scopetrace.model.image import Image
from scopetrace.model.metric import in_order
from scopetrace.model.open_file import OpenFile
from scopetrace.model.rules import TextRules
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


FLOW_CALLS = dict.fromkeys(
    ("close", "fd", "read", "write", "move", "net", "send", "receive"), Mode.ALL
)
"""The groups of calls by which sockets, and the bytes that go through them, are followed."""


class TextTarget:
    """The events that the text which is written to one open file becomes."""

    __slots__ = ("content", "source", "sourcetype")

    def __init__(self, sourcetype: str, source: str, content: TextRules) -> None:
        self.sourcetype = sourcetype
        self.source = source
        self.content = content
        """Which of its lines the rules want."""


NO_TARGET = TextTarget("", "", Content(()))
"""Of a file whose text becomes no events."""


class Outlet:
    """Takes the events, notices and measures of sources: the pipeline, or what stands in for it."""

    def emit(
        self,
        image: Image,
        time_ns: int,
        tid: int,
        sourcetype: str,
        source: str,
        channel: int,
        data: Data,
    ) -> None:
        """Take an event, which the rules of its process may still change or refuse."""

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
        self.measure_with(image, time_ns, name, value, numops, in_order(name, tags))

    def measure_with(
        self,
        image: Image,
        time_ns: int,
        name: str,
        value: float,
        numops: int,
        tags: tuple[Any, ...],
    ) -> None:
        """Take a measure as `measure` does, in half the time: for what programs do often.

        Tags are their values in the order of `model.metric.TAGS`.
        """

    def measure_own(
        self, image: Image, time_ns: int, name: str, type: str, value: float, tags: dict[str, str]
    ) -> None:
        """Take a measure of a metric that the program itself sent (StatsD).

        Call it only where `image.rules.measures` holds `statsd`. `type` is counter, gauge, timer,
        histogram or set; each value of a set counts once a period.
        """


ITEMS_PER_MESSAGE = 10
"""How many items a request, a response or a DNS message counts as (`Reader.items`)."""


class Reader(Protocol):
    """Reads one flow for one source: feeds both directions to a parser and emits what it finds.

    `outgoing` is true for what the program sends. Bytes of one direction come in order, cut
    anywhere; of a datagram flow, each call of `feed` is one datagram. Between the two directions
    the order is that of the program's own calls. A reader may be given any bytes at all: it never
    raises, never invents an event, and holds about `flowmemory` bytes (scope.yml) at most.
    """

    done: bool
    """True: it gave up or needs no more bytes; only `close` is called from then on."""

    @property
    def items(self) -> int:
        """How much it has read so far: a record or a sample is 1, a message `ITEMS_PER_MESSAGE`.

        Items earn the CPU time that reading takes (`streams.cpu_budget`).
        """

    def feed(self, image: Image, tid: int, time_ns: int, outgoing: bool, data: bytes) -> None:
        """Read the next bytes of one direction."""

    def gap(self, image: Image, tid: int, time_ns: int, outgoing: bool, size: int) -> None:
        """Skip `size` missing bytes of one direction: they went through and were not recorded."""

    def end(self, image: Image, tid: int, time_ns: int, outgoing: bool) -> None:
        """End one direction: it was shut down, or the peer's end of file was received."""

    def close(self, image: Image, tid: int, time_ns: int) -> None:
        """Emit what is unfinished: a process has closed the flow. May be called twice."""

    def give_up(self, image: Image, tid: int, time_ns: int) -> None:
        """Emit what was read and stop: reading the flow takes too much CPU time.

        No more will be known of messages that are under way, and none of them is reported.
        """


Handlers = Mapping[type, Callable[[Any], None]]
"""Class of operation → the function that handles it."""


class Source:
    """Makes events of one sourcetype."""

    sourcetype: ClassVar[str] = ""
    needs: ClassVar[Needs] = {}
    measures: ClassVar[str] = ""
    """The type of its metrics, for which it needs the same calls."""
    needs_in_detail: ClassVar[Mapping[int, Mapping[str, Mode]]] = {}
    """Verbosity of metrics from which on more calls are needed → group → mode."""

    failures: ClassVar[Mapping[str, Mapping[str, tuple[str, ...]]]] = {}
    """Name of an event → how much is watched for failures alone (scope.yml) → groups."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet

    def handlers(self) -> Handlers:
        """Return the functions that handle operations."""
        return {}

    def text_target(self, image: Image, file: OpenFile) -> TextTarget | None:
        """Return the events that this source makes of what `image` writes to `file`, if any."""
        return None

    def reader(self, image: Image, flow: Flow, protocol: str) -> Reader | None:
        """Return a reader if this source reads `flow`, in which `protocol` was recognised.

        Called once, when the protocol was recognised (`streams.detector`). The reader gets the
        bytes of the flow from the first recorded one on.
        """
        return None
