"""What goes through flows: its protocol is recognised, its readers are fed, its bytes are kept.

The first bytes of both directions wait until they show a protocol, or that they show none; then
every source that reads that protocol gets them all, in order, and what follows as it comes. A flow
whose bytes nobody reads or keeps is muted: it is then counted and no more.

What waits, for its protocol to show or for its turn, may weigh as much as `flowmemory` of scope.yml
allows: then a protocol that has not shown is none, and what came early has its turn.

Whatever is done with the bytes of a flow, to recognise and to read it, is paid out of its allowance
of CPU time; where that is used up, a notice says so and the flow is read no further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import thread_time_ns
from typing import TYPE_CHECKING, Any, Protocol

from scopetrace.model.image import Image
from scopetrace.model.operation import STOPPED, FlowClosed, FlowMoved
from scopetrace.model.payload import Payload
from scopetrace.sources.addresses import place_of
from scopetrace.sources.allowance import Allowance
from scopetrace.sources.base import Handlers, Outlet, Reader, Source
from scopetrace.sources.pieces import Pieces
from scopetrace.sources.spoken import tell_spoken
from scopetrace.watch import Rules

if TYPE_CHECKING:
    from scopetrace.sources.protocols import Detector, Match, Refused

MOST_LOOKED_AT = 64 * 1024
"""Bytes of a flow, both ways, among which its protocol shows, or it has none."""

NS_PER_MS = 1_000_000

MOST_AT_ONCE = 64 * 1024
"""Bytes of a stream that are read before it is looked how long that took."""


class FlowOutlet(Outlet, Protocol):
    """Where events and payloads go."""

    def keep(self, payload: Payload) -> None:
        """Take a piece of what went through a flow."""


class Unknown:
    """A flow whose protocol has not shown."""

    __slots__ = ("forgotten", "heads", "looked_at", "pieces", "refused", "saying", "seen")

    def __init__(self) -> None:
        self.pieces = Pieces()
        self.heads = [b"", b""]
        """The first bytes that came in, and those that went out; of datagrams, the last one."""
        self.looked_at = 0
        self.seen = 0
        """Datagrams among these bytes."""
        self.forgotten = 0
        """Datagrams before them."""
        self.refused: Refused = set()
        self.saying: bool | None = None
        """The direction that has begun, and was not answered yet."""

    def is_answered(self, operation: FlowMoved) -> bool:
        """Return whether a piece answers the direction that has begun, and note that.

        A datagram is looked at by itself, so what comes after it says nothing about it.
        """
        outgoing, before = operation.outgoing, self.saying
        if outgoing == before or not operation.data or not operation.flow.stream:
            return False
        self.saying = None if self.heads[outgoing] else outgoing
        return before is not None

    def add(self, operation: FlowMoved) -> None:
        """Take a piece; what is beyond `MOST_LOOKED_AT` is not looked at, however it was cut."""
        self.pieces.add(operation)
        outgoing, data = operation.outgoing, operation.data
        if operation.flow.stream:
            self.heads[outgoing] += data[: max(0, MOST_LOOKED_AT - self.looked_at)]
        else:
            self.heads, self.refused = [b"", b""], set()
            self.heads[outgoing] = data
            self.seen += 1
        self.looked_at += len(data)

    def forget(self) -> None:
        """Forget the datagrams until now, none of which shows a protocol."""
        self.forgotten += self.seen
        self.pieces, self.looked_at, self.seen = Pieces(), 0, 0


class Reading:
    """How far one flow has been read."""

    __slots__ = ("allowance", "early", "facts", "keeping", "muted", "readers", "unknown")

    def __init__(self, keeping: bool) -> None:
        self.allowance = Allowance()
        self.keeping = keeping
        """Its bytes are kept."""
        self.unknown: Unknown | None = Unknown()
        """What moved before the protocol was known; None: it is known, or will never be."""
        self.early = Pieces()
        """What came in while something was being sent, which is to be told first."""
        self.readers: list[Reader] = []
        self.muted = 0
        """The stream of it that was muted last."""
        self.facts = 0
        """What its readers have read since that was paid for (`Reader.facts`)."""


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
        if operation.early and reading.early.weight < image.rules.config.scopetrace.flowmemory:
            reading.early.add(operation)
            return
        if operation.outgoing:
            self._take(reading, operation)
        self._take_early(reading)
        if not operation.outgoing:
            self._take(reading, operation)

    def _take_early(self, reading: Reading) -> None:
        """Take what waited for something that was being sent: that is told by now, or never."""
        early = reading.early
        if early.weight:
            reading.early = Pieces()
            for operation in early:
                self._take(reading, operation)

    def _take(self, reading: Reading, operation: FlowMoved) -> None:
        """Take the next bytes, now that their turn has come."""
        if reading.keeping:
            self._keep(operation)
        if reading.unknown is not None or reading.readers:
            self._study_in_time(reading, operation)
        idle = reading.unknown is None and not reading.readers and not reading.keeping
        if idle and operation.flow.stream:  # one of messages may have another flow that is wanted
            self._silence(reading, operation)

    def _study_in_time(self, reading: Reading, operation: FlowMoved) -> None:
        """Recognise or read a piece, as long as the flow may take CPU time."""
        allowance = reading.allowance
        for part in _parts(operation):
            began_ns = thread_time_ns()
            self._study(reading, part)
            taken_ns, facts, reading.facts = thread_time_ns() - began_ns, reading.facts, 0
            if not allowance.covers(taken_ns, len(part.data), facts):
                self._give_up(reading, operation)
                return

    def _study(self, reading: Reading, operation: FlowMoved) -> None:
        """Look whether the protocol shows by now, or read what is spoken."""
        if reading.unknown is not None and reading.unknown.is_answered(operation):
            self._recognise(reading, reading.unknown, operation)
        if reading.unknown is not None:
            self._look(reading, reading.unknown, operation)
        else:
            self._read(reading, operation)

    def _give_up(self, reading: Reading, operation: FlowMoved) -> None:
        """Read a flow no further, and say so."""
        image, tid, time_ns, flow = operation[:4]
        readers, reading.readers, reading.unknown = reading.readers, [], None
        for reader in readers:
            reader.give_up(image, tid, time_ns)
        allowance, peer = reading.allowance, place_of(flow.peer)
        message = (
            f"{flow.protocol or 'What went'} between {image.proc} ({image.pid}) and {peer} is read"
            f" no further: {allowance.bytes} bytes of it took {allowance.taken_ns // NS_PER_MS} ms"
            " of CPU time"
        )
        self._outlet.notice(image, time_ns, tid, message, "cputime", 1)

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

    def _look(self, reading: Reading, unknown: Unknown, operation: FlowMoved) -> None:
        """Look whether the protocol shows by now."""
        unknown.add(operation)
        ended = (
            (operation.moved > len(operation.data) and operation.flow.stream)
            or unknown.looked_at > MOST_LOOKED_AT
            or unknown.pieces.weight > operation.image.rules.config.scopetrace.flowmemory
        )
        self._recognise(reading, unknown, operation, ended)

    def _recognise(
        self, reading: Reading, unknown: Unknown, operation: FlowMoved | FlowClosed,
        ended: bool = False,
    ) -> None:  # fmt: skip
        """Tell the protocol if the first bytes show one; `ended`: no more of them will come."""
        flow, detector = operation.flow, self._detector(operation.image)
        incoming, outgoing = unknown.heads
        service = flow.local if flow.role == "server" else flow.peer
        port = service.port if service is not None else 0
        how: dict[str, Any] = {
            "stream": flow.stream, "port": port, "role": flow.role, "refused": unknown.refused,
        }  # fmt: skip
        match = detector.recognise(outgoing, incoming, saying=unknown.saying, ended=ended, **how)
        if match is not None:
            self._recognised(reading, unknown, match, operation)
        elif flow.stream:
            if ended or detector.exhausted(outgoing, incoming, **how):
                reading.unknown = None
        elif ended and port in detector.tried_ports:
            unknown.forget()
        elif ended:
            reading.unknown = None

    def _detector(self, image: Image) -> Detector:
        rules: Rules = image.rules
        detector = self._detectors.get(rules)
        if detector is None:
            from scopetrace.sources.protocols import Detector  # many programs talk to nobody

            detector = self._detectors[rules] = Detector(rules.config.protocol)
        return detector

    def _recognised(
        self, reading: Reading, unknown: Unknown, match: Match, operation: FlowMoved | FlowClosed
    ) -> None:  # fmt: skip
        """Tell the protocol, and let its readers catch up."""
        image, tid, time_ns, flow = (
            operation.image, operation.tid, operation.time_ns, operation.flow,
        )  # fmt: skip
        if unknown.forgotten:
            message = (
                f"{unknown.forgotten} datagrams between {image.proc} ({image.pid}) and"
                f" {place_of(flow.peer)} before the first of {match.name} were none, and not kept"
            )
            self._outlet.notice(image, time_ns, tid, message, "malformed", unknown.forgotten)
        flow.protocol = match.name
        if match.detect:
            tell_spoken(self._outlet, image, time_ns, tid, flow, match.name, match.details)
        readers = (source.reader(image, flow, match.name) for source in self._sources)
        reading.readers = [reader for reader in readers if reader is not None]
        reading.unknown = None
        if match.payload and not reading.keeping:
            reading.keeping = True
            for earlier in unknown.pieces:
                self._keep(earlier)
        for earlier in unknown.pieces:
            self._read(reading, earlier)

    def _read(self, reading: Reading, operation: FlowMoved) -> None:
        """Feed all readers; forget those that are done."""
        image, tid, time_ns, flow, outgoing, data, moved, *_ = operation
        if not reading.readers:
            return
        for reader in reading.readers:
            facts = reader.facts
            if data or (not flow.stream and not moved):
                reader.feed(image, tid, time_ns, outgoing, data)
            if moved > len(data) and not reader.done:
                reader.gap(image, tid, time_ns, outgoing, moved - len(data))
            elif not moved and flow.stream:
                reader.end(image, tid, time_ns, outgoing)
            reading.facts += reader.facts - facts
        if any(reader.done for reader in reading.readers):
            reading.readers = [reader for reader in reading.readers if not reader.done]

    def _closed(self, operation: FlowClosed) -> None:
        reading: Reading | None = operation.flow.reading
        if reading is None or operation.op == STOPPED:
            return  # what is under way goes on unseen: nothing is to be said about its end
        self._take_early(reading)
        if reading.unknown is not None:
            self._recognise(reading, reading.unknown, operation, ended=True)
        for reader in reading.readers:
            reader.close(operation.image, operation.tid, operation.time_ns)


def _parts(operation: FlowMoved) -> Iterator[FlowMoved]:
    """Yield a piece of a stream in parts of `MOST_AT_ONCE` bytes; what is not known comes last."""
    data = operation.data
    if len(data) <= MOST_AT_ONCE or not operation.flow.stream:
        yield operation
        return
    for at in range(0, len(data), MOST_AT_ONCE):
        part = data[at : at + MOST_AT_ONCE]
        is_last = at + MOST_AT_ONCE >= len(data)
        yield operation._replace(data=part, moved=operation.moved - at if is_last else len(part))
