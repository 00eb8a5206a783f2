"""Preambles: what may come before the real protocol of a connection (a proxy, a TLS request).

Each preamble is a generator that asks for bytes of one side, as many as it needs next, and fills in
facts of the flow. It returns true where another protocol begins with the next byte of each side,
and false where none does (a proxy refused, a server has no TLS). Bytes may be cut anywhere, and the
sides may be ahead of each other: those after the end of the preamble are given back, in order.

Protocols that switch to TLS at a line of text, or in a way of their own: `protocols.starttls`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Generator, Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple

from scopetrace.model.operation import FlowTransferred
from scopetrace.streams.backlog import Backlog
from scopetrace.streams.detector import Match

MOST_BYTES = 64 * 1024
"""Of a preamble, both ways, with the bytes that were sent ahead."""

PROXY, SOCKS = "PROXY", "SOCKS"

PROXY_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
"""How the binary header begins (the PROXY protocol, version 2)."""
CLIENT, SERVER = True, False


class Need(NamedTuple):
    """The bytes that a preamble needs next."""

    client: bool
    """Whose bytes."""
    size: int = 0
    until: re.Pattern[bytes] | None = None
    """If set, the bytes up to the end of this, instead of `size`."""


Facts = dict[str, Any]
Steps = Generator[Need, bytes, bool]

_LINE = re.compile(rb"\n")
_HEAD = re.compile(rb"\n\r?\n")


def _proxy(facts: Facts) -> Steps:
    start = yield Need(CLIENT, len(PROXY_SIGNATURE))
    if start == PROXY_SIGNATURE:
        command, family, size = struct.unpack(">BBH", (yield Need(CLIENT, 4)))
        addresses = yield Need(CLIENT, size)
        if command == 0x21:  # PROXY; else LOCAL: the proxy itself is the client
            _add_binary_addresses(facts, family, addresses)
        return True
    line = start + (yield Need(CLIENT, until=_LINE))
    _word, family_name, *words = line.decode("ascii").split()
    if family_name in ("TCP4", "TCP6"):
        client, target, client_port, target_port = words
        _add_client(facts, client, int(client_port))
        _add_target(facts, target, int(target_port))
    return True


def _add_binary_addresses(facts: Facts, family: int, data: bytes) -> None:
    layout = {1: ">4s4sHH", 2: ">16s16sHH"}.get(family >> 4)
    if layout is not None:
        client, target, client_port, target_port = struct.unpack_from(layout, data)
        _add_client(facts, str(ip_address(client)), client_port)
        _add_target(facts, str(ip_address(target)), target_port)


def _add_client(facts: Facts, host: str, port: int) -> None:
    facts["net_client_ip"], facts["net_client_port"] = str(ip_address(host)), port


def _add_target(facts: Facts, host: str, port: int) -> None:
    facts["net_target_host"], facts["net_target_port"] = host, port


def _socks4(facts: Facts) -> Steps:
    _version, command, port, address = struct.unpack(">BBH4s", (yield Need(CLIENT, 8)))
    yield Need(CLIENT, until=_NUL)
    host = str(ip_address(address))
    if host.startswith("0.0.0.") and host != "0.0.0.0":  # SOCKS 4a: a name follows
        host = _text((yield Need(CLIENT, until=_NUL))[:-1])
    _add_target(facts, host, port)
    _zero, granted = struct.unpack(">BB6x", (yield Need(SERVER, 8)))
    return bool(command == _CONNECT and granted == _GRANTED_4)


def _socks5(facts: Facts) -> Steps:
    _version, methods = yield Need(CLIENT, 2)
    yield Need(CLIENT, methods)
    _version, method = yield Need(SERVER, 2)
    if method == _WITH_PASSWORD:
        if not (yield from _socks5_password()):
            return False
    elif method:
        return False
    command, host, port = yield from _socks5_message(CLIENT)
    _add_target(facts, host, port)
    reply, _host, _port = yield from _socks5_message(SERVER)
    return command == _CONNECT and not reply


def _socks5_password() -> Steps:
    """Skip name and password (RFC 1929)."""
    _version, size = yield Need(CLIENT, 2)
    yield Need(CLIENT, size)
    (size,) = yield Need(CLIENT, 1)
    yield Need(CLIENT, size)
    _version, refused = yield Need(SERVER, 2)
    return not refused


def _socks5_message(side: bool) -> Generator[Need, bytes, tuple[int, str, int]]:
    """Return the command or the reply, and the address (RFC 1928, sections 4 to 6)."""
    _version, code, _reserved, kind = yield Need(side, 4)
    if kind == _NAME:
        (size,) = yield Need(side, 1)
        host = _text((yield Need(side, size)))
    else:
        host = str(ip_address((yield Need(side, _IP_SIZES[kind]))))
    port = int.from_bytes((yield Need(side, 2)), "big")
    return code, host, port


_NUL = re.compile(rb"\0")
_CONNECT, _GRANTED_4, _WITH_PASSWORD, _NAME = 1, 90, 2, 3
_IP_SIZES = {1: 4, 4: 16}


def _connect(facts: Facts) -> Steps:
    """Follow HTTP's CONNECT (RFC 9110, 9.3.6), also after a proxy has asked for credentials."""
    while True:
        method, target, *_ = (yield Need(CLIENT, until=_HEAD)).split(maxsplit=2)
        if method != b"CONNECT":
            return False
        host, _, port = _text(target).rpartition(":")
        _add_target(facts, host.strip("[]"), int(port))
        answer, status = b"", 0
        while status < 200:
            answer = yield Need(SERVER, until=_HEAD)
            status = int(answer.split(maxsplit=2)[1])
        if status < 300:
            return True
        yield from _body(answer.lower())


