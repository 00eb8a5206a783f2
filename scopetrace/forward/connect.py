"""From a destination of the configuration to a link that is open."""

from __future__ import annotations

import socket

from scopetrace.config.schema import Transport
from scopetrace.forward.connections import DatagramLink, FileLink, Link, StreamLink

CONNECT_S = 5.0
"""How long a connection may take to stand, and then TLS to begin."""


def open_link(transport: Transport) -> Link:
    """Open a link, which may take `CONNECT_S` and the resolver's time.

    Raises:
        OSError, ValueError: it cannot be opened now.
    """
    if transport.type == "file":
        return FileLink(transport.path)
    if transport.type == "unix":
        return StreamLink(_connected_unix(transport.path))
    endpoint = (transport.host, transport.port)
    if transport.type == "udp":
        return DatagramLink(_connected_udp(endpoint))
    connected = socket.create_connection(endpoint, CONNECT_S)
    if not transport.encrypted:
        return StreamLink(connected)
    from scopetrace.forward.tls import TlsLink

    return TlsLink(connected, transport)


def _connected_unix(path: str) -> socket.socket:
    address = "\0" + path[1:] if path.startswith("@") else path
    return _connected(socket.AF_UNIX, socket.SOCK_STREAM, address)


def _connected_udp(endpoint: tuple[str, int]) -> list[socket.socket]:
    """Connect to those addresses of a host that there is a way to."""
    found, problem = [], OSError("it has no address")
    for family, kind, _, _, address in socket.getaddrinfo(*endpoint, type=socket.SOCK_DGRAM):
        try:
            found.append(_connected(family, kind, address))
        except OSError as error:
            problem = error
    if not found:
        raise problem
    return found


def _connected(family: int, kind: int, address: str | tuple[object, ...]) -> socket.socket:
    connected = socket.socket(family, kind)
    try:
        connected.settimeout(CONNECT_S)
        connected.connect(address)
    except BaseException:
        connected.close()
        raise
    return connected
