"""What goes through flows: its protocol is recognised, its readers are fed, its bytes are kept.

The first bytes of both directions wait until they show a protocol, or that they show none; then
every source that reads that protocol gets them all, in order, and what follows as it comes. A flow
whose bytes nobody reads or keeps is muted: it is then counted and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from scopetrace.model.operation import STOPPED, FlowClosed, FlowMoved, Image
from scopetrace.model.payload import Payload
from scopetrace.sources.base import Handlers, Outlet, Reader, Source
from scopetrace.sources.spoken import tell_spoken
from scopetrace.watch import Rules

if TYPE_CHECKING:
    from scopetrace.sources.protocols import Detector, Match

MOST_WAITING = 64 * 1024
"""Bytes of a flow that wait for its protocol to show; with more, it has none."""
MOST_PIECES = 1000
"""The same for the number of pieces."""

LEAST_WEIGHT = 256
"""What a piece that waits weighs besides its bytes, which may be few."""


class FlowOutlet(Outlet, Protocol):
    """Where events and payloads go."""

    def keep(self, payload: Payload) -> None:
        """Take a piece of what went through a flow."""


class Reading:
    """How far one flow has been read."""

    __slots__ = (
        "early", "early_weight", "heads", "keeping", "muted", "readers", "waiting", "waiting_bytes",
    )  # fmt: skip

    def __init__(self, keeping: bool) -> None:
        self.keeping = keeping
        """Its bytes are kept."""
        self.heads = (bytearray(), bytearray())
        """The first bytes that came in, and those that went out."""
        self.waiting: list[FlowMoved] | None = []
        """What moved before the protocol was known; None: it is known, or will never be."""
        self.waiting_bytes = 0
        self.early: list[FlowMoved] = []
        """What came in while something was being sent, which is to be told first."""
        self.early_weight = 0
        self.readers: list[Reader] = []
        self.muted = 0
        """The stream of it that was muted last."""


class Flows:
    """All flows of a session.

    Args:
        outlet: takes the events and payloads.
        sources: asked for readers.
        mute: told the engine's serial of each stream that nobody wants.
    """

    def __init__(
        self, outlet: FlowOutlet, sources: Sequence[Source], mute: Callable[[int], object]
    ) -> None:
        self._outlet = outlet
        self._sources = sources
        self._mute = mute
        self._detectors: dict[Rules, Detector] = {}

    def handlers(self) -> Handlers:
        """Return what is done with operations."""
        return {FlowMoved: self._moved, FlowClosed: self._closed}

    def _moved(self, operation: FlowMoved) -> None:
        flow, image = operation.flow, operation.image
        reading: Reading | None = flow.reading
        if reading is None:
            reading = flow.reading = Reading(image.rules.payloads)
        if operation.early and reading.early_weight < image.rules.config.scopetrace.flowmemory:
            reading.early.append(operation)
            reading.early_weight += LEAST_WEIGHT + len(operation.data)
            return
        if operation.outgoing:
            self._take(reading, operation)
        self._take_early(reading)
        if not operation.outgoing:
            self._take(reading, operation)

    def _take_early(self, reading: Reading) -> None:
        """Take what waited for something that was being sent: that is told by now, or never."""
        early, reading.early, reading.early_weight = reading.early, [], 0
        for operation in early:
            self._take(reading, operation)

    def _take(self, reading: Reading, operation: FlowMoved) -> None:
        """Take the next bytes, now that their turn has come."""
        if reading.keeping:
            self._keep(operation)
        if reading.waiting is not None:
            self._wait(reading, operation)
        else:
            self._read(reading, operation)
        idle = reading.waiting is None and not reading.readers and not reading.keeping
        if idle and operation.flow.stream:  # one of messages may have another flow that is wanted
            self._silence(reading, operation)

    def _silence(self, reading: Reading, operation: FlowMoved) -> None:
        """Mute the fd of a flow that nobody reads, unless it is a console that somebody does."""
        stream, console = operation.stream, operation.console
        if console and operation.image.rules.console(console):
            return
        if stream and stream != reading.muted:
            reading.muted = stream
            self._mute(stream)

    def _keep(self, operation: FlowMoved) -> None:
        image, _tid, time_ns, flow, outgoing, data, moved, *_ = operation
        if moved:
            missing = moved - len(data)
            self._outlet.keep(Payload(time_ns, image.id, flow.opened_ns, outgoing, data, missing))

    def _wait(self, reading: Reading, operation: FlowMoved) -> None:
        """Look whether the protocol shows by now."""
        waiting, flow = reading.waiting, operation.flow
        assert waiting is not None
        waiting.append(operation)
        reading.waiting_bytes += len(operation.data)
        head = reading.heads[operation.outgoing]
        if flow.stream or not head:
            head += operation.data[: MOST_WAITING - len(head)]
        ended = (
            operation.moved > len(operation.data)
            or reading.waiting_bytes > MOST_WAITING
            or len(waiting) > MOST_PIECES
        )
        self._recognise(reading, operation, ended)

    def _recognise(
        self, reading: Reading, operation: FlowMoved | FlowClosed, ended: bool
    ) -> None:  # fmt: skip
        """Tell the protocol if the first bytes show one; `ended`: no more of them will come."""
        flow, detector = operation.flow, self._detector(operation.image)
        incoming, outgoing = map(bytes, reading.heads)
        service = flow.local if flow.role == "server" else flow.peer
        port = service.port if service is not None else 0
        match = detector.recognise(
            outgoing, incoming, stream=flow.stream, port=port, role=flow.role, ended=ended
        )
        if match is not None:
            self._recognised(reading, match, operation)
        elif ended or detector.exhausted(
            outgoing, incoming, stream=flow.stream, port=port, role=flow.role
        ):
            reading.waiting = None

    def _detector(self, image: Image) -> Detector:
        rules: Rules = image.rules
        detector = self._detectors.get(rules)
        if detector is None:
            from scopetrace.sources.protocols import Detector  # many programs talk to nobody

            detector = self._detectors[rules] = Detector(rules.config.protocol)
        return detector

    def _recognised(
        self, reading: Reading, match: Match, operation: FlowMoved | FlowClosed
    ) -> None:  # fmt: skip
        """Tell the protocol, and let its readers catch up."""
        image, tid, time_ns, flow = (
            operation.image, operation.tid, operation.time_ns, operation.flow,
        )  # fmt: skip
        flow.protocol = match.name
        if match.detect:
            tell_spoken(self._outlet, image, time_ns, tid, flow, match.name, match.details)
        readers = (source.reader(image, flow, match.name) for source in self._sources)
        reading.readers = [reader for reader in readers if reader is not None]
        waiting, reading.waiting = reading.waiting or [], None
        if match.payload and not reading.keeping:
            reading.keeping = True
            for earlier in waiting:
                self._keep(earlier)
        for earlier in waiting:
            self._read(reading, earlier)

    def _read(self, reading: Reading, operation: FlowMoved) -> None:
        """Feed all readers; forget those that are done."""
        image, tid, time_ns, flow, outgoing, data, moved, *_ = operation
        if not reading.readers:
            return
        for reader in reading.readers:
            if data or (not flow.stream and not moved):
                reader.feed(image, tid, time_ns, outgoing, data)
            if moved > len(data) and not reader.done:
                reader.gap(image, tid, time_ns, outgoing, moved - len(data))
            elif not moved and flow.stream:
                reader.end(image, tid, time_ns, outgoing)
        if any(reader.done for reader in reading.readers):
            reading.readers = [reader for reader in reading.readers if not reader.done]

    def _closed(self, operation: FlowClosed) -> None:
        reading: Reading | None = operation.flow.reading
        if reading is None or operation.op == STOPPED:
            return  # what is under way goes on unseen: nothing is to be said about its end
        self._take_early(reading)
        if reading.waiting is not None:
            self._recognise(reading, operation, ended=True)
        for reader in reading.readers:
            reader.close(operation.image, operation.tid, operation.time_ns)
