"""Open a connection to a destination of the configuration."""

from __future__ import annotations

import socket

from scopetrace.config.schema import Transport
from scopetrace.forward.connections import (
    Connection,
    DatagramConnection,
    FileConnection,
    StreamConnection,
)

CONNECT_TIMEOUT_S = 5.0
"""For connect(2), and again for the TLS handshake."""


def open_connection(transport: Transport) -> Connection:
    """Open a connection; it can take `CONNECT_TIMEOUT_S` twice and the resolver's time.

    Raises:
        OSError, ValueError: it cannot be opened now.
    """
    if transport.type == "file":
        return FileConnection(transport.path)
    if transport.type == "unix":
        return StreamConnection(_connected_unix(transport.path))
    endpoint = (transport.host, transport.port)
    if transport.type == "udp":
        return DatagramConnection(_connected_udp(endpoint))
    connected = socket.create_connection(endpoint, CONNECT_TIMEOUT_S)
    if not transport.encrypted:
        return StreamConnection(connected)
    from scopetrace.forward.tls import TlsConnection

    return TlsConnection(connected, transport)


def _connected_unix(path: str) -> socket.socket:
    address = "\0" + path[1:] if path.startswith("@") else path
    return _connected(socket.AF_UNIX, socket.SOCK_STREAM, address)


def _connected_udp(endpoint: tuple[str, int]) -> list[socket.socket]:
    """Connect a socket to each address of a host that has a route."""
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
        connected.settimeout(CONNECT_TIMEOUT_S)
        connected.connect(address)
    except BaseException:
        connected.close()
        raise
    return connected