_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r?\n")
_CHUNKED = re.compile(rb"\ntransfer-encoding:[ \t]*chunked[ \t]*\r?\n")


def _body(head: bytes) -> Generator[Need, bytes, None]:
    """Skip the body of a response."""
    length = _LENGTH.search(head)
    if length is not None:
        yield Need(SERVER, int(length[1]))
    elif _CHUNKED.search(head):
        while size := int((yield Need(SERVER, until=_LINE)).partition(b";")[0], 16):
            yield Need(SERVER, size)
            yield Need(SERVER, until=_LINE)
        while (yield Need(SERVER, until=_LINE)).strip():
            pass
    else:
        raise ValueError("a body that ends with the connection")


def _postgresql(facts: Facts) -> Steps:
    """Follow SSLRequest and GSSENCRequest, of which a client may try both."""
    while (request := (yield Need(CLIENT, 8))) in (_SSL_REQUEST, _GSS_REQUEST):
        answer = yield Need(SERVER, 1)
        if answer != b"N":
            return answer == b"S" and request == _SSL_REQUEST
    return False


_SSL_REQUEST, _GSS_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f", b"\0\0\0\x08\x04\xd2\x16\x30"


def _mysql(facts: Facts) -> Steps:
    """Follow the server's greeting and the client's SSL request, after which TLS begins."""
    yield Need(SERVER, _size_of_packet((yield Need(SERVER, 4))))
    if _size_of_packet((yield Need(CLIENT, 4))) != _MYSQL_SSL_REQUEST:
        return False
    capabilities = yield Need(CLIENT, _MYSQL_SSL_REQUEST)
    return bool(int.from_bytes(capabilities[:4], "little") & _MYSQL_SSL)


_MYSQL_SSL_REQUEST, _MYSQL_SSL = 32, 0x800


def _size_of_packet(header: bytes) -> int:
    return int.from_bytes(header[:3], "little")


def _tds(facts: Facts) -> Steps:
    """Follow PRELOGIN of SQL Server: TLS begins in a packet of that type (MS-TDS)."""
    yield Need(CLIENT, _tds_size((yield Need(CLIENT, _TDS_HEADER))))
    yield Need(SERVER, _tds_size((yield Need(SERVER, _TDS_HEADER))))
    return (yield Need(CLIENT, _TDS_HEADER))[0] == _PRELOGIN


_TDS_HEADER, _PRELOGIN = 8, 0x12


