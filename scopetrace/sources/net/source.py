"""Net: connections opened, closed, refused and broken; sockets that listen.

A net.open is one event for each flow; a net.close is one for each process that opened a flow or
moved bytes through it, and says what that process moved. What a flow speaks (net.app) is told by
whoever recognises it.
"""

from __future__ import annotations

from collections import Counter
from errno import errorcode
from typing import Any, ClassVar

from scopetrace.model.flow import Address, Flow, FlowUsage
from scopetrace.model.operation import (
    STOPPED,
    FlowClosed,
    FlowFailed,
    FlowOpened,
    FlowUsed,
    Image,
    ImageEnded,
    Listened,
    Unlistened,
)
from scopetrace.sources.addresses import address_fields, flow_fields
from scopetrace.sources.base import FLOWS, Handlers, Needs, Outlet, Source
from scopetrace.sources.peer_names import name_of

NET = "net"
NS_PER_MS = 1_000_000


class NetSource(Source):
    """Makes net.* events."""

    sourcetype = NET
    measures = NET
    needs: ClassVar[Needs] = dict.fromkeys(
        ("net.open", "net.close", "net.app", "net.error", "net.listen"), FLOWS
    )

    def __init__(self, outlet: Outlet) -> None:
        super().__init__(outlet)
        self._open: dict[Image, Counter[tuple[str, str, int]]] = {}
        """How many flows each process has open, by gauge, protocol and port."""

    def handlers(self) -> Handlers:
        """Return what this source does with operations."""
        return {
            FlowOpened: self._opened,
            FlowClosed: self._closed,
            FlowUsed: self._used,
            FlowFailed: self._failed,
            Listened: self._listened,
            Unlistened: self._unlistened,
            ImageEnded: self._ended,
        }

    def _emit(
        self, name: str, image: Image, time_ns: int, tid: int, channel: int, data: dict[str, Any]
    ) -> None:  # fmt: skip
        if image.rules.wants(NET, name):
            self.outlet.emit(image, time_ns, tid, NET, name, channel, data)

    def _opened(self, operation: FlowOpened) -> None:
        image, tid, time_ns, op, flow, fd = operation
        if flow.role != "server":
            flow.peer_name = name_of(image, flow.peer)
        data = {"op": op, "fd": fd, **flow_fields(flow)}
        if flow.role:
            data["role"] = flow.role
        self._emit("net.open", image, time_ns, tid, flow.opened_ns, data)
        if NET in image.rules.measures:
            port, proto = _port(flow), _proto(flow.transport)
            self.outlet.measure(image, time_ns, "net.open", 1, proto=proto, port=port, op=op)
            self._count_open(image, time_ns, flow, 1)

    def _closed(self, operation: FlowClosed) -> None:
        image, tid, time_ns, op, flow, usage = operation
        duration_ns = max(0, time_ns - flow.opened_ns)
        data = {
            "op": op,
            **flow_fields(flow),
            "net_bytes_sent": usage.write_bytes,
            "net_bytes_recv": usage.read_bytes,
            "duration": duration_ns // NS_PER_MS,
            "net_close_reason": usage.reason,
        }
        if flow.protocol:
            data["net_protocol"] = flow.protocol
        if usage.error:
            data["error"] = usage.error
        self._emit("net.close", image, time_ns, tid, flow.opened_ns, data)
        if NET in image.rules.measures:
            self._measure_closed(image, time_ns, op, flow, usage, duration_ns)

    def _measure_closed(
        self, image: Image, time_ns: int, op: str, flow: Flow, usage: FlowUsage, duration_ns: int
    ) -> None:  # fmt: skip
        port, proto = _port(flow), _proto(flow.transport)
        measure = self.outlet.measure
        measure(image, time_ns, "net.close", 1, proto=proto, port=port, op=op)
        self._measure_moved(image, time_ns, flow, usage)
        if usage.opened:
            duration_ms = duration_ns / NS_PER_MS
            measure(image, time_ns, "net.duration", duration_ms, proto=proto, port=port)
            if op != STOPPED:
                self._count_open(image, time_ns, flow, -1)

    def _used(self, operation: FlowUsed) -> None:
        image, _tid, time_ns, flow, usage = operation
        if NET in image.rules.measures:
            self._measure_moved(image, time_ns, flow, usage)

    def _measure_moved(self, image: Image, time_ns: int, flow: Flow, usage: FlowUsage) -> None:
        """Measure what went through a flow since that was measured last."""
        reads, read_bytes, writes, write_bytes = usage.unmeasured()
        tags = {
            "class": CLASSES.get(flow.transport, "other"),
            "proto": _proto(flow.transport),
            **_end_tags(flow),
        }
        if writes:
            self.outlet.measure(image, time_ns, "net.tx", write_bytes, writes, **tags)
        if reads:
            self.outlet.measure(image, time_ns, "net.rx", read_bytes, reads, **tags)

    def _count_open(self, image: Image, time_ns: int, flow: Flow, change: int) -> None:
        """Note that a process has one flow more or less, and measure it."""
        proto, port = _proto(flow.transport), _port(flow)
        gauge = GAUGES.get(flow.transport, "net.other")
        counts = self._open.setdefault(image, Counter())
        key = (gauge, proto, port)
        if counts[key] + change < 0:
            return  # opened before the process became this image
        counts[key] += change
        self.outlet.measure(image, time_ns, gauge, counts[key], proto=proto, port=port)
        if not counts[key]:
            del counts[key]

    def _ended(self, operation: ImageEnded) -> None:
        self._open.pop(operation.image, None)

    def _failed(self, operation: FlowFailed) -> None:
        image, tid, time_ns, op, kind, transport, local, peer, errno, channel = operation
        name = errorcode.get(errno) or str(errno)
        ends = address_fields(transport, local, peer, name_of(image, peer))
        data = {"op": op, "class": kind, "error": name, **ends}
        self._emit("net.error", image, time_ns, tid, channel, data)
        if NET in image.rules.measures:
            self.outlet.measure(image, time_ns, "net.error", 1, 1, op=op, **{"class": kind})

    def _listened(self, operation: Listened) -> None:
        image, tid, time_ns, op, transport, local, fd = operation
        data = {"op": op, "fd": fd, **address_fields(transport, local, None)}
        self._emit("net.listen", image, time_ns, tid, 0, data)
        self._measure_port(image, time_ns, transport, local, fd, 1)

    def _unlistened(self, operation: Unlistened) -> None:
        image, _tid, time_ns, transport, local, fd = operation
        self._measure_port(image, time_ns, transport, local, fd, 0)

    def _measure_port(
        self, image: Image, time_ns: int, transport: str, local: Address | None, fd: int, open: int
    ) -> None:  # fmt: skip
        if NET in image.rules.measures:
            port, proto = local.port if local else 0, _proto(transport)
            self.outlet.measure(image, time_ns, "net.port", open, fd=fd, proto=proto, port=port)


CLASSES = {
    "IP.TCP": "inet_tcp", "IP.UDP": "inet_udp", "Unix.TCP": "unix_tcp", "Unix.UDP": "unix_udp",
}  # fmt: skip
"""What the metrics of bytes call a transport."""


GAUGES = {
    "IP.TCP": "net.tcp", "IP.UDP": "net.udp", "Unix.TCP": "net.tcp", "Unix.UDP": "net.udp",
}  # fmt: skip
"""Which gauge counts the open flows of a transport; net.other counts the rest."""


def _proto(transport: str) -> str:
    return transport.rpartition(".")[2]


def _port(flow: Flow) -> int:
    """Return the port of the service: the far one of a client, the near one of a server."""
    end = flow.local if flow.role == "server" else flow.peer
    return end.port if end is not None else 0


def _end_tags(flow: Flow) -> dict[str, Any]:
    tags: dict[str, Any] = {}
    if flow.local is not None:
        tags["localip"], tags["localp"] = flow.local.host, flow.local.port
    if flow.peer is not None:
        tags["remoteip"], tags["remotep"] = flow.peer.host, flow.peer.port
    return tags


SOURCE = NetSource
