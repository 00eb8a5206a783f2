"""Calls on sockets: what of a record a `Socket` has to know."""

from __future__ import annotations

import struct
from errno import EINPROGRESS, EINTR, EISCONN
from typing import NamedTuple

from scopetrace.decode.addresses import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_UNIX,
    SEQPACKET,
    STREAM,
    as_known,
    as_passed,
    is_unspecified,
    named,
    parse_address,
)
from scopetrace.decode.closing import emit_closed
from scopetrace.decode.evidence import evidence_of_flow
from scopetrace.decode.failed import emit_process_failed
from scopetrace.decode.files import DecodedFile, open_file
from scopetrace.decode.parts import ADDRESS, DATA, EARLY, LOCAL, NAME, PEER, SOCKET, Parts
from scopetrace.decode.socket import CONNECTING, LISTENING, Socket
from scopetrace.decode.state import INT, Handler, State, signed
from scopetrace.decode.tasks import Task
from scopetrace.model.call import Call
from scopetrace.model.flow import Address
from scopetrace.model.named import build
from scopetrace.model.operation import FlowTransferred
from scopetrace.model.raw import SOCKET as SOCKET_LAYOUT
from scopetrace.model.raw import Part, RawRecord

SOCK_CLOEXEC = 0o2000000
SOL_SOCKET = 1
SHUT_RD, SHUT_WR = 0, 1
VALUE = struct.Struct("=i")
POLL = struct.Struct("=I")
POLLERR, POLLHUP, POLLRDHUP = 0x8, 0x10, 0x2000
MSG_FASTOPEN = 0x20000000


def learn(file: DecodedFile, parts: Parts) -> Socket | None:
    """Take in what parts say about a socket; return it, or None if `file` is none."""
    facts, sock = parts.get(SOCKET), file.socket
    if facts is None or len(facts) != SOCKET_LAYOUT.size:
        return sock
    domain, kind, protocol, listening, inode, peer_inode = SOCKET_LAYOUT.unpack(facts)
    sock = file.socket = sock or Socket(domain, kind, protocol)
    sock.local = as_known(parse_address(parts.get(LOCAL), inode), sock.local) or sock.local
    peer = as_known(parse_address(parts.get(PEER), peer_inode), sock.target)
    if peer is None and peer_inode:
        peer = Address("unix", "", 0, peer_inode)
    if peer is not None:
        sock.target = peer
    if listening:
        sock.enter("listen")
    return sock


class _SocketCall(NamedTuple):
    """What a call on a socket is about."""

    parts: Parts
    fd: int
    file: DecodedFile
    sock: Socket
    time_ns: int
    ended_ns: int


def _socket_call(state: State, task: Task, record: RawRecord) -> _SocketCall | None:
    """Return what a call is about, its facts of the socket taken in; None: of no socket."""
    parts, fd = record.parts(), record.arg1 & INT
    file = task.table.fds.get(fd)
    sock = None if file is None else learn(file, parts)
    if file is None or sock is None:
        return None
    time_ns = record.entered_ns + state.offset_ns
    return _SocketCall(parts, fd, file, sock, time_ns, time_ns + record.elapsed_ns)


def _passed_address(parts: Parts) -> Address | None:
    """Return the address that a call has; of a unix socket by the name that its path means."""
    return named(parse_address(parts.get(ADDRESS)), parts.get(NAME))


def _asked_for(record: RawRecord) -> Socket:
    """Return a socket as socket(2) or socketpair(2) was asked for it."""
    return Socket(record.arg1 & INT, record.arg2 & INT, record.arg3 & INT)


