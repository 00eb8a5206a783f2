"""One socket: its states, and the flows that go through it.

A stream socket has one flow, from the moment its connection stands; a socket of messages has one
for each peer. What a process did with the flow of a stream is in the tallies of its fd; each
message makes a record of its own, and is counted here. A process that opened a flow or transferred
bytes through it has a `FlowUsage` of it, and a FlowClosed is emitted when it closes its last fd.

What is hard about sockets, and what is done:

1. A connection that is begun without waiting (EINPROGRESS, or EINTR if a signal came first) is
   CONNECTING. It stands once a call shows it: getsockopt(SO_ERROR) without an error, connect again
   (0 or EISCONN), bytes transferred, or, at the latest, what the kernel says before the fd is
   closed. It has failed once a call shows that: SO_ERROR, connect, read, write. If it is closed
   while it is still CONNECTING, the error is EINPROGRESS.
2. MSG_FASTOPEN sends bytes and begins the connection in one call (tcp(7)).
3. A socket that was inherited, or received from another process (SCM_RIGHTS), is CREATED here
   whatever it is in truth. Its flow begins with the first bytes; the kernel said who its peer is.
4. A datagram socket may be connected (one peer unless a message names another), or not: then each
   message has a peer. What is received without asking from whom (recv) may be anybody's, even if
   the socket sent to one peer alone: it has a flow of its own, of an unknown peer. Matching it to a
   question is left to the DNS reader.
5. connect(AF_UNSPEC) disconnects; the socket may then be connected anew.
6. Two threads use one socket: the read that sees the end of the connection may return, and be
   recorded, before the shutdown(2) that caused it (`shut_down`). What is received while a send of
   another thread is under way may answer it, though the record of that send comes later: this is
   marked (`FlowTransferred.early`), and the readers of flows wait for the send.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EINPROGRESS
from typing import TYPE_CHECKING, Any

from scopetrace.decode.addresses import AF_NETLINK, SEQPACKET, STREAM, TYPE_MASK, transport_name
from scopetrace.model.evidence import Evidence
from scopetrace.model.flow import Address, Flow, FlowUsage
from scopetrace.model.named import build
from scopetrace.model.names import error_name
from scopetrace.model.open_file import Usage
from scopetrace.model.operation import (
    STOPPED,
    FlowClosed,
    FlowFailed,
    FlowOpened,
    FlowUsed,
    Listened,
    ListenEnded,
    Operation,
)

if TYPE_CHECKING:
    from scopetrace.decode.files import DecodedFile
    from scopetrace.decode.tasks import Task

STATES = CREATED, LISTENING, CONNECTING, CONNECTED, SHUT_DOWN = range(5)
"""bind(2) makes no state: what is bound may still listen or connect. SHUT_DOWN: this side has ended
one direction of the connection or both."""

TRANSITIONS: dict[str, dict[int, int]] = {
    "listen": dict.fromkeys(STATES, LISTENING),
    "begin connecting": dict.fromkeys(STATES, CONNECTING),
    "be connected": dict.fromkeys(STATES, CONNECTED),
    "fail to connect": {CONNECTING: CREATED},
    "shut down": {CONNECTED: SHUT_DOWN},
    "disconnect": dict.fromkeys(STATES, CREATED),
}
"""Event → state before → state after; in any other state the event changes nothing.

