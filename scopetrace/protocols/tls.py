"""TLS: the ClientHello and the ServerHello, which are not encrypted.

A hello is read by hand from the records that carry it, which may be several (RFC 8446, sections 4.1
and 5.1); of its extensions only the server's name (RFC 6066), the protocols offered above TLS
(RFC 7301) and the versions count. Values that are there to be ignored (GREASE, RFC 8701) are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LONGEST = 16 * 1024
"""Bytes of a direction that are looked at for a hello."""

MOST_RECORDS = 64
"""Records that are looked at for it; a library that cuts it makes them of 512 bytes or more."""

CLIENT_HELLO, SERVER_HELLO = 1, 2

SERVER_NAME, ALPN, SUPPORTED_VERSIONS = 0, 16, 43

VERSIONS = {
    0x0300: "SSLv3",
    0x0301: "TLSv1.0",
    0x0302: "TLSv1.1",
    0x0303: "TLSv1.2",
    0x0304: "TLSv1.3",
}

_RECORD_HEADER = 5
_MOST_IN_RECORD = 2**14 + 2048
_HANDSHAKE = 22


class Hello(NamedTuple):
    """What is read of a ClientHello or a ServerHello."""

    version: str
    """The highest offered, or the one chosen; empty if it is not in `VERSIONS`."""
    server_name: str
    """The name of the server that the client wants; empty if it gives none."""
    alpn: tuple[str, ...]
    """Protocols offered, the best first, or the one chosen."""


def begins_hello(data: bytes, kind: int) -> bool | None:
    """Return whether a direction begins with a hello; None: too little has come to tell."""
    if not _begins_record(data):
        return False
    message = _handshake(data, 5)
    start = bytes((kind, 0))
    if not start.startswith(message[:2]) or (len(message) > 4 and message[4] != 3):
        return False
    return True if len(message) > 4 else None


def read_hello(data: bytes, kind: int) -> Hello | None:
    """Return the hello of a direction; None: it is not whole, or makes no sense.

    One that is longer than `LONGEST` is read as far as that.
    """
    message = _handshake(data)
    size = int.from_bytes(message[1:4], "big")
    cut = size > len(message) - 4
    if message[:1] != bytes((kind,)) or not size or (cut and len(data) < LONGEST):
        return None
    try:
        return _hello(_Cursor(message[4 : 4 + size]), kind, cut)
    except ValueError:
        return None


def is_whole(data: bytes) -> bool:
    """Return whether all of the first message of a direction has come."""
    message = _handshake(data)
    return len(message) >= 4 and len(message) - 4 >= int.from_bytes(message[1:4], "big")


def begins_old_hello(data: bytes) -> bool | None:
    """Return whether a direction begins with a ClientHello in the form of SSLv2 (RFC 5246, E.2)."""
    for place, allowed in enumerate((range(0x80, 0x100), range(256), (1,), (0, 3))):
        if place < len(data) and data[place] not in allowed:
            return False
    if len(data) < 11:
        return None
    size = int.from_bytes(data[:2], "big") & 0x7FFF
    version, ciphers, session, challenge = (
        int.from_bytes(data[at : at + 2], "big") for at in (3, 5, 7, 9)
    )
    return (
        (version == 2 or version in VERSIONS)
        and size == 9 + ciphers + session + challenge
        and ciphers % 3 == 0 < ciphers
        and session in (0, 16)
        and 16 <= challenge <= 32
    )


class _Cursor:
    """Takes vectors off the front of bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        if len(taken) < size:
            raise ValueError("cut short")
        self.at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """Take a vector whose length is a number of `size` bytes."""
        return self.take(self.number(size))

    def is_left(self) -> bool:
        return self.at < len(self.data)


def _begins_record(data: bytes) -> bool:
    """Return whether these may be the first bytes of a record of handshake messages."""
    for place, allowed in enumerate(((_HANDSHAKE,), (3,), range(5))):
        if place < len(data) and data[place] not in allowed:
            return False
    size = int.from_bytes(data[3:5], "big")
    return len(data) < _RECORD_HEADER or 0 < size <= _MOST_IN_RECORD


def _handshake(data: bytes, most: int = LONGEST) -> bytes:
    """Return what the records at the start of a direction carry, as far as it has come."""
    message = bytearray()
    at, end = 0, min(len(data), LONGEST)
    for _ in range(MOST_RECORDS):
        if at >= end or data[at] != _HANDSHAKE or len(message) >= most:
            break
        begin = at + _RECORD_HEADER
        at = begin + int.from_bytes(data[at + 3 : begin], "big")
        message += data[begin : min(at, end, begin + most)]
    return bytes(message)


def _hello(body: _Cursor, kind: int, cut: bool) -> Hello:
    version = body.number(2)
    body.take(32)
    body.vector(1)
    if kind == CLIENT_HELLO:
        body.vector(2)
        body.vector(1)
    else:
        body.take(3)
    extensions = dict(_extensions(body, cut) if body.is_left() else ())
    return Hello(
        _version(version, extensions.get(SUPPORTED_VERSIONS, b""), kind),
        _server_name(extensions.get(SERVER_NAME, b"")),
        tuple(_protocols(extensions.get(ALPN, b""))),
    )


def _extensions(body: _Cursor, cut: bool) -> Iterator[tuple[int, bytes]]:
    size = body.number(2)
    cursor = _Cursor(body.data[body.at :] if cut else body.take(size))
    while cursor.is_left():
        try:
            extension = cursor.number(2), cursor.vector(2)
        except ValueError:
            if cut:
                return
            raise
        yield extension


def _version(legacy: int, supported: bytes, kind: int) -> str:
    """Return the highest version that is offered, or the one that is chosen."""
    listed = supported[1:] if kind == CLIENT_HELLO else supported
    numbers = [int.from_bytes(listed[at : at + 2], "big") for at in range(0, len(listed), 2)]
    known = [number for number in numbers if number in VERSIONS]
    return VERSIONS.get(max(known, default=legacy), "")


def _server_name(extension: bytes) -> str:
    """Return the name of type host_name, which is the only type there is."""
    if not extension:
        return ""
    names = _Cursor(_Cursor(extension).vector(2))
    while names.is_left():
        kind, name = names.number(1), names.vector(2)
        if kind == 0:
            return _text(name)
    return ""


def _protocols(extension: bytes) -> Iterator[str]:
    if not extension:
        return
    names = _Cursor(_Cursor(extension).vector(2))
    while names.is_left():
        name = names.vector(1)
        if not _is_grease(name):
            yield _text(name)


def _is_grease(name: bytes) -> bool:
    return len(name) == 2 and name[0] == name[1] and name[0] & 0x0F == 0x0A


def _text(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace")
