"""What is known of each socket, and the flows that go through it.

A stream socket has one flow, from the moment its connection stands; a socket of messages has one
for each peer. What a process did with the flow of a stream is told by the tallies of its fd; of
messages every single one makes a record, and is counted here.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EINPROGRESS, errorcode
from typing import TYPE_CHECKING

from scopetrace.decode.addresses import STREAM, TYPE_MASK, transport_name
from scopetrace.model.flow import Address, Flow, FlowUsage
from scopetrace.model.operation import (
    STOPPED,
    FlowClosed,
    FlowFailed,
    FlowOpened,
    FlowUsed,
    OpenFile,
    Operation,
    Unlistened,
    Usage,
    build,
)

if TYPE_CHECKING:
    from scopetrace.decode.tasks import Task

Emit = Callable[[Operation], None]

MOST_PEERS = 1024
"""Peers of one socket that are remembered; beyond that the one silent for longest is let go."""

IDLE, CONNECTING, CONNECTED, LISTENING = range(4)
"""States of a socket."""


class Socket:
    """One socket, whoever holds it: what an OpenFile is beside a file."""

    __slots__ = (
        "began_ns", "domain", "error", "flow", "listener", "local", "made", "peers", "protocol",
        "reason", "shut", "state", "stream", "target", "transport",
    )  # fmt: skip

    def __init__(self, domain: int, kind: int, protocol: int) -> None:
        self.domain = domain
        self.protocol = protocol
        self.transport = transport_name(domain, kind, protocol)
        self.stream = kind & TYPE_MASK == STREAM
        self.state = IDLE
        self.made = False
        """Its socket(2) was seen: what is sent through it unconnected connects it (sendto(2))."""
        self.local: Address | None = None
        self.target: Address | None = None
        """What it was asked to connect to."""
        self.began_ns = 0
        """When it was asked, Unix time."""
        self.flow: Flow | None = None
        """The connection."""
        self.peers: dict[Address | None, Flow] = {}
        """Of a socket of messages: its flows, the one used last at the end."""
        self.listener: tuple[int, int] | None = None
        """Who was said to listen, or to wait for datagrams: a pid, and its fd."""
        self.shut = False
        """This side has ended its own direction."""
        self.reason = "local"
        self.error = ""


def begin_connection(
    emit: Emit, task: Task, op: str, file: OpenFile, fd: int, role: str, peer: Address | None,
    opened_ns: int,
) -> Flow:  # fmt: skip
    """Note that a socket is connected, and emit it."""
    sock: Socket = file.socket
    flow = Flow(sock.transport, sock.local, peer, role, opened_ns)
    flow.fd = fd
    sock.state, sock.flow, sock.reason, sock.shut = CONNECTED, flow, "local", False
    if not sock.stream:
        sock.peers[peer] = flow
        task.table.use(file).of_flow(flow, opened=True)
    emit(build(FlowOpened, (task.group.image, task.tid, opened_ns, op, flow, fd)))
    return flow


def flow_with(
    emit: Emit, task: Task, op: str, file: OpenFile, fd: int, peer: Address | None,
    outgoing: bool, time_ns: int,
) -> Flow:  # fmt: skip
    """Return the flow that bytes belong to; `peer` is what the call said, None: nothing."""
    sock: Socket = file.socket
    if sock.flow is not None and (sock.stream or peer is None or peer == sock.flow.peer):
        return sock.flow
    if sock.stream:
        role = "client" if sock.made and outgoing else ""
        return begin_connection(emit, task, op, file, fd, role, sock.target or peer, time_ns)
    flow = sock.peers.pop(peer, None)
    if flow is None:
        flow = Flow(sock.transport, sock.local, peer, "client" if outgoing else "server", time_ns)
        flow.fd = fd
        task.table.use(file).of_flow(flow, opened=True)
        emit(build(FlowOpened, (task.group.image, task.tid, time_ns, op, flow, fd)))
        if len(sock.peers) >= MOST_PEERS:
            _forget_oldest(emit, task, file, time_ns)
    sock.peers[peer] = flow
    return flow


def _forget_oldest(emit: Emit, task: Task, file: OpenFile, time_ns: int) -> None:
    peers = file.socket.peers
    flow = peers.pop(next(iter(peers)))
    usage = task.table.use(file).flows.pop(flow, None)
    if usage is not None:
        usage.reason = "idle"
        _close(emit, task, time_ns, "unseen", flow, usage)


def dissolve(emit: Emit, task: Task, op: str, file: OpenFile, time_ns: int) -> None:
    """End the connection of a socket of messages; the socket stays."""
    sock: Socket = file.socket
    flow, sock.flow, sock.state = sock.flow, None, IDLE
    if flow is None:
        return
    sock.peers.pop(flow.peer, None)
    usage = task.table.use(file).flows.pop(flow, None)
    if usage is not None:
        _close(emit, task, time_ns, op, flow, usage)


def let_go(
    emit: Emit, task: Task, op: str, file: OpenFile, usage: Usage, time_ns: int
) -> None:  # fmt: skip
    """Emit that a process closed the last fd of a socket that it opened or used."""
    sock: Socket = file.socket
    if sock.state == CONNECTING and usage.opened and op != STOPPED:
        connection_failed(emit, task, op, file, EINPROGRESS, time_ns)
    if sock.listener and op != STOPPED:
        _stop_listening(emit, task, sock, time_ns)
    if not sock.stream:
        for peer, messages in usage.flows.items():
            _close(emit, task, time_ns, op, peer, messages)
        return
    flow = sock.flow
    if flow is None or not (usage.opened or usage.reads or usage.writes):
        return
    told = _stream_usage(flow, usage)
    told.reason, told.error = sock.reason, sock.error
    _close(emit, task, time_ns, op, flow, told)


def _stop_listening(emit: Emit, task: Task, sock: Socket, time_ns: int) -> None:
    pid, fd = sock.listener or (0, 0)
    image = task.group.image
    if pid == image.pid:
        sock.listener = None
        emit(Unlistened(image, task.tid, time_ns, sock.transport, sock.local, fd))


def _stream_usage(flow: Flow, usage: Usage) -> FlowUsage:
    """Return what was done with the flow of a stream: all that was done with its fd."""
    told = usage.of_flow(flow, usage.opened)
    told.reads, told.read_bytes = usage.reads, usage.read_bytes
    told.writes, told.write_bytes = usage.writes, usage.write_bytes
    return told


def used(emit: Emit, task: Task, file: OpenFile, usage: Usage, time_ns: int) -> None:
    """Emit what was done with the flows of a socket that stays open."""
    sock: Socket = file.socket
    if sock.stream and sock.flow is not None:
        _stream_usage(sock.flow, usage)
    for flow, told in usage.flows.items():
        emit(build(FlowUsed, (task.group.image, task.tid, time_ns, flow, told)))


def _close(
    emit: Emit, task: Task, time_ns: int, op: str, flow: Flow, usage: FlowUsage
) -> None:  # fmt: skip
    if op == STOPPED and usage.reason == "local":
        usage.reason = STOPPED
    emit(build(FlowClosed, (task.group.image, task.tid, time_ns, op, flow, usage)))


def connection_failed(
    emit: Emit, task: Task, op: str, file: OpenFile, error: int, time_ns: int
) -> None:  # fmt: skip
    """Note and emit that a connection could not be made."""
    sock: Socket = file.socket
    sock.state = IDLE
    image, target = task.group.image, sock.target
    emit(
        FlowFailed(
            image, task.tid, time_ns, op, "connection", sock.transport, sock.local, target, error, 0
        )
    )  # fmt: skip


RESETS = frozenset(("ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNABORTED", "ENOTCONN"))
"""Errors of reads and writes that say that a connection is no more."""


def broke(
    emit: Emit, task: Task, op: str, file: OpenFile, error: int, time_ns: int
) -> None:  # fmt: skip
    """Note and emit that bytes could not be moved."""
    sock: Socket = file.socket
    flow = sock.flow
    sock.error = errorcode.get(error) or str(error)
    if sock.error in RESETS and sock.reason == "local" and not sock.shut and flow is not None:
        sock.reason = "reset"
    if flow is not None and not sock.stream:
        task.table.use(file).of_flow(flow).error = sock.error
    emit(
        FlowFailed(
            task.group.image, task.tid, time_ns, op, "rx_tx", sock.transport,
            flow.local if flow else sock.local, flow.peer if flow else sock.target, error,
            flow.opened_ns if flow else 0,
        )
    )  # fmt: skip