What the kernel would not let happen (a listening socket that connects) is here, too: calls of which
there is no record may have come between.
"""

KERNEL = Address("netlink", "0", 0)
"""The peer of a netlink socket unless a message names another (netlink(7))."""
MOST_PEERS = 1024
"""Peers of one socket that are remembered; beyond that the one silent for longest is forgotten."""
RESETS = frozenset(("ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNABORTED", "ENOTCONN"))
"""Errors of reads and writes that say that a connection is no more."""

Emit = Callable[[Operation], None]


class Socket:
    """One socket, whichever processes hold it."""

    __slots__ = (
        "connecting_since_ns",
        "domain",
        "ended_ns",
        "flow",
        "has_one_peer",
        "is_stream",
        "listen_emitted",
        "local",
        "peers",
        "protocol",
        "shared",
        "state",
        "target",
        "transport",
    )

    def __init__(self, domain: int, kind: int, protocol: int) -> None:
        self.domain = domain
        self.protocol = protocol
        self.transport = transport_name(domain, kind, protocol)
        self.is_stream = kind & TYPE_MASK == STREAM
        self.has_one_peer = kind & TYPE_MASK in (STREAM, SEQPACKET)
        """It connects or accepts."""
        self.state = CREATED
        self.listen_emitted = False
        """`Listened` was emitted: it waits for connections or datagrams."""
        self.local: Address | None = None
        self.target: Address | None = None
        """The address that it was asked to connect to."""
        self.connecting_since_ns = 0
        """When it was asked, Unix time."""
        self.flow: Flow | None = None
        """The connection."""
        self.peers: dict[Address | None, Flow] = {}
        """Of a socket of messages: its flows by `Address.key`, the one used last at the end."""
        self.shared: dict[str, Any] = {}
        """What these share (`Flow.socket_shared`)."""
        self.ended_ns = 0
        """When the call returned that showed how the peer ended the connection, Unix time."""

    def enter(self, event: str) -> None:
        """Go on to the state that an event leads to."""
        self.state = TRANSITIONS[event].get(self.state, self.state)

    def listen(
        self, emit: Emit, task: Task, op: str, file: DecodedFile, fd: int, time_ns: int
    ) -> None:
        """Emit that it waits for connections or datagrams, unless that was emitted before."""
        if self.listen_emitted:
            return
        self.listen_emitted = True
        task.table.use(file).listening = fd
        image = task.group.image
        emit(Listened(image, task.tid, time_ns, op, self.transport, self.local, fd))

    def stop_listening(self, emit: Emit, task: Task, usage: Usage, time_ns: int) -> None:
        """Emit that a process ends what it began by `listen`."""
        if usage.listening >= 0:
            fd, usage.listening = usage.listening, -1
            image = task.group.image
            emit(ListenEnded(image, task.tid, time_ns, self.transport, self.local, fd))

    def connect(
        self,
        emit: Emit,
        task: Task,
        op: str,
        file: DecodedFile,
        fd: int,
        role: str,
        peer: Address | None,
        opened_ns: int,
    ) -> Flow:
        """Note that it is connected; emit the flow unless there is one with that peer."""
        self.enter("be connected")
        self.flow = None if self.is_stream else self.peers.get(peer and peer.key)
        if self.flow is None:
            self.flow = self._open_flow(emit, task, op, file, fd, role, peer, opened_ns)
            if not self.is_stream:
                self.peers[peer and peer.key] = self.flow
        return self.flow

    def connect_to_target(
        self, emit: Emit, task: Task, op: str, file: DecodedFile, fd: int
    ) -> None:
        """Note that the connection stands that it was asked for."""
        opened_ns = self.connecting_since_ns or file.opened_ns
        self.connect(emit, task, op, file, fd, "client", self.target, opened_ns)

    def connect_failed(
        self,
        emit: Emit,
        task: Task,
        op: str,
        error: int,
        time_ns: int,
        evidence: Evidence | None = None,
    ) -> None:
        """Note and emit that the connection could not be made that it was asked for."""
        self.enter("fail to connect")
        self.emit_refused(emit, task, op, error, time_ns, self.local, self.target, evidence)
        if not self.is_stream:
            self.target = self.flow.peer if self.flow is not None else None

    def emit_refused(
        self,
        emit: Emit,
        task: Task,
        op: str,
        error: int,
        time_ns: int,
        local: Address | None,
        peer: Address | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        """Emit that it did not become what a call asked for, and is as it was before."""
        head = (task.group.image, task.tid, time_ns, op, "connection")
        emit(FlowFailed(*head, self.transport, local, peer, error, 0, evidence))

    def flow_with(
        self,
        emit: Emit,
        task: Task,
        op: str,
        file: DecodedFile,
        fd: int,
        peer: Address | None,
        outgoing: bool,
        time_ns: int,
    ) -> Flow:
        """Return the flow that transferred bytes belong to; `peer` is what the call named."""
        if peer is None and self.domain == AF_NETLINK:
            peer = KERNEL
        # 1. Of the connection: a stream, or a message that names no other peer.
        if self.flow is not None and (self.is_stream or peer is None or _is_peer(self.flow, peer)):
            return self.flow
        # 2. Of a connection that was made before the socket was seen: the kernel knows its peer.
        if self.is_stream or (peer is None and self.target is not None):
            return self.connect(emit, task, op, file, fd, "", self.target or peer, time_ns)
        # 3. A message from or to the peer that it names, or of an unknown peer (None).
        key = peer and peer.key
        flow = self.peers.pop(key, None)
        if flow is None:
            role = self._role(peer, outgoing)
            flow = self._open_flow(emit, task, op, file, fd, role, peer, time_ns)
            if len(self.peers) >= MOST_PEERS:
                self._forget_oldest(emit, task, file, time_ns)
        self.peers[key] = flow
        return flow

    def transfer_failed(
        self,
        emit: Emit,
        task: Task,
        op: str,
        error: int,
        time_ns: int,
        ended_ns: int,
        peer: Address | None = None,
    ) -> None:
        """Note and emit that a call could not transfer bytes, which lasted from then to then.

        `peer` is what the call named, None: nothing.
        """
        flow = self.flow if self.is_stream or peer is None else self.peers.get(peer.key)
        local, channel = self.local, 0
        if flow is not None:
            local, peer, channel = flow.local, flow.peer, flow.opened_ns
            flow.error = error_name(error)
            if flow.error in RESETS:
                self.peer_ended(flow, "reset", ended_ns)
        image, target = task.group.image, peer or self.target
        emit(
            FlowFailed(
                image, task.tid, time_ns, op, "rx_tx", self.transport, local, target, error, channel
            )
        )

    def peer_ended(self, flow: Flow, reason: str, time_ns: int = 0) -> None:
        """Note how the peer ended a connection, unless this side was first.

        `time_ns` is when the call returned that showed it; 0: it was so before that call began.
        """
        if flow.reason == "local" and self.state != SHUT_DOWN:
            flow.reason, self.ended_ns = reason, time_ns

    def received(self, flow: Flow, count: int, time_ns: int) -> None:
        """Take 0 bytes for the end; of messages it may have been an empty one, if more follow."""
        if not count:
            self.peer_ended(flow, "remote", time_ns)
        elif flow.reason == "remote" and not self.is_stream:
            flow.reason = "local"

    def shut_down(self, flow: Flow, time_ns: int) -> None:
        """Note that this side began to end a direction then: it was first.

        A read or write of another thread that this woke may return, and be recorded, before.
        """
        self.enter("shut down")
        if self.ended_ns >= time_ns:
            flow.reason = "local"

    def disconnect(self, emit: Emit, task: Task, op: str, file: DecodedFile, time_ns: int) -> None:
        """End the connection; the socket stays (connect(2), AF_UNSPEC)."""
        usage = task.table.use(file)
        self._count_stream(usage)
        flow, self.flow, self.target = self.flow, None, None
        self.enter("disconnect")
        if flow is None:
            return
        self.peers.pop(flow.peer and flow.peer.key, None)
        flow_usage = usage.flows.pop(flow, None)
        usage.reset_transfers()
        if flow_usage is not None:
            emit(build(FlowClosed, (task.group.image, task.tid, time_ns, op, flow, flow_usage)))

    def close(self, emit: Emit, task: Task, op: str, usage: Usage, time_ns: int) -> None:
        """Emit that a process closed its last fd, of what it opened or used by it."""
        if op != STOPPED:
            self.stop_listening(emit, task, usage, time_ns)
            if self.state == CONNECTING and usage.opened:
                self.connect_failed(emit, task, op, EINPROGRESS, time_ns)
        self._count_stream(usage)
        image = task.group.image
        for flow, flow_usage in usage.flows.items():
            emit(build(FlowClosed, (image, task.tid, time_ns, op, flow, flow_usage)))

    def emit_used(self, emit: Emit, task: Task, usage: Usage, time_ns: int) -> None:
        """Emit what a process has done with the flows, as it stays open."""
        self._count_stream(usage)
        for flow, flow_usage in usage.flows.items():
            emit(build(FlowUsed, (task.group.image, task.tid, time_ns, flow, flow_usage)))

    def _open_flow(
        self,
        emit: Emit,
        task: Task,
        op: str,
        file: DecodedFile,
        fd: int,
        role: str,
        peer: Address | None,
        opened_ns: int,
    ) -> Flow:
        flow = Flow(self.transport, self.local, peer, role, opened_ns)
        flow.fd = fd
        if not self.is_stream:
            flow.socket_shared = self.shared
        task.table.use(file).of_flow(flow, opened=True)
        emit(build(FlowOpened, (task.group.image, task.tid, opened_ns, op, flow, fd)))
        return flow

    def _role(self, peer: Address | None, outgoing: bool) -> str:
        """Return who began what goes between a socket of messages and a peer, if it is known."""
        if outgoing:
            return "client"
        return "" if peer is None and self.peers else "server"

    def _forget_oldest(self, emit: Emit, task: Task, file: DecodedFile, time_ns: int) -> None:
        flow = self.peers.pop(next(iter(self.peers)))
        usage = task.table.use(file).flows.pop(flow, None)
        if usage is not None:
            flow.reason = "idle"
            emit(build(FlowClosed, (task.group.image, task.tid, time_ns, "unseen", flow, usage)))

    def _count_stream(self, usage: Usage) -> None:
        """Let the usage of a stream's flow be what the tallies of its fds say."""
        flow = self.flow
        if not self.is_stream or flow is None:
            return
        if usage.reads or usage.writes or flow in usage.flows:
            counts: FlowUsage = usage.of_flow(flow)
            counts.reads, counts.read_bytes = usage.reads, usage.read_bytes
            counts.writes, counts.write_bytes = usage.writes, usage.write_bytes


def _is_peer(flow: Flow, address: Address) -> bool:
    return flow.peer is not None and flow.peer.key == address.key
