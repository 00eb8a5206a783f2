"""All sources, reading one flow whose bytes are given step by step."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from scopetrace.model.flow import Address, Flow, FlowUsage
from scopetrace.model.operation import FlowClosed, FlowTransferred
from scopetrace.model.payload import Payload
from scopetrace.sources.needs import source_classes
from scopetrace.streams.flows import Flows
from scopetrace.watch import Rules
from support.flow_reading import CLIENT, MS, KeepingOutlet, image

OUT, IN = True, False
Step = tuple[bool, bytes | int | None]
"""A direction, and bytes, so many that are not known, or its end."""


class PayloadOutlet(KeepingOutlet):
    """Keeps payloads too."""

    def __init__(self) -> None:
        super().__init__()
        self.payloads: list[Payload] = []

    def keep(self, payload: Payload) -> None:
        self.payloads.append(payload)


class FlowRun:
    """All sources, reading one flow."""

    def __init__(
        self, chosen: Rules, role: str = "client", transport: str = "IP.TCP", port: int = 80
    ) -> None:
        self.outlet = PayloadOutlet()
        self.muted: list[int] = []
        sources = [source(self.outlet) for source in source_classes()]
        self.handlers = Flows(self.outlet, sources, self.muted.append).handlers()
        self.image = image(chosen)
        self.flow = Flow(transport, CLIENT, Address("inet", "10.0.0.2", port), role, 5)

    def transfer(
        self, outgoing: bool, data: bytes, transferred: int | None = None, at: int = 0
    ) -> None:
        size = len(data) if transferred is None else transferred
        operation = FlowTransferred(self.image, 71, at * MS, self.flow, outgoing, data, size, 3)
        self.handlers[FlowTransferred](operation)

    def close(self) -> None:
        closed = FlowClosed(self.image, 71, 99 * MS, "close", self.flow, FlowUsage(True))
        self.handlers[FlowClosed](closed)

    def said(self) -> tuple[Any, ...]:
        """Return all that was said, of payloads the bytes in their order."""
        outlet = self.outlet
        bytes_kept = [
            (outgoing, b"".join(p.data for p in run), sum(p.missing for p in run))
            for outgoing, run in (
                (way, list(found)) for way, found in groupby(outlet.payloads, lambda p: p.outgoing)
            )
        ]
        heads = [(time_ns, channel) for _, time_ns, _, _, channel in outlet.heads]
        return (
            outlet.events,
            heads,
            outlet.notices,
            outlet.measures,
            outlet.own,
            bytes_kept,
            self.flow.protocol,
            set(self.muted),
        )


def read(
    chosen: Rules, role: str, steps: list[Step], cut: Callable[[bytes], list[bytes]]
) -> tuple[Any, ...]:
    """Return what is said of a flow whose bytes come in such pieces."""
    flow = FlowRun(chosen, role)
    for at, (outgoing, step) in enumerate(steps):
        if isinstance(step, bytes):
            for piece in cut(step):
                flow.transfer(outgoing, piece, at=at)
        else:
            flow.transfer(outgoing, b"", step or 0, at)
    flow.close()
    return flow.said()


def whole(data: bytes) -> list[bytes]:
    return [data] if data else []