def _tds_size(header: bytes) -> int:
    return int.from_bytes(header[2:4], "big") - _TDS_HEADER


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


class Kind(NamedTuple):
    """A kind of preamble."""

    protocol: str
    """The protocol that is recognised in it."""
    begins: bytes
    """The first bytes of the side that sends first."""
    first: bool
    """Which side that is."""
    steps: Callable[[Facts], Steps]


KINDS = (
    Kind(PROXY, b"PROXY ", CLIENT, _proxy),
    Kind(PROXY, PROXY_SIGNATURE, CLIENT, _proxy),
    Kind(SOCKS, b"\4", CLIENT, _socks4),
    Kind(SOCKS, b"\5", CLIENT, _socks5),
    Kind("HTTP", b"CONNECT ", CLIENT, _connect),
    Kind("PostgreSQL", _SSL_REQUEST[:-1], CLIENT, _postgresql),
    Kind("MySQL", b"", SERVER, _mysql),
    Kind("TDS", b"\x12\1", CLIENT, _tds),
)


class Preamble:
    """A preamble that is being read.

    Args:
        match: as what it was recognised.
        kind: which one it is.
        client_is_outgoing: whether this side is the client.
    """

    def __init__(self, match: Match, kind: Kind, client_is_outgoing: bool) -> None:
        self.match = match
        self.is_emitted_at_its_end = match.name in (PROXY, SOCKS)
        """It is nothing but a preamble, so its net.app has the facts that it gave."""
        self.facts: Facts = {}
        self._client_is_outgoing = client_is_outgoing
        self._backlog = Backlog()
        self._data = {CLIENT: bytearray(), SERVER: bytearray()}
        self._used = {CLIENT: 0, SERVER: 0}
        self._searched = 0
        self._steps = kind.steps(self.facts)
        self._need = next(self._steps)

    def feed(self, operation: FlowTransferred) -> bool | None:
        """Read the next bytes.

        Return true if another protocol begins after them, false if none will, None if the preamble
        goes on.
        """
        self._backlog.add(operation)
        self._data[operation.outgoing == self._client_is_outgoing] += operation.data
        if operation.transferred > len(operation.data):
            return False
        if sum(len(data) for data in self._data.values()) > MOST_BYTES:
            return False
        try:
            while (part := self._part(self._need)) is not None:
                self._need = self._steps.send(part)
        except StopIteration as end:
            return bool(end.value)
        except (ValueError, KeyError, IndexError, struct.error):
            return False
        return None

    def rest(self) -> Iterator[FlowTransferred]:
        """Yield the bytes after the preamble, in order."""
        used = dict(self._used)
        for operation in self._backlog:
            client = operation.outgoing == self._client_is_outgoing
            skipped = min(used[client], len(operation.data))
            used[client] -= skipped
            if not skipped or skipped < len(operation.data):
                data = operation.data[skipped:]
                yield operation._replace(data=data, transferred=operation.transferred - skipped)

    def _part(self, need: Need) -> bytes | None:
        """Return the bytes that are needed, if all have come."""
        if need.size < 0:
            raise ValueError("a size below 0")
        data, at = self._data[need.client], self._used[need.client]
        end = at + need.size
        if need.until is not None:
            found = need.until.search(data, max(at, self._searched - 2))
            self._searched = 0 if found else len(data)
            end = found.end() if found else len(data) + 1
        if end > len(data):
            return None
        self._used[need.client] = end
        return bytes(data[at:end])


def begun(match: Match, role: str, heads: list[bytes]) -> Preamble | None:
    """Return the preamble that a flow has begun with, if any.

    Args:
        match: what it was recognised as.
        role: of this side (`Flow.role`).
        heads: the first bytes that came in, and that went out.
    """
    for kind in KINDS:
        if kind.protocol != match.name:
            continue
        for outgoing in (True, False):
            client_is_outgoing = outgoing == kind.first
            fits = role in ("", "client" if client_is_outgoing else "server")
            if fits and heads[outgoing] and heads[outgoing].startswith(kind.begins):
                return Preamble(match, kind, client_is_outgoing)
    return None
