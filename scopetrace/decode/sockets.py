"""Calls on sockets: made, named, connected, accepted, used, shut down.

A connection that is begun without waiting (EINPROGRESS, or EINTR if a signal came first) stands
once the program asks how it went (SO_ERROR), connects again, moves bytes through it, ends one of
its directions, or, at the latest, lets go of it.
"""

from __future__ import annotations

import struct
from errno import EINPROGRESS, EINTR, EISCONN
from typing import NamedTuple, cast

from scopetrace.decode.addresses import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_UNIX,
    as_known,
    as_passed,
    is_unspecified,
    named,
    parse_address,
)
from scopetrace.decode.flows import (
    CONNECTING,
    LISTENING,
    Socket,
    announce,
    begin_connection,
    broke,
    connection_failed,
    deafen,
    dissolve,
    ended_by,
    flow_with,
    refused,
    shut_by_us,
)
from scopetrace.decode.state import (
    ADDRESS,
    DATA,
    EARLY,
    FD,
    LOCAL,
    NAME,
    PEER,
    SOCKET_FACTS,
    Handler,
    Parts,
    State,
    closed,
    open_file,
)
from scopetrace.decode.tasks import Task
from scopetrace.model.flow import Address, Flow
from scopetrace.model.open_file import OpenFile
from scopetrace.model.operation import FlowTransferred, build
from scopetrace.model.raw import SOCKET, Part, RawRecord

SOCK_CLOEXEC = 0o2000000
SOL_SOCKET = 1
SHUT_RD, SHUT_WR = 0, 1
VALUE = struct.Struct("=i")
POLL = struct.Struct("=I")
POLLERR, POLLHUP, POLLRDHUP = 0x8, 0x10, 0x2000
MSG_FASTOPEN = 0x20000000
OPTIONS = {"sendto": 3, "sendmsg": 2, "sendmmsg": 3}
"""Which argument has the MSG_ flags of a call that sends, counted from 0."""


def learn(file: OpenFile, parts: Parts) -> Socket | None:
    """Take in what parts say about a socket; return it, or None if `file` is none."""
    facts, sock = parts.get(SOCKET_FACTS), cast("Socket | None", file.socket)
    if facts is None or len(facts) != SOCKET.size:
        return sock
    domain, kind, protocol, listening, inode, peer_inode = SOCKET.unpack(facts)
    sock = sock or Socket(domain, kind, protocol)
    file.socket = sock
    sock.local = as_known(parse_address(parts.get(LOCAL), inode), sock.local) or sock.local
    peer = as_known(parse_address(parts.get(PEER), peer_inode), sock.target)
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
        not_made(state, task, record, op)
        return
    file = open_file(record.parts(), "", record.entered_ns + state.offset_ns)
    file.socket = Socket(record.arg1 & FD, record.arg2 & FD, record.arg3 & FD)
    _take(state, task, record, file, bool(record.arg2 & SOCK_CLOEXEC))


