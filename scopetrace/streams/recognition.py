"""What flows speak: found out, told, and read.

The first bytes of both directions wait until they show a protocol, or that they show none; then
every source that reads that protocol gets them all, in order, and what follows as it comes.

Another protocol may follow the first: after a preamble (`sources.preambles`) with the next byte of
each side, or where a side begins to speak (`sources.switches`). Then all begins anew, with what is
left. A flow has no more than `MOST_LAYERS` protocols, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scopetrace.model.flow_fields import peer_text
from scopetrace.model.image import Image
from scopetrace.model.operation import FlowClosed, FlowTransferred
from scopetrace.source import Outlet, Source
from scopetrace.streams.net_app import emit_net_app
from scopetrace.streams.reading import MOST_LOOKED_AT, Reading, Unknown
from scopetrace.watch import Rules

if TYPE_CHECKING:
    from scopetrace.streams.detector import Detector, Match
    from scopetrace.streams.preambles import Preamble

MOST_LAYERS = 8

Moved = FlowTransferred | FlowClosed


class Recognition:
    """Recognises and reads the flows of a session.

    Args:
        outlet: takes events.
        sources: asked for readers.
        keep: takes what moved in a flow from which on it is to be kept.
    """

    def __init__(
        self, outlet: Outlet, sources: Sequence[Source], keep: Callable[[FlowTransferred], object]
    ) -> None:
        self._outlet = outlet
        self._sources = sources
        self._keep = keep
        self._detectors: dict[Rules, Detector] = {}

    def study(self, reading: Reading, operation: FlowTransferred) -> None:
        """Look whether the protocol shows by now, or read what is spoken."""
        unknown = reading.unknown
        if unknown is not None and unknown.only is not None:
            self._watch(reading, unknown, operation)
            return
        if unknown is not None and unknown.is_answered(operation):
            self._recognise(reading, unknown, operation)
            if reading.unknown is not unknown:
                self.study(reading, operation)
                return
        if unknown is not None:
            self._look(reading, unknown, operation)
        else:
            self._read(reading, operation)
            if reading.preamble is not None:
                self._lead(reading, reading.preamble, operation)

    def close(self, reading: Reading, operation: FlowClosed) -> None:
        """Learn that a process let go of a flow."""
        if reading.unknown is not None:
            self._recognise(reading, reading.unknown, operation, ended=True)
        if reading.preamble is not None:
            self._end_preamble(reading, reading.preamble, operation)
        for reader in reading.readers:
            reader.close(operation.image, operation.tid, operation.time_ns)

    def _look(self, reading: Reading, unknown: Unknown, operation: FlowTransferred) -> None:
        """Look whether the protocol shows by now."""
        unknown.add(operation)
        ended = (
            (operation.transferred > len(operation.data) and operation.flow.is_stream)
            or unknown.looked_at > MOST_LOOKED_AT
            or unknown.pieces.weight > operation.image.rules.config.scopetrace.flowmemory
        )
        self._recognise(reading, unknown, operation, ended)

    def _watch(self, reading: Reading, unknown: Unknown, operation: FlowTransferred) -> None:
        """Look whether another protocol begins, while one goes on."""
        if operation.data and operation.outgoing != unknown.outgoing:
            unknown.turn(operation.outgoing)
        if not unknown.deaf:
            self._look(reading, unknown, operation)
        else:
            unknown.looked_at += operation.transferred
        over = unknown.looked_at > MOST_LOOKED_AT or (unknown.deaf and not unknown.turns)
        if over and reading.unknown is unknown:
            reading.unknown = None

    def _recognise(
        self, reading: Reading, unknown: Unknown, operation: Moved, ended: bool = False
    ) -> None:
        """Tell the protocol if the first bytes show one; `ended`: no more of them will come."""
        flow, detector = operation.flow, self._detector(operation.image)
        incoming, outgoing = unknown.heads
        service = flow.local if flow.role == "server" else flow.peer
        port = service.port if service is not None else 0
        how: dict[str, Any] = {
            "stream": flow.is_stream, "port": port, "role": flow.role, "refused": unknown.refused,
            "only": unknown.only,
        }  # fmt: skip
        match = detector.recognise(outgoing, incoming, saying=unknown.saying, ended=ended, **how)
        if match is not None:
            self._recognised(reading, unknown, match, operation)
        elif flow.is_stream:
            if ended or detector.exhausted(outgoing, incoming, **how):
                _give_up(reading, unknown)
        elif ended and port in detector.tried_ports:
            unknown.forget()
        elif ended:
            reading.unknown = None

    def _detector(self, image: Image) -> Detector:
        rules: Rules = image.rules
        detector = self._detectors.get(rules)
        if detector is None:
            from scopetrace.streams.detector import Detector  # many programs talk to nobody

            detector = self._detectors[rules] = Detector(rules.config.protocol)
        return detector

    def _recognised(
        self, reading: Reading, unknown: Unknown, match: Match, operation: Moved
    ) -> None:
        """Tell the protocol, and let its readers catch up."""
        from scopetrace.streams.preambles import begun

        image, flow, name = operation.image, operation.flow, match.name
        if unknown.forgotten:
            self._tell_forgotten(unknown.forgotten, name, operation)
        flow.layers = (*flow.layers, name)
        reading.unknown = None
        if flow.is_stream and len(flow.layers) < MOST_LAYERS:
            reading.preamble = begun(match, flow.role, unknown.heads)
        if reading.preamble is None or not reading.preamble.is_told_at_its_end:
            self._tell(operation, match)
        readers = (source.reader(image, flow, name) for source in self._sources)
        reading.readers = [reader for reader in readers if reader is not None]
        if match.payload and not reading.keeping:
            reading.keeping = True
            for earlier in unknown.pieces:
                self._keep(earlier)
        for earlier in unknown.pieces:
            self.study(reading, earlier)
        if reading.idle:
            _watch_for_more(reading, unknown, operation)

    def _tell(self, operation: Moved, match: Match) -> None:
        image, tid, time_ns, flow = (
            operation.image, operation.tid, operation.time_ns, operation.flow,
        )  # fmt: skip
        if match.detect:
            emit_net_app(self._outlet, image, time_ns, tid, flow, match.name, match.details)

    def _tell_forgotten(self, count: int, name: str, operation: Moved) -> None:
        image, place = operation.image, peer_text(operation.flow.peer)
        message = (
            f"{count} datagrams between {image.proc} ({image.pid}) and {place} before the first of"
            f" {name} were none, and not kept"
        )
        self._outlet.notice(
            image, operation.time_ns, operation.tid, message, "malformed", count
        )  # fmt: skip

    def _lead(self, reading: Reading, preamble: Preamble, operation: FlowTransferred) -> None:
        """Follow a preamble, and begin anew where it ends."""
        goes_on = preamble.feed(operation)
        if goes_on is None:
            return
        self._end_preamble(reading, preamble, operation)
        if not goes_on:
            return
        for reader in reading.readers:
            reader.close(operation.image, operation.tid, operation.time_ns)
        reading.readers, reading.unknown = [], Unknown()
        for rest in preamble.rest():
            self.study(reading, rest)

    def _end_preamble(self, reading: Reading, preamble: Preamble, operation: Moved) -> None:
        """Note what a preamble has said, and tell it."""
        reading.preamble = None
        operation.flow.facts |= preamble.facts
        if preamble.is_told_at_its_end:
            self._tell(operation, preamble.match)

    def _read(self, reading: Reading, operation: FlowTransferred) -> None:
        """Feed all readers; forget those that are done."""
        image, tid, time_ns, flow, outgoing, data, moved, *_ = operation
        if not reading.readers:
            return
        for reader in reading.readers:
            items = reader.items
            if data or (not flow.is_stream and not moved):
                reader.feed(image, tid, time_ns, outgoing, data)
            if moved > len(data) and not reader.done:
                reader.gap(image, tid, time_ns, outgoing, moved - len(data))
            elif not moved and flow.is_stream:
                reader.end(image, tid, time_ns, outgoing)
            reading.items += reader.items - items
        if any(reader.done for reader in reading.readers):
            reading.readers = [reader for reader in reading.readers if not reader.done]


def _give_up(reading: Reading, unknown: Unknown) -> None:
    """Note that what has begun is nothing that may be there."""
    if unknown.only is None:
        reading.unknown = None
    else:
        unknown.be_deaf()


def _watch_for_more(reading: Reading, unknown: Unknown, operation: Moved) -> None:
    """Have it looked for what may follow the protocol that was recognised."""
    from scopetrace.protocols.starttls import SWITCHES

    layers = operation.flow.layers
    switch = SWITCHES.get(layers[-1])
    if switch is not None and len(layers) < MOST_LAYERS and isinstance(operation, FlowTransferred):
        reading.unknown = Unknown.after(switch, unknown.outgoing)
