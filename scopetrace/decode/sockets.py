"""Calls on sockets: made, named, connected, accepted, used, shut down.

A connection that is begun without waiting (EINPROGRESS) stands once the program asks how it went
(SO_ERROR), connects again, moves bytes through it, or, at the latest, closes it.
"""

from __future__ import annotations

import struct
from errno import EINPROGRESS, EISCONN
from typing import cast

from scopetrace.decode.addresses import AF_NETLINK, is_unspecified, parse_address
from scopetrace.decode.flows import (
    CONNECTING,
    LISTENING,
    Socket,
    begin_connection,
    broke,
    connection_failed,
    dissolve,
    flow_with,
)
from scopetrace.decode.state import (
    ADDRESS,
    DATA,
    EARLY,
    FD,
    LOCAL,
    PEER,
    SOCKET_FACTS,
    Handler,
    Parts,
    State,
    closed,
    open_file,
)
from scopetrace.decode.tasks import Task
from scopetrace.model.flow import Address
from scopetrace.model.operation import FlowFailed, FlowMoved, Listened, OpenFile, build
from scopetrace.model.raw import SOCKET, Part, RawRecord

SOCK_CLOEXEC = 0o2000000
SOL_SOCKET = 1
SHUT_RD = 0
VALUE = struct.Struct("=i")


def learn(file: OpenFile, parts: Parts) -> Socket | None:
    """Take in what parts say about a socket; return it, or None if `file` is none."""
    facts, sock = parts.get(SOCKET_FACTS), cast("Socket | None", file.socket)
    if facts is None or len(facts) != SOCKET.size:
        return sock
    domain, kind, protocol, listening, inode, peer_inode = SOCKET.unpack(facts)
    sock = sock or Socket(domain, kind, protocol)
    file.socket = sock
    sock.local = parse_address(parts.get(LOCAL), inode) or sock.local
    peer = parse_address(parts.get(PEER), peer_inode)
    if peer is None and peer_inode:
        peer = Address("unix", "", 0, peer_inode)
    if peer is not None:
        sock.target = peer
    if listening:
        sock.state = LISTENING
    return sock


