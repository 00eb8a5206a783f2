"""Which protocols a flow speaks: recognised, emitted as net.app, and handed to their readers.

The first bytes of both directions wait in a backlog until they show a protocol, or that they show
none. Then every source that reads that protocol gets them all, in order, and what follows as it
comes.

Another protocol may follow the first: after a preamble (`streams.preambles`) with the next byte of
each side, or where a side begins to send (`protocols.starttls`). Then recognition begins anew with
the bytes that are left. A flow has no more than `MOST_LAYERS` protocols, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scopetrace.model.counts import number_of
from scopetrace.model.flow_fields import peer_text
from scopetrace.model.image import Image
from scopetrace.model.named import values
from scopetrace.model.operation import FlowClosed, FlowTransferred
from scopetrace.model.rules import Rules
from scopetrace.source import Outlet, Source
from scopetrace.streams.net_app import emit_net_app
from scopetrace.streams.reading import MOST_LOOKED_AT, Reading, Unrecognised

if TYPE_CHECKING:
    from scopetrace.streams.detector import Detector, Match
    from scopetrace.streams.preambles import Preamble

MOST_LAYERS = 8

FlowOperation = FlowTransferred | FlowClosed


class Recognition:
    """Recognises and reads the flows of a session.

    Args:
        outlet: takes events.
        sources: asked for readers.
        keep: takes bytes that came before it was known that they are to be kept.
    """

    def __init__(
        self, outlet: Outlet, sources: Sequence[Source], keep: Callable[[FlowTransferred], object]
    ) -> None:
        self._outlet = outlet
        self._sources = sources
        self._keep = keep
        self._detectors: dict[Rules, Detector] = {}

    def process(self, reading: Reading, operation: FlowTransferred) -> None:
        """Recognise the protocol by the next bytes, or have them read."""
        unrecognised = reading.unrecognised
        if unrecognised is not None and unrecognised.candidates is not None:
            self._look_for_upgrade(reading, unrecognised, operation)
            return
        if unrecognised is not None and unrecognised.is_answered(operation):
            self._recognise(reading, unrecognised, operation)
            if reading.unrecognised is not unrecognised:
                self.process(reading, operation)
                return
        if unrecognised is not None:
            self._look_for_protocol(reading, unrecognised, operation)
        else:
            self._read(reading, operation)
            if reading.preamble is not None:
                self._follow_preamble(reading, reading.preamble, operation)

    def close(self, reading: Reading, operation: FlowClosed) -> None:
        """Close the readers of a flow: a process has closed it."""
        if reading.unrecognised is not None:
            self._recognise(reading, reading.unrecognised, operation, ended=True)
        if reading.preamble is not None:
            self._end_preamble(reading, reading.preamble, operation)
        for reader in reading.readers:
            reader.close(operation.image, operation.tid, operation.time_ns)

    def _look_for_protocol(
        self, reading: Reading, unrecognised: Unrecognised, operation: FlowTransferred
    ) -> None:
        """Look whether the first bytes show the protocol by now."""
        unrecognised.add(operation)
        ended = (
            (operation.transferred > len(operation.data) and operation.flow.is_stream)
            or unrecognised.looked_at > MOST_LOOKED_AT
            or unrecognised.backlog.weight > operation.image.rules.flow_memory
        )
        self._recognise(reading, unrecognised, operation, ended)

    def _look_for_upgrade(
        self, reading: Reading, unrecognised: Unrecognised, operation: FlowTransferred
    ) -> None:
        """Look whether another protocol begins with these bytes, while one goes on."""
        if operation.data and operation.outgoing != unrecognised.outgoing:
            unrecognised.begin_turn(operation.outgoing)
        if not unrecognised.ignoring:
            self._look_for_protocol(reading, unrecognised, operation)
        else:
            unrecognised.looked_at += operation.transferred
        over = unrecognised.looked_at > MOST_LOOKED_AT or (
            unrecognised.ignoring and not unrecognised.turns
        )
        if over and reading.unrecognised is unrecognised:
            reading.unrecognised = None

    def _recognise(
        self,
        reading: Reading,
        unrecognised: Unrecognised,
        operation: FlowOperation,
        ended: bool = False,
    ) -> None:
        """Recognise the protocol by the first bytes; `ended`: no more of them will come."""
        flow, detector = operation.flow, self._detector(operation.image)
        incoming, outgoing = unrecognised.heads
        service = flow.local if flow.role == "server" else flow.peer
        port = service.port if service is not None else 0
        how: dict[str, Any] = {
            "is_stream": flow.is_stream,
            "port": port,
            "role": flow.role,
            "refused": unrecognised.refused,
            "candidates": unrecognised.candidates,
        }
        match = detector.recognise(
            outgoing, incoming, unanswered=unrecognised.unanswered, ended=ended, **how
        )
        if match is not None:
            self._recognised(reading, unrecognised, match, operation)
        elif flow.is_stream:
            exhausted = detector.exhausted(outgoing, incoming, **how)
            if ended or exhausted:
                _rule_out(reading, unrecognised)
            if exhausted and reading.unrecognised is None:
                _expect_upgrade(reading, unrecognised, operation, "")
        elif ended and port in detector.tried_ports:
            unrecognised.drop()
        elif ended:
            reading.unrecognised = None

    def _detector(self, image: Image) -> Detector:
        rules = image.rules
        detector = self._detectors.get(rules)
        if detector is None:
            # Takes time to import, which only programs with flows should cost.
            from scopetrace.streams.detector import Detector

            detector = self._detectors[rules] = Detector(rules.protocols)
        return detector

    def _recognised(
        self, reading: Reading, unrecognised: Unrecognised, match: Match, operation: FlowOperation
    ) -> None:
        """Emit the protocol, and have its readers read the backlog."""
        from scopetrace.streams.preambles import begun

        image, flow, name = operation.image, operation.flow, match.name
        if unrecognised.dropped:
            self._report_dropped(unrecognised.dropped, name, operation)
        flow.layers = (*flow.layers, name)
        reading.unrecognised = None
        if flow.is_stream and len(flow.layers) < MOST_LAYERS:
            reading.preamble = begun(match, flow.role, unrecognised.heads)
        if reading.preamble is None or not reading.preamble.is_emitted_at_its_end:
            self._emit_protocol(operation, match)
        readers = (source.reader(image, flow, name) for source in self._sources)
        reading.readers = [reader for reader in readers if reader is not None]
        if match.payload and not reading.keeping:
            reading.keeping = True
            for earlier in unrecognised.backlog:
                self._keep(earlier)
        for earlier in unrecognised.backlog:
            self.process(reading, earlier)
        if reading.idle:
            _expect_upgrade(reading, unrecognised, operation, name)

    def _emit_protocol(self, operation: FlowOperation, match: Match) -> None:
        if match.detect:
            emit_net_app(
                self._outlet,
                operation.image,
                operation.time_ns,
                operation.tid,
                operation.flow,
                match.name,
                match.details,
            )

    def _report_dropped(self, count: int, name: str, operation: FlowOperation) -> None:
        image, peer = operation.image, peer_text(operation.flow.peer)
        message = (
            f"{number_of(count, 'datagram')} between {image.proc} ({image.pid}) and {peer} came"
            f" before the first of {name}, and could neither be read nor kept"
        )
        self._outlet.notice(image, operation.time_ns, operation.tid, message, "malformed", count)

    def _follow_preamble(
        self, reading: Reading, preamble: Preamble, operation: FlowTransferred
    ) -> None:
        """Follow a preamble, and begin recognition anew where it ends."""
        goes_on = preamble.feed(operation)
        if goes_on is None:
            return
        self._end_preamble(reading, preamble, operation)
        if not goes_on:
            return
        for reader in reading.readers:
            reader.close(operation.image, operation.tid, operation.time_ns)
        reading.readers, reading.unrecognised = [], Unrecognised()
        for rest in preamble.rest():
            self.process(reading, rest)

    def _end_preamble(self, reading: Reading, preamble: Preamble, operation: FlowOperation) -> None:
        """Note the facts that a preamble gave, and emit it."""
        reading.preamble = None
        operation.flow.learn(preamble.facts)
        if preamble.is_emitted_at_its_end:
            self._emit_protocol(operation, preamble.match)

    def _read(self, reading: Reading, operation: FlowTransferred) -> None:
        """Feed all readers; drop those that are done."""
        image, tid, time_ns, flow, outgoing, data, transferred, _serial, _early, _console = values(
            operation
        )
        done = False
        for reader in reading.readers:
            items = reader.items
            if data or (not flow.is_stream and not transferred):
                reader.feed(image, tid, time_ns, outgoing, data)
            if transferred > len(data) and not reader.done:
                reader.gap(image, tid, time_ns, outgoing, transferred - len(data))
            elif not transferred and flow.is_stream:
                reader.end(image, tid, time_ns, outgoing)
            reading.items += reader.items - items
            done = done or reader.done
        if done:
            reading.readers = [reader for reader in reading.readers if not reader.done]


def _rule_out(reading: Reading, unrecognised: Unrecognised) -> None:
    """Note that the bytes of this turn are no protocol that may be there."""
    if unrecognised.candidates is None:
        reading.unrecognised = None
    else:
        unrecognised.ignore()


def _expect_upgrade(
    reading: Reading, unrecognised: Unrecognised, operation: FlowOperation, name: str
) -> None:
    """Look for the protocols that may follow the one of that name, empty if it is not known."""
    from scopetrace.protocols.starttls import UPGRADES

    upgrade, layers = UPGRADES.get(name), operation.flow.layers
    if upgrade is not None and len(layers) < MOST_LAYERS and isinstance(operation, FlowTransferred):
        reading.unrecognised = Unrecognised.after(upgrade, unrecognised.outgoing)
