"""What goes through flows: read in the order in which it went, kept, or muted.

What the bytes mean is for `sources.recognition` to find out. A flow whose bytes nobody reads or
keeps is muted: it is then counted and no more.

What waits, for its protocol to show or for its turn, may weigh as much as `flowmemory` of scope.yml
allows: then a protocol that has not shown is none, and what came early has its turn.

Whatever is done with the bytes of a flow, to recognise and to read it, is paid out of its allowance
of CPU time; where that is used up, a notice says so and the flow is read no further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from scopetrace.model.flow_fields import peer_text
from scopetrace.model.image import Image
from scopetrace.model.operation import STOPPED, FlowClosed, FlowTransferred, ImageEnded
from scopetrace.model.payload import Payload
from scopetrace.source import Handlers, Outlet, Source
from scopetrace.streams.backlog import Pieces
from scopetrace.streams.reading import Reading
from scopetrace.streams.recognition import Recognition

NS_PER_MS = 1_000_000

MOST_AT_ONCE = 128 * 1024
"""Bytes of a stream that are read before it is looked how long that took."""


class FlowOutlet(Outlet, Protocol):
    """Where events and payloads go."""

    def keep(self, payload: Payload) -> None:
        """Take a piece of what went through a flow."""


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
        self._recognition = Recognition(outlet, sources, self._keep)
        self._mute = mute
        self._given_up: dict[Image, int] = {}
        """How many flows of a process were given up."""

    def handlers(self) -> Handlers:
        """Return what is done with operations."""
        return {FlowTransferred: self._moved, FlowClosed: self._closed, ImageEnded: self._ended}

    def _moved(self, operation: FlowTransferred) -> None:
        flow, image = operation.flow, operation.image
        reading: Reading | None = flow.reading
        if reading is None:
            reading = flow.reading = Reading(
                image.rules.payloads, self._given_up.get(image, 0)
            )  # fmt: skip
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

    def _take(self, reading: Reading, operation: FlowTransferred) -> None:
        """Take the next bytes, now that their turn has come."""
        if reading.keeping:
            self._keep(operation)
        if not reading.idle:
            self._study_in_time(reading, operation)
        if reading.idle and not reading.keeping and operation.flow.is_stream:
            self._silence(
                reading, operation
            )  # one of messages may have another flow that is wanted

    def _study_in_time(self, reading: Reading, operation: FlowTransferred) -> None:
        """Recognise or read a piece, as long as the flow may take CPU time."""
        if len(operation.data) <= MOST_AT_ONCE or not operation.flow.is_stream:
            self._study_part(reading, operation)
            return
        for part in _parts(operation):
            if not self._study_part(reading, part):
                return

    def _study_part(self, reading: Reading, part: FlowTransferred) -> bool:
        """Recognise or read a piece; return whether the flow may be read further."""
        allowance = reading.allowance
        clock_ns = allowance.clock_ns
        began_ns = clock_ns()
        self._recognition.study(reading, part)
        taken_ns, items, reading.items = clock_ns() - began_ns, reading.items, 0
        if allowance.covers(taken_ns, len(part.data), items):
            return True
        self._give_up(reading, part)
        return False

    def _give_up(self, reading: Reading, operation: FlowTransferred) -> None:
        """Read a flow no further, and say so."""
        image, tid, time_ns, flow = operation[:4]
        self._given_up[image] = self._given_up.get(image, 0) + 1
        readers, reading.readers = reading.readers, []
        reading.unknown = reading.preamble = None
        for reader in readers:
            reader.give_up(image, tid, time_ns)
        allowance, peer = reading.allowance, peer_text(flow.peer)
        message = (
            f"{flow.protocol or 'What went'} between {image.proc} ({image.pid}) and {peer} is read"
            f" no further: {allowance.bytes} bytes of it took {allowance.taken_ns // NS_PER_MS} ms"
            " of CPU time"
        )
        self._outlet.notice(image, time_ns, tid, message, "cputime", 1)

    def _silence(self, reading: Reading, operation: FlowTransferred) -> None:
        """Mute the fd of a flow that nobody reads, unless it is a console that somebody does."""
        stream, console = operation.fd_serial, operation.console
        if console and operation.image.rules.console(console):
            return
        if stream and stream != reading.muted:
            reading.muted = stream
            self._mute(stream)

    def _keep(self, operation: FlowTransferred) -> None:
        image, _tid, time_ns, flow, outgoing, data, moved, *_ = operation
        if moved:
            missing = moved - len(data)
            self._outlet.keep(Payload(time_ns, image.id, flow.opened_ns, outgoing, data, missing))

    def _ended(self, operation: ImageEnded) -> None:
        self._given_up.pop(operation.image, None)

    def _closed(self, operation: FlowClosed) -> None:
        reading: Reading | None = operation.flow.reading
        if reading is None or operation.op == STOPPED:
            return  # what is under way goes on unseen: nothing is to be said about its end
        self._take_early(reading)
        self._recognition.close(reading, operation)


def _parts(operation: FlowTransferred) -> Iterator[FlowTransferred]:
    """Yield a piece of a stream in parts of `MOST_AT_ONCE` bytes; what is not known comes last."""
    data = operation.data
    for at in range(0, len(data), MOST_AT_ONCE):
        part = data[at : at + MOST_AT_ONCE]
        is_last = at + MOST_AT_ONCE >= len(data)
        yield operation._replace(
            data=part, transferred=operation.transferred - at if is_last else len(part)
        )