def made(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A socket was made: socket(2)."""
    if record.result < 0:
        return
    file = open_file(record.parts(), "", record.entered_ns + state.offset_ns)
    file.socket = sock = Socket(record.arg1 & FD, record.arg2 & FD, record.arg3 & FD)
    sock.made = True
    _take(state, task, record, file, bool(record.arg2 & SOCK_CLOEXEC))


def _take(state: State, task: Task, record: RawRecord, file: OpenFile, cloexec: bool) -> None:
    gone = task.table.open(record.result, file, cloexec)
    if gone is not None:
        closed(state, task, file.opened_ns, "unseen", gone)
    state.remember_socket(file)


def _socket(task: Task, record: RawRecord, parts: Parts) -> OpenFile | None:
    """Return the file behind the fd of a call, if it is a socket."""
    file = task.table.fds.get(record.arg1 & FD)
    if file is None or learn(file, parts) is None:
        return None
    return file


def bound(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A socket got a name, or began to listen."""
    parts = record.parts()
    file = _socket(task, record, parts)
    if file is None:
        return
    sock: Socket = file.socket
    time_ns = record.entered_ns + state.offset_ns
    image = task.group.image
    if record.result < 0:
        local = parse_address(parts.get(ADDRESS)) or sock.local
        state.emit(
            FlowFailed(
                image, task.tid, time_ns, op, "connection", sock.transport, local, None,
                -record.result, 0,
            )
        )  # fmt: skip
        return
    if op == "listen":
        sock.state = LISTENING
    elif sock.stream or sock.domain == AF_NETLINK:
        return  # it may listen, or connect from there; or it only asks the kernel something
    fd = record.arg1 & FD
    sock.listener = (image.pid, fd)
    task.table.use(file)
    state.emit(Listened(image, task.tid, time_ns, op, sock.transport, sock.local, fd))


def connect(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A connection was asked for."""
    parts = record.parts()
    file = _socket(task, record, parts)
    if file is None:
        return
    sock: Socket = file.socket
    time_ns, error = record.entered_ns + state.offset_ns, -record.result
    if is_unspecified(parts.get(ADDRESS)):
        dissolve(state.emit, task, op, file, time_ns)
        return
    asked = parse_address(parts.get(ADDRESS))
    if PEER not in parts and asked is not None:
        sock.target = asked
    if sock.state != CONNECTING:
        sock.began_ns = time_ns
    if error == EINPROGRESS:
        sock.state = CONNECTING
    elif error <= 0 or (error == EISCONN and sock.state == CONNECTING):
        _stands(state, task, op, file, record.arg1 & FD)
    else:
        connection_failed(state.emit, task, op, file, error, time_ns)


def _stands(state: State, task: Task, op: str, file: OpenFile, fd: int) -> None:
    """The connection that a socket was asked for stands."""
    sock: Socket = file.socket
    began_ns = sock.began_ns or file.opened_ns
    begin_connection(state.emit, task, op, file, fd, "client", sock.target, began_ns)


def asked_how(state: State, task: Task, record: RawRecord, op: str) -> None:
    """The program asked for the pending error of a socket (SO_ERROR)."""
    file = task.table.fds.get(record.arg1 & FD)
    raw = record.parts().get(Part.VALUE, b"")
    if record.result < 0 or record.arg2 & FD != SOL_SOCKET or len(raw) != VALUE.size:
        return
    if file is None or file.socket is None or file.socket.state != CONNECTING:
        return
    (error,) = VALUE.unpack(raw)
    if error:
        time_ns = record.entered_ns + state.offset_ns
        connection_failed(state.emit, task, "connect", file, error, time_ns)
    else:
        _stands(state, task, "connect", file, record.arg1 & FD)


def accepted(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A connection was taken: the new socket has a peer."""
    time_ns = record.entered_ns + state.offset_ns
    listener = task.table.fds.get(record.arg1 & FD)
    if record.result < 0:
        if listener is not None and listener.socket is not None:
            broke(state.emit, task, op, listener, -record.result, time_ns)
        return
    parts = record.parts()
    file = open_file(parts, "", time_ns + record.elapsed_ns)
    if learn(file, parts) is None:
        if listener is None or listener.socket is None:
            return
        file.socket = _like(listener.socket)
    cloexec = op == "accept4" and bool(record.arg4 & SOCK_CLOEXEC)
    _take(state, task, record, file, cloexec)
    peer: Address | None = file.socket.target
    begin_connection(
        state.emit, task, op, file, record.result, "server", peer, file.opened_ns
    )  # fmt: skip


def _like(listener: Socket) -> Socket:
    """Return what accept makes of a socket whose address nobody would tell."""
    sock = Socket(listener.domain, 1 if listener.stream else 5, listener.protocol)
    sock.local = listener.local
    return sock


def shut(state: State, task: Task, record: RawRecord, op: str) -> None:
    """One direction of a connection was ended, or both."""
    file = task.table.fds.get(record.arg1 & FD)
    if record.result < 0 or file is None or file.socket is None or file.socket.flow is None:
        return
    if record.arg2 & FD == SHUT_RD:
        return
    sock: Socket = file.socket
    sock.shut = True
    time_ns = record.entered_ns + state.offset_ns
    state.emit(
        build(
            FlowMoved,
            (task.group.image, task.tid, time_ns, sock.flow, True, b"", 0, record.stream, False),
        )
    )  # fmt: skip


def before_close(state: State, task: Task, record: RawRecord, fd: int) -> None:
    """At the close of a socket that was connecting: the kernel's last word on how it went."""
    file = task.table.fds.get(fd)
    if file is None or file.socket is None or file.socket.state != CONNECTING:
        return
    parts = record.parts()
    learn(file, parts)
    if PEER in parts:
        _stands(state, task, "connect", file, fd)


def moved(
    state: State, task: Task, record: RawRecord, op: str, fd: int, outgoing: bool
) -> None:  # fmt: skip
    """Bytes or a message went through a socket."""
    file = task.table.fds.get(fd)
    if file is None or file.socket is None:
        return
    parts = record.parts()
    sock = learn(file, parts)
    assert sock is not None
    time_ns, count = record.entered_ns + state.offset_ns, record.moved
    if not outgoing:
        time_ns += record.elapsed_ns  # bytes are there when the call returns, not when it began
    if sock.state == CONNECTING:
        _stands(state, task, "connect", file, fd)
    peer = parse_address(parts.get(ADDRESS))
    flow = flow_with(state.emit, task, op, file, fd, peer, outgoing, time_ns)
    if not sock.stream:
        task.table.use(file).of_flow(flow).add(outgoing, count)
    elif not count and not outgoing and sock.reason == "local" and not sock.shut:
        sock.reason = "remote"
    data = parts.get(DATA, b"")[:count]
    early = not outgoing and EARLY in parts
    told = (task.group.image, task.tid, time_ns, flow, outgoing, data, count, record.stream, early)
    state.emit(build(FlowMoved, told))


def move_failed(
    state: State, task: Task, record: RawRecord, op: str, file: OpenFile
) -> None:  # fmt: skip
    """Bytes could not be moved through a socket."""
    time_ns, error = record.entered_ns + state.offset_ns, -record.result
    if file.socket.state == CONNECTING:
        connection_failed(state.emit, task, "connect", file, error, time_ns)
    else:
        broke(state.emit, task, op, file, error, time_ns)


def paired(state: State, task: Task, record: RawRecord, fds: tuple[int, ...]) -> None:
    """Two sockets were made that are connected to each other: socketpair(2)."""
    for nth, fd in enumerate(fds):
        file = task.table.fds[fd]
        file.opened_ns += nth  # each is the channel of a flow of its own
        file.socket = Socket(record.arg1 & FD, record.arg2 & FD, record.arg3 & FD)
        begin_connection(state.emit, task, "socketpair", file, fd, "", None, file.opened_ns)


def told_by_another(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Do nothing: the record of a socketcall(2) is that of the call it stands for."""


CALLS: dict[str, Handler] = {
    "socket": made,
    **dict.fromkeys(("bind", "listen"), bound),
    "connect": connect,
    **dict.fromkeys(("accept", "accept4"), accepted),
    "getsockopt": asked_how,
    "shutdown": shut,
    "socketcall": told_by_another,
}