def not_made(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Emit that there is no such socket, or no room for one: EMFILE, EAFNOSUPPORT…"""
    sock = Socket(record.arg1 & FD, record.arg2 & FD, record.arg3 & FD)
    time_ns = record.entered_ns + state.offset_ns
    refused(state.emit, task, op, sock, -record.result, time_ns, None)


def _take(state: State, task: Task, record: RawRecord, file: OpenFile, cloexec: bool) -> None:
    gone = task.table.open(record.result, file, cloexec)
    if gone is not None:
        closed(state, task, file.opened_ns, "unseen", gone)
    state.remember_socket(file)


def _passed(parts: Parts) -> Address | None:
    """Return the address that a call has; of a unix socket by the name that its path means."""
    return named(parse_address(parts.get(ADDRESS)), parts.get(NAME))


def _note_bound(state: State, sock: Socket, asked: Address | None) -> None:
    """Call a socket by what its path meant where it was bound."""
    if asked is None or sock.local is None:
        return
    sock.local = as_passed(sock.local, asked)
    state.bound.note(sock.local)


class _Call(NamedTuple):
    """What a call on a socket is about."""

    parts: Parts
    fd: int
    file: OpenFile
    sock: Socket
    time_ns: int
    ended_ns: int


def _call(state: State, task: Task, record: RawRecord) -> _Call | None:
    """Return what a call is about, with what it tells of the socket; None if it is about none."""
    parts, fd = record.parts(), record.arg1 & FD
    file = task.table.fds.get(fd)
    sock = None if file is None else learn(file, parts)
    if file is None or sock is None:
        return None
    time_ns = record.entered_ns + state.offset_ns
    return _Call(parts, fd, file, sock, time_ns, time_ns + record.elapsed_ns)


def bound(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A socket got a name, or began to listen."""
    call = _call(state, task, record)
    if call is None:
        return
    parts, fd, file, sock, time_ns, _ = call
    if record.result < 0:
        local = _passed(parts) or sock.local
        refused(state.emit, task, op, sock, -record.result, time_ns, local)
        return
    _note_bound(state, sock, _passed(parts))
    if op == "listen":
        sock.state = LISTENING
    elif sock.ordered or sock.domain == AF_NETLINK:
        return  # it may listen, or connect from there; or it only asks the kernel something
    announce(state.emit, task, op, file, fd, time_ns)


def connect(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A connection was asked for."""
    call = _call(state, task, record)
    if call is None:
        return
    error = -record.result
    if is_unspecified(call.parts.get(ADDRESS)):
        if not error:
            dissolve(state.emit, task, op, call.file, call.time_ns)
    elif error != EISCONN or call.sock.state == CONNECTING:  # else it asked how things are
        _connect(state, task, op, call, error)


def _connect(state: State, task: Task, op: str, call: _Call, error: int) -> None:
    parts, fd, file, sock, time_ns, _ = call
    asked = _passed(parts)
    if asked is not None:
        sock.target = asked if PEER not in parts else as_passed(sock.target, asked)
    if sock.state != CONNECTING:
        sock.began_ns = time_ns
    if error == EINPROGRESS or (error == EINTR and sock.domain in (AF_INET, AF_INET6)):
        sock.state = CONNECTING
    elif error <= 0 or error == EISCONN:
        _stands(state, task, op, file, fd)
    else:
        connection_failed(state.emit, task, op, file, error, time_ns)


def _stands(state: State, task: Task, op: str, file: OpenFile, fd: int) -> None:
    """The connection that a socket was asked for stands."""
    sock: Socket = file.socket
    began_ns = sock.began_ns or file.opened_ns
    begin_connection(state.emit, task, op, file, fd, "client", sock.target, began_ns)


def asked_how(state: State, task: Task, record: RawRecord, op: str) -> None:
    """The program asked for the pending error of a socket (SO_ERROR)."""
    call = _call(state, task, record)
    raw = b"" if call is None else call.parts.get(Part.VALUE, b"")
    if call is None or len(raw) != VALUE.size or record.arg2 & FD != SOL_SOCKET:
        return
    (error,) = VALUE.unpack(raw)
    if error:
        _has_failed(state, task, op, call, error)
    elif call.sock.state == CONNECTING:
        _stands(state, task, "connect", call.file, call.fd)


def _has_failed(state: State, task: Task, op: str, call: _Call, error: int) -> None:
    """Emit an error that a call learnt of: of the connection under way, or of one that stood."""
    if call.sock.state == CONNECTING:
        connection_failed(state.emit, task, "connect", call.file, error, call.time_ns)
    else:
        peer = _passed(call.parts)
        broke(state.emit, task, op, call.file, error, call.time_ns, call.ended_ns, peer)


def accepted(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A connection was taken: the new socket has a peer."""
    time_ns = record.entered_ns + state.offset_ns
    listener = task.table.fds.get(record.arg1 & FD)
    if record.result < 0:
        if listener is not None and listener.socket is not None:
            sock: Socket = listener.socket
            refused(state.emit, task, op, sock, -record.result, time_ns, sock.local)
        return
    if listener is not None and listener.socket is not None:
        announce(state.emit, task, op, listener, record.arg1 & FD, time_ns)
    parts = record.parts()
    file = open_file(parts, "", time_ns + record.elapsed_ns)
    if learn(file, parts) is None:
        if listener is None or listener.socket is None:
            return
        file.socket = _like(listener.socket)
    cloexec = op != "accept" and bool(record.arg4 & SOCK_CLOEXEC)
    _take(state, task, record, file, cloexec)
    if listener is not None and listener.socket is not None:
        file.socket.local = as_known(file.socket.local, listener.socket.local)
    peer = state.bound.spelled(file.socket.target or parse_address(parts.get(ADDRESS)))
    file.socket.target = peer
    begin_connection(
        state.emit, task, op, file, record.result, "server", peer, file.opened_ns
    )  # fmt: skip


def _like(listener: Socket) -> Socket:
    """Return what accept makes of a socket whose address nobody would tell."""
    sock = Socket(listener.domain, 1 if listener.stream else 5, listener.protocol)
    sock.local = listener.local
    return sock


def shut(state: State, task: Task, record: RawRecord, op: str) -> None:
    """One direction of a connection was ended, or both; or a socket listens no more."""
    call = _call(state, task, record)
    if call is None:
        return
    sock, time_ns = call.sock, call.time_ns
    if record.result < 0:
        refused(state.emit, task, op, sock, -record.result, time_ns, sock.local, sock.target)
        return
    if sock.state == LISTENING and record.arg2 & FD != SHUT_WR:
        sock.announced = False
        deafen(state.emit, task, sock, task.table.use(call.file), time_ns)
    if sock.flow is None:
        return
    shut_by_us(sock, sock.flow, time_ns)
    if record.arg2 & FD == SHUT_RD:
        return
    image, flow = task.group.image, sock.flow
    told = (image, task.tid, time_ns, flow, True, b"", 0, record.fd_serial, False, "")
    state.emit(build(FlowTransferred, told))


def last_word(state: State, task: Task, record: RawRecord, fd: int) -> None:
    """Learn from the kernel, before a socket may be let go, what the program did not ask."""
    file = task.table.fds.get(fd)
    if file is None or file.socket is None:
        return
    parts, sock = record.parts(), cast("Socket", file.socket)
    if sock.state == CONNECTING:
        learn(file, parts)
        if PEER in parts:
            _stands(state, task, "connect", file, fd)
    elif sock.flow is not None and len(parts.get(Part.HANGUP, b"")) == POLL.size:
        (events,) = POLL.unpack(parts[Part.HANGUP])
        if events & POLLERR and events & POLLHUP:
            ended_by(sock, sock.flow, "reset")
        elif events & POLLRDHUP:
            ended_by(sock, sock.flow, "remote")


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
    time_ns, count = record.entered_ns + state.offset_ns, record.transferred
    if not outgoing:
        time_ns += record.elapsed_ns  # bytes are there when the call returns, not when it began
    peer = _passed(parts)
    if not outgoing and peer is not None:
        peer = state.bound.spelled(as_known(peer, sock.target))
    if sock.state == CONNECTING:
        _stands(state, task, "connect", file, fd)
    elif sock.flow is None and _opens_fast(record, op, sock):
        sock.began_ns = time_ns
        sock.target = sock.target if PEER in parts else peer
        _stands(state, task, op, file, fd)
    flow = flow_with(state.emit, task, op, file, fd, peer, outgoing, time_ns)
    if not sock.stream:
        task.table.use(file).of_flow(flow).add(outgoing, count)
    if sock.ordered and not outgoing:
        _ended_perhaps(sock, flow, count, time_ns)
    data = parts.get(DATA, b"")[:count]
    early, console = not outgoing and EARLY in parts, task.table.consoles.get(fd)
    told = (
        task.group.image, task.tid, time_ns, flow, outgoing, data, count, record.fd_serial, early,
        "" if console is None else console.console,
    )  # fmt: skip
    state.emit(build(FlowTransferred, told))


def _ended_perhaps(sock: Socket, flow: Flow, count: int, time_ns: int) -> None:
    """Take nothing for the end; of messages it may have been an empty one, if more follow."""
    if not count:
        ended_by(sock, flow, "remote", time_ns)
    elif flow.reason == "remote" and not sock.stream:
        flow.reason = "local"


def _opens_fast(record: RawRecord, op: str, sock: Socket) -> bool:
    """Whether what is sent opens the connection (tcp(7), MSG_FASTOPEN)."""
    options = OPTIONS.get(op)
    return sock.stream and options is not None and bool(record.args[options] & MSG_FASTOPEN)


def move_failed(
    state: State, task: Task, record: RawRecord, op: str, file: OpenFile
) -> None:  # fmt: skip
    """Bytes could not be moved through a socket."""
    parts, sock, error = record.parts(), cast("Socket", file.socket), -record.result
    learn(file, parts)
    time_ns, peer = record.entered_ns + state.offset_ns, _passed(parts)
    opens = sock.flow is None and _opens_fast(record, op, sock)
    if opens:
        sock.target, sock.began_ns = peer, time_ns
    if error == EINPROGRESS:
        sock.state = CONNECTING if opens else sock.state
    elif opens:
        connection_failed(state.emit, task, op, file, error, time_ns)
    else:
        call = _Call(parts, 0, file, sock, time_ns, time_ns + record.elapsed_ns)
        _has_failed(state, task, op, call, error)


def paired(state: State, task: Task, record: RawRecord, fds: tuple[int, ...]) -> None:
    """Two sockets were made that are connected to each other: socketpair(2)."""
    facts = [each for each in record.all_parts(Part.SOCKET) if len(each) == SOCKET.size]
    inodes = [SOCKET.unpack(each)[4] for each in facts]
    ends = [Address("unix", "", 0, inode) for inode in inodes]
    for nth, fd in enumerate(fds):
        file = task.table.fds[fd]
        file.opened_ns += nth  # each is the channel of a flow of its own
        file.socket = sock = Socket(record.arg1 & FD, record.arg2 & FD, record.arg3 & FD)
        peer = None
        if sock.domain == AF_UNIX and len(ends) == len(fds):
            sock.local, peer = ends[nth], ends[1 - nth]
            state.sockets[inodes[nth]] = file
        begin_connection(state.emit, task, "socketpair", file, fd, "", peer, file.opened_ns)


def not_tuned(state: State, task: Task, record: RawRecord, op: str) -> None:
    """An option could not be set; these are watched for failures only."""
    call = _call(state, task, record)
    if call is not None and record.result < 0:
        sock = call.sock
        refused(state.emit, task, op, sock, -record.result, call.time_ns, sock.local, sock.target)


def told_by_another(state: State, task: Task, record: RawRecord, op: str) -> None:
    """Do nothing: the record of a socketcall(2) is that of the call it stands for."""


CALLS: dict[str, Handler] = {
    "socket": made,
    **dict.fromkeys(("bind", "listen"), bound),
    **dict.fromkeys(("connect", "io_uring_enter__connect"), connect),
    **dict.fromkeys(("accept", "accept4", "io_uring_enter__accept"), accepted),
    "getsockopt": asked_how,
    "shutdown": shut,
    "setsockopt": not_tuned,
    "socketcall": told_by_another,
}
