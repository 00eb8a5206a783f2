"""TLS on a connection: the other side is who it should be, unless that need not be so."""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress

from scopetrace.config.schema import Transport
from scopetrace.forward.connections import READ_BYTES, StreamLink


class TlsLink(StreamLink):
    """An encrypted stream socket. The handshake has the time that `connected` allows."""

    def __init__(self, connected: socket.socket, transport: Transport) -> None:
        try:
            context = tls_context(transport)
            encrypted = context.wrap_socket(connected, server_hostname=transport.host)
        except BaseException:
            connected.close()
            raise
        super().__init__(encrypted)
        self._encrypted = encrypted

    def send(self, lines: memoryview) -> int:
        """Send some of `lines`; return how many bytes."""
        try:
            return self._encrypted.send(lines)
        except ssl.SSLWantReadError:
            self.awaits = select.POLLIN
        except ssl.SSLWantWriteError:
            self.awaits = select.POLLIN | select.POLLOUT
        raise BlockingIOError

    def hear(self) -> None:
        """Forget what the other side says, all that is decrypted: poll(2) does not know of it."""
        with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while self._encrypted.recv(READ_BYTES):
                if not self._encrypted.pending():
                    return
            raise ConnectionError("the other side closed the connection")

    def finish(self) -> None:
        """Say that this is the end, first within TLS."""
        with suppress(OSError, ValueError):
            self._encrypted.unwrap()
        super().finish()


def tls_context(transport: Transport) -> ssl.SSLContext:
    """Return how a destination is spoken to.

    Raises:
        OSError: the file of certificates is of no use.
    """
    context = ssl.create_default_context(cafile=transport.tls.cacertpath or None)
    if not transport.tls.validateserver:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
