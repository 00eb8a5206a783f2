"""What is known of each socket, and the flows that go through it.

A stream socket has one flow, from the moment its connection stands; a socket of messages has one
for each peer. What a process did with the flow of a stream is told by the tallies of its fd; of
messages every single one makes a record, and is counted here. A process that opened a flow or moved
bytes through it has a `FlowUsage` of it, and is told when it lets go.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EINPROGRESS
from typing import TYPE_CHECKING, Any

from scopetrace.decode.addresses import (
    AF_NETLINK,
    SEQPACKET,
    STREAM,
    TYPE_MASK,
    transport_name,
)
from scopetrace.model.flow import Address, Flow, FlowUsage
from scopetrace.model.names import error_name
from scopetrace.model.open_file import OpenFile, Usage
from scopetrace.model.operation import (
    STOPPED,
    FlowClosed,
    FlowFailed,
    FlowOpened,
    FlowUsed,
    Listened,
    ListenEnded,
    Operation,
    build,
)

if TYPE_CHECKING:
    from scopetrace.decode.tasks import Task

Emit = Callable[[Operation], None]

KERNEL = Address("netlink", "0", 0)
"""Whom a netlink socket talks to unless a message says otherwise (netlink(7))."""
MOST_PEERS = 1024
"""Peers of one socket that are remembered; beyond that the one silent for longest is let go."""

IDLE, CONNECTING, CONNECTED, LISTENING = range(4)
"""States of a socket."""


class Socket:
    """One socket, whoever holds it: what an OpenFile is beside a file."""

    __slots__ = (
        "announced",
        "began_ns",
        "domain",
        "ended_ns",
        "flow",
        "local",
        "ordered",
        "peers",
        "protocol",
        "shut",
        "socket_shared",
        "state",
        "stream",
        "target",
        "transport",
    )  # fmt: skip

    def __init__(self, domain: int, kind: int, protocol: int) -> None:
        self.domain = domain
        self.protocol = protocol
        self.transport = transport_name(domain, kind, protocol)
        self.stream = kind & TYPE_MASK == STREAM
        self.ordered = kind & TYPE_MASK in (STREAM, SEQPACKET)
        """It connects or accepts, and has one peer."""
        self.state = IDLE
        self.announced = False
        """It was told that it waits for connections or datagrams."""
        self.local: Address | None = None
        self.target: Address | None = None
        """What it was asked to connect to."""
        self.began_ns = 0
        """When it was asked, Unix time."""
        self.flow: Flow | None = None
        """The connection."""
        self.peers: dict[Address | None, Flow] = {}
        """Of a socket of messages: its flows by `Address.key`, the one used last at the end."""
        self.socket_shared: dict[str, Any] = {}
        """What these share (`Flow.socket_shared`)."""
        self.ended_ns = 0
        """When the call returned that told how the peer ended the connection, Unix time."""
        self.shut = False
        """This side has ended a direction."""


def begin_connection(
    emit: Emit, task: Task, op: str, file: OpenFile, fd: int, role: str, peer: Address | None,
    opened_ns: int,
) -> Flow:  # fmt: skip
    """Note that a socket is connected, and emit it unless it has a flow with that peer."""
    sock: Socket = file.socket
    sock.state, sock.shut = CONNECTED, False
    sock.flow = None if sock.stream else sock.peers.get(peer and peer.key)
    if sock.flow is None:
        sock.flow = _begin(emit, task, op, file, fd, role, peer, opened_ns)
        if not sock.stream:
            sock.peers[peer and peer.key] = sock.flow
    return sock.flow


def _begin(
    emit: Emit, task: Task, op: str, file: OpenFile, fd: int, role: str, peer: Address | None,
    opened_ns: int,
) -> Flow:  # fmt: skip
    sock: Socket = file.socket
    flow = Flow(sock.transport, sock.local, peer, role, opened_ns)
    flow.fd = fd
    if not sock.stream:
        flow.socket_shared = sock.socket_shared
    task.table.use(file).of_flow(flow, opened=True)
    emit(build(FlowOpened, (task.group.image, task.tid, opened_ns, op, flow, fd)))
    return flow


def flow_with(
    emit: Emit, task: Task, op: str, file: OpenFile, fd: int, peer: Address | None,
    outgoing: bool, time_ns: int,
) -> Flow:  # fmt: skip
    """Return the flow that bytes belong to; `peer` is what the call said, None: nothing.

    What an unconnected socket receives without asking from whom (recv) may be anybody's, even if it
    sent to one peer alone: it has a flow of its own, of an unknown peer. What it answers, if it
    does, is for those to say who read it (`sources.dns.questions`). Of a socket that was connected
    before it was seen the kernel knows the peer.
    """
    sock: Socket = file.socket
    if peer is None and sock.domain == AF_NETLINK:
        peer = KERNEL
    if sock.flow is not None and (sock.stream or peer is None or _is_peer(sock.flow, peer)):
        return sock.flow
    if sock.stream or (peer is None and sock.target is not None):
        return begin_connection(emit, task, op, file, fd, "", sock.target or peer, time_ns)
    key = peer and peer.key
    flow = sock.peers.pop(key, None)
    if flow is None:
        flow = _begin(emit, task, op, file, fd, _role(sock, peer, outgoing), peer, time_ns)
        if len(sock.peers) >= MOST_PEERS:
            _forget_oldest(emit, task, file, time_ns)
    sock.peers[key] = flow
    return flow


def _is_peer(flow: Flow, address: Address) -> bool:
    return flow.peer is not None and flow.peer.key == address.key


def _role(sock: Socket, peer: Address | None, outgoing: bool) -> str:
    """Return who began what goes between a socket of messages and a peer, if that is known."""
    if outgoing:
        return "client"
    return "" if peer is None and sock.peers else "server"


def _forget_oldest(emit: Emit, task: Task, file: OpenFile, time_ns: int) -> None:
    peers = file.socket.peers
    flow = peers.pop(next(iter(peers)))
    usage = task.table.use(file).flows.pop(flow, None)
    if usage is not None:
        flow.reason = "idle"
        _close(emit, task, time_ns, "unseen", flow, usage)


def dissolve(emit: Emit, task: Task, op: str, file: OpenFile, time_ns: int) -> None:
    """End the connection of a socket; the socket stays."""
    sock: Socket = file.socket
    usage = task.table.use(file)
    _settle_stream(sock, usage)
    flow, sock.flow, sock.state, sock.target = sock.flow, None, IDLE, None
    if flow is None:
        return
    sock.peers.pop(flow.peer and flow.peer.key, None)
    told = usage.flows.pop(flow, None)
    usage.forget_moved()
    if told is not None:
        _close(emit, task, time_ns, op, flow, told)


def let_go(
    emit: Emit, task: Task, op: str, file: OpenFile, usage: Usage, time_ns: int
) -> None:  # fmt: skip
    """Emit that a process closed the last fd of a socket that it opened or used."""
    sock: Socket = file.socket
    if op != STOPPED:
        deafen(emit, task, sock, usage, time_ns)
        if sock.state == CONNECTING and usage.opened:
            connection_failed(emit, task, op, file, EINPROGRESS, time_ns)
    _settle_stream(sock, usage)
    for flow, told in usage.flows.items():
        _close(emit, task, time_ns, op, flow, told)


def _settle_stream(sock: Socket, usage: Usage) -> None:
    """What was done with the flow of a stream is what was done with its fd."""
    flow = sock.flow
    if not sock.stream or flow is None:
        return
    if usage.reads or usage.writes or flow in usage.flows:
        told = usage.of_flow(flow)
        told.reads, told.read_bytes = usage.reads, usage.read_bytes
        told.writes, told.write_bytes = usage.writes, usage.write_bytes


def used(emit: Emit, task: Task, file: OpenFile, usage: Usage, time_ns: int) -> None:
    """Emit what was done with the flows of a socket that stays open."""
    sock: Socket = file.socket
    _settle_stream(sock, usage)
    for flow, told in usage.flows.items():
        emit(build(FlowUsed, (task.group.image, task.tid, time_ns, flow, told)))


def _close(
    emit: Emit, task: Task, time_ns: int, op: str, flow: Flow, usage: FlowUsage
) -> None:  # fmt: skip
    emit(build(FlowClosed, (task.group.image, task.tid, time_ns, op, flow, usage)))


def connection_failed(
    emit: Emit, task: Task, op: str, file: OpenFile, error: int, time_ns: int
) -> None:  # fmt: skip
    """Note and emit that a connection could not be made."""
    sock: Socket = file.socket
    if sock.state == CONNECTING:
        sock.state = IDLE
    refused(emit, task, op, sock, error, time_ns, sock.local, sock.target)
    if not sock.stream:
        sock.target = sock.flow.peer if sock.flow is not None else None


def refused(
    emit: Emit, task: Task, op: str, sock: Socket, error: int, time_ns: int,
    local: Address | None, peer: Address | None = None,
) -> None:  # fmt: skip
    """Emit that a socket did not become what it was asked to be; all of it remains as it was."""
    emit(
        FlowFailed(
            task.group.image, task.tid, time_ns, op, "connection", sock.transport, local, peer,
            error, 0,
        )
    )  # fmt: skip


RESETS = frozenset(("ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNABORTED", "ENOTCONN"))
"""Errors of reads and writes that say that a connection is no more."""


def broke(
    emit: Emit, task: Task, op: str, file: OpenFile, error: int, time_ns: int, ended_ns: int,
    peer: Address | None = None,
) -> None:  # fmt: skip
    """Note and emit that bytes could not be moved, as a call learnt that began and ended then.

    `peer` is what the call said, None: nothing.
    """
    sock: Socket = file.socket
    flow = sock.flow if sock.stream or peer is None else sock.peers.get(peer.key)
    if flow is not None:
        peer = flow.peer
        flow.error = error_name(error)
        if flow.error in RESETS:
            ended_by(sock, flow, "reset", ended_ns)
    emit(
        FlowFailed(
            task.group.image, task.tid, time_ns, op, "rx_tx", sock.transport,
            flow.local if flow else sock.local, peer or sock.target, error,
            flow.opened_ns if flow else 0,
        )
    )  # fmt: skip


def ended_by(sock: Socket, flow: Flow, reason: str, time_ns: int = 0) -> None:
    """Note how the peer ended a connection, unless this side was first.

    `time_ns` is when the call returned that told it; 0: it had ended before the call that is told.
    """
    if flow.reason == "local" and not sock.shut:
        flow.reason, sock.ended_ns = reason, time_ns


def shut_by_us(sock: Socket, flow: Flow, time_ns: int) -> None:
    """Note that this side began to end a direction then; what only ended later is its own doing.

    Another thread that waits in a read or write may be told before the call that ends it returns.
    """
    sock.shut = True
    if sock.ended_ns >= time_ns:
        flow.reason = "local"


def announce(emit: Emit, task: Task, op: str, file: OpenFile, fd: int, time_ns: int) -> None:
    """Note and emit that a socket waits for connections or datagrams, if that is news."""
    sock: Socket = file.socket
    if sock.announced:
        return
    sock.announced = True
    task.table.use(file).listening = fd
    emit(Listened(task.group.image, task.tid, time_ns, op, sock.transport, sock.local, fd))


def deafen(emit: Emit, task: Task, sock: Socket, usage: Usage, time_ns: int) -> None:
    """Emit that a process lets go of a socket that it told to wait."""
    if usage.listening >= 0:
        fd, usage.listening = usage.listening, -1
        emit(ListenEnded(task.group.image, task.tid, time_ns, sock.transport, sock.local, fd))
