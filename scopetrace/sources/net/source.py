"""Net: connections opened, closed, refused and broken; sockets that listen.

There is one net.open for each flow, and one net.close for each process that opened a flow or
transferred bytes through it, with the bytes of that process. The net.app of a flow is emitted where
its protocol is recognised (`streams.recognition`).

The gauges count the flows that each process itself has opened, and its listening sockets. They go
on where a process becomes another program or another user's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from scopetrace.model.flow import Address, Flow, FlowUsage
from scopetrace.model.flow_fields import address_fields, flow_fields
from scopetrace.model.image import Image
from scopetrace.model.names import error_name
from scopetrace.model.operation import (
    STOPPED,
    FlowClosed,
    FlowFailed,
    FlowOpened,
    FlowUsed,
    ImageEnded,
    ImageStarted,
    Listened,
    ListenEnded,
)
from scopetrace.model.peer_names import name_of
from scopetrace.source import FLOW_CALLS, Handlers, Needs, Outlet, Source
from scopetrace.streams.net_app import NET, TLS

NS_PER_MS = 1_000_000


class NetSource(Source):
    """Makes net.* events."""

    sourcetype = NET
    measures = NET
    needs: ClassVar[Needs] = dict.fromkeys(
        ("net.open", "net.close", "net.app", "net.error", "net.listen"), FLOW_CALLS
    )

    failures: ClassVar[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
        "net.error": {"all": ("tune",)}
    }

    def __init__(self, outlet: Outlet) -> None:
        super().__init__(outlet)
        self._open: dict[Image, Counter[Gauge]] = {}
        """How many flows and listening sockets each process has."""
        self._handed_on: tuple[int, Counter[Gauge]] = (0, Counter())
        """The counts of the image that was replaced last, and its id."""

    def handlers(self) -> Handlers:
        """Return what this source does with operations."""
        return {
            FlowOpened: self._opened,
            FlowClosed: self._closed,
            FlowUsed: self._used,
            FlowFailed: self._failed,
            Listened: self._listened,
            ListenEnded: self._listen_ended,
            ImageEnded: self._ended,
            ImageStarted: self._started,
        }

    def _emit(
        self, name: str, image: Image, time_ns: int, tid: int, channel: int, data: dict[str, Any]
    ) -> None:
        if image.rules.wants(NET, name):
            self.outlet.emit(image, time_ns, tid, NET, name, channel, data)

    def _opened(self, operation: FlowOpened) -> None:
        image, tid, time_ns, op, flow, fd = operation
        if flow.role != "server":
            flow.name_peer(name_of(image, flow.peer))
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
            "net_close_reason": _reason(flow, op),
        }
        if flow.protocol:
            data["net_protocol"] = flow.protocol
        if flow.error:
            data["error"] = flow.error
        self._emit("net.close", image, time_ns, tid, flow.opened_ns, data)
        if NET in image.rules.measures:
            self._measure_closed(image, time_ns, op, flow, usage, duration_ns)

    def _measure_closed(
        self, image: Image, time_ns: int, op: str, flow: Flow, usage: FlowUsage, duration_ns: int
    ) -> None:
        port, proto = _port(flow), _proto(flow.transport)
        measure = self.outlet.measure
        measure(image, time_ns, "net.close", 1, proto=proto, port=port, op=op)
        self._measure_transferred(image, time_ns, flow, usage)
        if usage.opened:
            duration_ms = duration_ns / NS_PER_MS
            measure(image, time_ns, "net.duration", duration_ms, proto=proto, port=port)
            if op != STOPPED:
                self._count_open(image, time_ns, flow, -1)

    def _used(self, operation: FlowUsed) -> None:
        image, _tid, time_ns, flow, usage = operation
        if NET in image.rules.measures:
            self._measure_transferred(image, time_ns, flow, usage)

    def _measure_transferred(
        self, image: Image, time_ns: int, flow: Flow, usage: FlowUsage
    ) -> None:
        """Measure the bytes of a flow since that was done last."""
        reads, read_bytes, writes, write_bytes = usage.unmeasured()
        tags = {
            "data": "ssl" if TLS in flow.layers else None,
            "class": CLASSES.get(flow.transport, "other"),
            "proto": _proto(flow.transport),
            **_end_tags(flow),
        }
        if writes:
            self.outlet.measure(image, time_ns, "net.tx", write_bytes, writes, **tags)
        if reads:
            self.outlet.measure(image, time_ns, "net.rx", read_bytes, reads, **tags)

    def _count_open(self, image: Image, time_ns: int, flow: Flow, change: int) -> None:
        name = GAUGES.get(flow.transport, "net.other")
        gauge = Gauge(name, _proto(flow.transport), _port(flow), None)
        self._count(image, time_ns, gauge, change)

    def _count(self, image: Image, time_ns: int, gauge: Gauge, change: int) -> None:
        """Note that a process has one flow or listening socket more or less, and measure it."""
        counts = self._open.setdefault(image, Counter())
        if counts[gauge] + change < 0:
            return  # opened by another process that shares its fds
        counts[gauge] += change
        self._gauge(image, time_ns, gauge, counts[gauge])
        if not counts[gauge]:
            del counts[gauge]

    def _gauge(self, image: Image, time_ns: int, gauge: Gauge, value: int) -> None:
        name, proto, port, fd = gauge
        self.outlet.measure(image, time_ns, name, value, proto=proto, port=port, fd=fd)

    def _ended(self, operation: ImageEnded) -> None:
        image, time_ns, *_, replaced = operation
        counts = self._open.pop(image, None)
        if not replaced or not counts:
            return
        self._handed_on = (image.id, counts)
        for gauge in counts:
            self._gauge(image, time_ns, gauge, 0)

    def _started(self, operation: ImageStarted) -> None:
        image, time_ns, _seen = operation
        former, counts = self._handed_on
        if not former or image.parent != former or NET not in image.rules.measures:
            return
        self._handed_on = (0, Counter())
        self._open[image] = counts
        for gauge, value in counts.items():
            self._gauge(image, time_ns, gauge, value)

    def _failed(self, operation: FlowFailed) -> None:
        image, tid, time_ns, op, kind, transport, local, peer, errno, channel, evidence = operation
        ends = address_fields(transport, local, peer, name_of(image, peer))
        data = {"op": op, "class": kind, "error": error_name(errno), **ends}
        if evidence is not None:
            data.update(evidence.fields())
        self._emit("net.error", image, time_ns, tid, channel, data)
        if NET in image.rules.measures:
            self.outlet.measure(image, time_ns, "net.error", 1, 1, op=op, **{"class": kind})

    def _listened(self, operation: Listened) -> None:
        image, tid, time_ns, op, transport, local, fd = operation
        data = {"op": op, "fd": fd, **address_fields(transport, local, None)}
        self._emit("net.listen", image, time_ns, tid, 0, data)
        if NET in image.rules.measures:
            self._count(image, time_ns, _port_gauge(transport, local, fd), 1)

    def _listen_ended(self, operation: ListenEnded) -> None:
        image, _tid, time_ns, transport, local, fd = operation
        if NET in image.rules.measures:
            self._count(image, time_ns, _port_gauge(transport, local, fd), -1)


class Gauge(NamedTuple):
    """A gauge and its tags."""

    name: str
    proto: str
    port: int
    fd: int | None


def _port_gauge(transport: str, local: Address | None, fd: int) -> Gauge:
    return Gauge("net.port", _proto(transport), local.port if local else 0, fd)


CLASSES = {
    "IP.TCP": "inet_tcp",
    "IP.UDP": "inet_udp",
    "Unix.TCP": "unix_tcp",
    "Unix.UDP": "unix_udp",
}
"""What the metrics of bytes call a transport."""


GAUGES = {
    "IP.TCP": "net.tcp",
    "IP.UDP": "net.udp",
    "Unix.TCP": "net.tcp",
    "Unix.UDP": "net.udp",
}
"""Which gauge counts the open flows of a transport; net.other counts the rest."""


def _proto(transport: str) -> str:
    return transport.rpartition(".")[2]


def _port(flow: Flow) -> int:
    """Return the port of the service: the far one of a client, the near one of a server."""
    end = flow.local if flow.role == "server" else flow.peer
    return end.port if end is not None else 0


def _reason(flow: Flow, op: str) -> str:
    """Return which side ended a flow first, or `stop` if only its recording ended."""
    return STOPPED if op == STOPPED and flow.reason == "local" else flow.reason


def _end_tags(flow: Flow) -> dict[str, Any]:
    either = flow.local or flow.peer
    tags: dict[str, Any] = {"domain": either and either.family}
    if flow.local is not None:
        tags["localip"], tags["localp"] = flow.local.host, flow.local.port
    if flow.peer is not None:
        tags["remoteip"], tags["remotep"] = flow.peer.host, flow.peer.port
    return tags