def on_socket(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Add a new socket: socket(2)."""
    if record.result < 0:
        emit_not_created(state, task, record, call)
        return
    file = open_file(record.parts(), "", record.entered_ns + state.offset_ns)
    file.socket = _asked_for(record)
    _add(state, task, record, file, bool(record.arg2 & SOCK_CLOEXEC))


def emit_not_created(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a socket could not be made: EMFILE, EAFNOSUPPORT…"""
    time_ns = record.entered_ns + state.offset_ns
    sock = _asked_for(record)
    evidence = evidence_of_flow(state, task, record, call.op, sock.transport, None)
    sock.emit_refused(state.emit, task, call.op, -record.result, time_ns, None, None, evidence)


def _add(state: State, task: Task, record: RawRecord, file: DecodedFile, cloexec: bool) -> None:
    """Put a new socket at the fd that a call returned."""
    released = task.table.open(record.result, file, cloexec)
    emit_closed(state, task, file.opened_ns, "unseen", released)
    state.remember_socket(file)


def _emit_no_socket(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a call on what is no socket failed."""
    fd = signed(record.arg1)
    file = task.table.fds.get(fd & INT)
    about = file.path if file is not None and file.path else f"fd {fd}"
    if record.result < 0:
        emit_process_failed(state, task, record, call.op, about)


def on_bind_or_listen(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Note the name of a socket, or that it listens; emit what now waits for anybody."""
    found = _socket_call(state, task, record)
    if found is None:
        _emit_no_socket(state, task, record, call)
        return
    parts, fd, file, sock, time_ns, _ = found
    if record.result < 0:
        local = _passed_address(parts) or sock.local
        evidence = evidence_of_flow(state, task, record, call.op, sock.transport, local)
        error = -record.result
        sock.emit_refused(state.emit, task, call.op, error, time_ns, local, None, evidence)
        return
    _note_bound(state, sock, _passed_address(parts))
    if call.name.endswith("listen"):
        sock.enter("listen")
    elif sock.has_one_peer or sock.domain == AF_NETLINK:
        return  # it may listen, or connect from there; or it only asks the kernel something
    sock.listen(state.emit, task, call.op, file, fd, time_ns)


def _note_bound(state: State, sock: Socket, passed: Address | None) -> None:
    """Name a unix socket by what its path meant where it was bound."""
    if passed is None or sock.local is None:
        return
    sock.local = as_passed(sock.local, passed)
    state.bound.note(sock.local)


def on_connect(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Connect or disconnect a socket."""
    found = _socket_call(state, task, record)
    if found is None:
        _emit_no_socket(state, task, record, call)
        return
    error = -record.result
    if is_unspecified(found.parts.get(ADDRESS)):
        if not error:
            found.sock.disconnect(state.emit, task, call.op, found.file, found.time_ns)
    elif error != EISCONN or found.sock.state == CONNECTING:  # else it only asked how it stands
        _connect(state, task, record, call.op, found)


def _connect(state: State, task: Task, record: RawRecord, op: str, found: _SocketCall) -> None:
    parts, fd, file, sock, time_ns, _ = found
    passed, error = _passed_address(parts), -record.result
    if passed is not None:
        sock.target = passed if PEER not in parts else as_passed(sock.target, passed)
    if sock.state != CONNECTING:
        sock.connecting_since_ns = time_ns
    # 1. It is under way: later calls show what becomes of it (`decode.socket`).
    if error == EINPROGRESS or (error == EINTR and sock.domain in (AF_INET, AF_INET6)):
        sock.enter("begin connecting")
    # 2. It stands: at once, or since it was asked for.
    elif error <= 0 or error == EISCONN:
        sock.connect_to_target(state.emit, task, op, file, fd)
    # 3. It was refused.
    else:
        evidence = evidence_of_flow(state, task, record, op, sock.transport, passed)
        sock.connect_failed(state.emit, task, op, error, time_ns, evidence)


def on_getsockopt(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Take in the pending error of a socket (SO_ERROR), which a program asks for after connect."""
    found = _socket_call(state, task, record)
    raw = b"" if found is None else found.parts.get(Part.VALUE, b"")
    if found is None or len(raw) != VALUE.size or record.arg2 & INT != SOL_SOCKET:
        return
    (error,) = VALUE.unpack(raw)
    if error:
        _emit_pending_error(state, task, call.op, found, error)
    elif found.sock.state == CONNECTING:
        found.sock.connect_to_target(state.emit, task, "connect", found.file, found.fd)


def _emit_pending_error(state: State, task: Task, op: str, found: _SocketCall, error: int) -> None:
    """Emit an error that a call has met: of connecting, or of the connection that stood."""
    sock, time_ns = found.sock, found.time_ns
    if sock.state == CONNECTING:
        sock.connect_failed(state.emit, task, "connect", error, time_ns)
    else:
        peer = _passed_address(found.parts)
        sock.transfer_failed(state.emit, task, op, error, time_ns, found.ended_ns, peer)


def on_accept(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Add the connected socket that accept returned."""
    time_ns, listening_fd = record.entered_ns + state.offset_ns, record.arg1 & INT
    listening_file = task.table.fds.get(listening_fd)
    listening = None if listening_file is None else listening_file.socket
    if record.result < 0:
        if listening is None:
            _emit_no_socket(state, task, record, call)
        else:
            error, local, op = -record.result, listening.local, call.op
            evidence = evidence_of_flow(state, task, record, op, listening.transport, local)
            listening.emit_refused(state.emit, task, op, error, time_ns, local, None, evidence)
        return
    if listening is not None and listening_file is not None:
        listening.listen(state.emit, task, call.op, listening_file, listening_fd, time_ns)
    parts = record.parts()
    file = open_file(parts, "", time_ns + record.elapsed_ns)
    sock = learn(file, parts) or _accepted_from(listening)
    if sock is None:
        return
    file.socket = sock
    _add(state, task, record, file, call.op != "accept" and bool(record.arg4 & SOCK_CLOEXEC))
    if listening is not None:
        sock.local = as_known(sock.local, listening.local)
    peer = sock.target = state.bound.as_bound(sock.target or parse_address(parts.get(ADDRESS)))
    opened_ns, fd = file.opened_ns, record.result
    sock.connect(state.emit, task, call.op, file, fd, "server", peer, opened_ns)


def _accepted_from(listening: Socket | None) -> Socket | None:
    """Return what accept makes of a socket, if the kernel says nothing about the new one."""
    if listening is None:
        return None
    kind = STREAM if listening.is_stream else SEQPACKET
    sock = Socket(listening.domain, kind, listening.protocol)
    sock.local = listening.local
    return sock


def on_shutdown(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """End one direction of a connection, or both; or have a socket listen no more."""
    found = _socket_call(state, task, record)
    if found is None:
        _emit_no_socket(state, task, record, call)
        return
    sock, time_ns, how = found.sock, found.time_ns, record.arg2 & INT
    if record.result < 0:
        error, emit, ends = -record.result, state.emit, (sock.local, sock.target)
        evidence = evidence_of_flow(state, task, record, call.op, sock.transport, sock.local)
        sock.emit_refused(emit, task, call.op, error, time_ns, *ends, evidence)
        return
    if sock.state == LISTENING and how != SHUT_WR:
        sock.listen_emitted = False
        sock.stop_listening(state.emit, task, task.table.use(found.file), time_ns)
    if sock.flow is None:
        return
    sock.shut_down(sock.flow, time_ns)
    if how != SHUT_RD:
        image, serial = task.group.image, record.fd_serial
        end = (image, task.tid, time_ns, sock.flow, True, b"", 0, serial, False, "")
        state.emit(build(FlowTransferred, end))


def learn_final_state(state: State, task: Task, record: RawRecord, fd: int) -> None:
    """Take in what the kernel says of a socket before its fd is closed: the program may not know.

    1. A connection that was under way may stand: then the record has its PEER.
    2. The peer may have ended the connection (HANGUP: what poll(2) says of it).
    """
    file = task.table.fds.get(fd)
    if file is None or file.socket is None:
        return
    parts, sock = record.parts(), file.socket
    if sock.state == CONNECTING:
        learn(file, parts)
        if PEER in parts:
            sock.connect_to_target(state.emit, task, "connect", file, fd)
    elif sock.flow is not None and len(parts.get(Part.HANGUP, b"")) == POLL.size:
        (events,) = POLL.unpack(parts[Part.HANGUP])
        if events & POLLERR and events & POLLHUP:
            sock.peer_ended(sock.flow, "reset")
        elif events & POLLRDHUP:
            sock.peer_ended(sock.flow, "remote")


def transferred(
    state: State, task: Task, record: RawRecord, call: Call, fd: int, outgoing: bool
) -> None:
    """Emit the bytes or the message that went through a socket; do nothing of another file."""
    file = task.table.fds.get(fd)
    if file is None or file.socket is None:
        return
    parts, emit = record.parts(), state.emit
    learn(file, parts)
    sock = file.socket
    time_ns, count = record.entered_ns + state.offset_ns, record.transferred
    if not outgoing:
        time_ns += record.elapsed_ns  # bytes are there when the call returns, not when it began
    peer = _passed_address(parts)
    if not outgoing and peer is not None:
        peer = state.bound.as_bound(as_known(peer, sock.target))
    if sock.state == CONNECTING:
        sock.connect_to_target(emit, task, "connect", file, fd)
    elif sock.flow is None and _opens_fast(record, call, sock):
        sock.connecting_since_ns = time_ns
        sock.target = sock.target if PEER in parts else peer
        sock.connect_to_target(emit, task, call.op, file, fd)
    flow = sock.flow_with(emit, task, call.op, file, fd, peer, outgoing, time_ns)
    if not sock.is_stream:
        task.table.use(file).of_flow(flow).add(outgoing, count)
    if sock.has_one_peer and not outgoing:
        sock.received(flow, count, time_ns)
    data = parts.get(DATA, b"")[:count]
    early, console = not outgoing and EARLY in parts, task.table.consoles.get(fd)
    name = "" if console is None else console.console
    image, serial = task.group.image, record.fd_serial
    fields = (image, task.tid, time_ns, flow, outgoing, data, count, serial, early, name)
    emit(build(FlowTransferred, fields))


def _opens_fast(record: RawRecord, call: Call, sock: Socket) -> bool:
    """Whether what is sent opens the connection (tcp(7), MSG_FASTOPEN)."""
    return (
        sock.is_stream
        and call.direction == "out"
        and call.options != 0
        and bool(record.argument(call.options) & MSG_FASTOPEN)
    )


def transfer_failed(
    state: State, task: Task, record: RawRecord, call: Call, file: DecodedFile, sock: Socket
) -> None:
    """Emit that bytes could not be transferred through a socket."""
    parts, error = record.parts(), -record.result
    learn(file, parts)
    time_ns, peer = record.entered_ns + state.offset_ns, _passed_address(parts)
    opens = sock.flow is None and _opens_fast(record, call, sock)
    if opens:
        sock.target, sock.connecting_since_ns = peer, time_ns
    if error == EINPROGRESS:
        if opens:
            sock.enter("begin connecting")
    elif opens:
        sock.connect_failed(state.emit, task, call.op, error, time_ns)
    else:
        found = _SocketCall(parts, 0, file, sock, time_ns, time_ns + record.elapsed_ns)
        _emit_pending_error(state, task, call.op, found, error)


def connect_pair(state: State, task: Task, record: RawRecord, fds: tuple[int, ...]) -> None:
    """Make sockets that are connected to each other of two new fds: socketpair(2)."""
    facts = [each for each in record.all_parts(SOCKET) if len(each) == SOCKET_LAYOUT.size]
    inodes = [SOCKET_LAYOUT.unpack(each)[4] for each in facts]
    ends = [Address("unix", "", 0, inode) for inode in inodes]
    for nth, fd in enumerate(fds):
        file = task.table.fds[fd]
        file.opened_ns += nth  # each is the channel of a flow of its own
        file.socket = sock = _asked_for(record)
        peer = None
        if sock.domain == AF_UNIX and len(ends) == len(fds):
            sock.local, peer = ends[nth], ends[1 - nth]
            state.sockets[inodes[nth]] = file
        sock.connect(state.emit, task, "socketpair", file, fd, "", peer, file.opened_ns)


def on_setsockopt(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that an option could not be set; this call is watched for failures only."""
    found = _socket_call(state, task, record)
    if found is not None and record.result < 0:
        sock, error = found.sock, -record.result
        local, peer = sock.local, sock.target
        sock.emit_refused(state.emit, task, call.op, error, found.time_ns, local, peer)


def on_socketcall(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Do nothing: the record of a socketcall(2) is that of the call it stands for."""


BINDS_OF_URING = ("io_uring_enter__bind", "io_uring_enter__listen")

CALLS: dict[str, Handler] = {
    **dict.fromkeys(("socket", "io_uring_enter__socket"), on_socket),
    **dict.fromkeys(("bind", "listen", *BINDS_OF_URING), on_bind_or_listen),
    **dict.fromkeys(("connect", "io_uring_enter__connect"), on_connect),
    **dict.fromkeys(("accept", "accept4", "io_uring_enter__accept"), on_accept),
    "getsockopt": on_getsockopt,
    **dict.fromkeys(("shutdown", "io_uring_enter__shutdown"), on_shutdown),
    "setsockopt": on_setsockopt,
    "socketcall": on_socketcall,
}
