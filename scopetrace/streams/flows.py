"""Flows: their bytes are read in the order in which they went, kept as payloads, or muted.

`streams.recognition` finds out what the bytes mean. A flow whose bytes are neither read nor kept is
muted: from then on the engine only counts them.

What waits, to be recognised or because it was received early, may weigh as much as `flowmemory` of
scope.yml allows. Beyond that, a protocol that has not shown is none, and early bytes do not wait.

Recognising and reading a flow is paid for out of its budget of CPU time; where that is used up, a
notice says so and the flow is read no further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from scopetrace.model.flow_fields import peer_text
from scopetrace.model.image import Image
from scopetrace.model.named import values
from scopetrace.model.operation import STOPPED, FlowClosed, FlowTransferred, ImageEnded
from scopetrace.model.payload import Payload
from scopetrace.source import Handlers, Outlet, Source
from scopetrace.streams.backlog import Backlog
from scopetrace.streams.reading import Reading
from scopetrace.streams.recognition import Recognition

NS_PER_MS = 1_000_000

MOST_AT_ONCE = 128 * 1024
"""Bytes of a stream that are read before the time that it took is looked at."""


class FlowOutlet(Outlet):
    """Where events and payloads go."""

    def keep(self, payload: Payload) -> None:
        """Take bytes that went through a flow."""


class Flows:
    """All flows of a session.

    Args:
        outlet: takes the events and payloads.
        sources: asked for readers.
        mute: called with the fd_serial of each fd whose bytes are not wanted.
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
        """Return the functions that handle operations."""
        return {
            FlowTransferred: self._transferred,
            FlowClosed: self._closed,
            ImageEnded: self._ended,
        }

    def _transferred(self, operation: FlowTransferred) -> None:
        """Process bytes of a flow in the order in which they went.

        Calls are recorded when they return. So if one thread sends and another receives, the answer
        may be recorded before the question. Bytes that were received while a sending was under way
        are early. The cases:

        1. Early bytes wait in `reading.early`, as long as that weighs less than `flowmemory`.
        2. Sent bytes are processed at once, then the early ones: these may answer them.
        3. Received bytes that are not early come after the early ones, since the sending that was
           under way has ended: it has been recorded by now, or never will be.
        4. Early bytes that may not wait are processed as in 3.
        """
        image, flow = operation.image, operation.flow
        reading = flow.reading
        if not isinstance(reading, Reading):
            reading = Reading(image.rules.payloads, self._given_up.get(image, 0))
            flow.reading = reading
        if operation.early and reading.early.weight < image.rules.flow_memory:
            reading.early.add(operation)
            return
        if operation.outgoing:
            self._process(reading, operation)
        self._process_early(reading)
        if not operation.outgoing:
            self._process(reading, operation)

    def _process_early(self, reading: Reading) -> None:
        """Process the early bytes that wait."""
        early = reading.early
        if early.weight:
            reading.early = Backlog()
            for operation in early:
                self._process(reading, operation)

    def _process(self, reading: Reading, operation: FlowTransferred) -> None:
        """Keep, recognise or read the next bytes; mute the fd if that is not needed any more."""
        if reading.keeping:
            self._keep(operation)
        if not reading.idle:
            self._process_in_budget(reading, operation)
        # The fd of a datagram socket is not muted: another flow of the socket may be wanted.
        if reading.idle and not reading.keeping and operation.flow.is_stream:
            self._mute_fd(reading, operation)

    def _process_in_budget(self, reading: Reading, operation: FlowTransferred) -> None:
        """Recognise or read bytes, as long as the flow may take CPU time."""
        if len(operation.data) <= MOST_AT_ONCE or not operation.flow.is_stream:
            self._process_part(reading, operation)
            return
        for part in _parts(operation):
            if not self._process_part(reading, part):
                return

    def _process_part(self, reading: Reading, part: FlowTransferred) -> bool:
        """Recognise or read bytes; return whether the flow may be read further."""
        budget = reading.cpu_budget
        clock_ns = budget.clock_ns
        began_ns = clock_ns()
        self._recognition.process(reading, part)
        taken_ns, items, reading.items = clock_ns() - began_ns, reading.items, 0
        if budget.pay(taken_ns, len(part.data), items):
            return True
        self._give_up(reading, part)
        return False

    def _give_up(self, reading: Reading, operation: FlowTransferred) -> None:
        """Read a flow no further, and report that."""
        image, tid, time_ns, flow = operation[:4]
        self._given_up[image] = self._given_up.get(image, 0) + 1
        readers, reading.readers = reading.readers, []
        reading.unrecognised = reading.preamble = None
        for reader in readers:
            reader.give_up(image, tid, time_ns)
        budget, peer = reading.cpu_budget, peer_text(flow.peer)
        message = (
            f"{flow.protocol or 'What went'} between {image.proc} ({image.pid}) and {peer} is read"
            f" no further: {budget.bytes} bytes of it took {budget.taken_ns // NS_PER_MS} ms"
            " of CPU time"
        )
        self._outlet.notice(image, time_ns, tid, message, "cputime", 1)

    def _mute_fd(self, reading: Reading, operation: FlowTransferred) -> None:
        """Mute the fd of a flow that is not read, unless the fd is a console that is wanted."""
        fd_serial, console = operation.fd_serial, operation.console
        if console and operation.image.rules.console(console):
            return
        if fd_serial and fd_serial != reading.muted:
            reading.muted = fd_serial
            self._mute(fd_serial)

    def _keep(self, operation: FlowTransferred) -> None:
        image, _tid, time_ns, flow, outgoing, data, transferred, *_ = values(operation)
        if transferred:
            missing = transferred - len(data)
            self._outlet.keep(Payload(time_ns, image.id, flow.opened_ns, outgoing, data, missing))

    def _ended(self, operation: ImageEnded) -> None:
        self._given_up.pop(operation.image, None)

    def _closed(self, operation: FlowClosed) -> None:
        reading = operation.flow.reading
        if not isinstance(reading, Reading) or operation.op == STOPPED:
            return  # of what goes on after recording has ended, no end is emitted
        self._process_early(reading)
        self._recognition.close(reading, operation)


def _parts(operation: FlowTransferred) -> Iterator[FlowTransferred]:
    """Yield bytes of a stream in parts of `MOST_AT_ONCE`; the missing ones come last."""
    data = operation.data
    for at in range(0, len(data), MOST_AT_ONCE):
        part = data[at : at + MOST_AT_ONCE]
        is_last = at + MOST_AT_ONCE >= len(data)
        yield operation._replace(
            data=part, transferred=operation.transferred - at if is_last else len(part)
        )
