"""TLS connections: the server's certificate is checked unless `validateserver` is false."""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress

from scopetrace.config.schema import Transport
from scopetrace.forward.connections import READ_BYTES, StreamConnection


class TlsConnection(StreamConnection):
    """An encrypted stream socket; the timeout of `connected` limits the TLS handshake."""

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
            self.poll_when_full = select.POLLIN
        except ssl.SSLWantWriteError:
            self.poll_when_full = select.POLLIN | select.POLLOUT
        raise BlockingIOError

    def on_readable(self) -> None:
        """Read and discard all decrypted data: poll(2) does not report what TLS has buffered."""
        with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while self._encrypted.recv(READ_BYTES):
                if not self._encrypted.pending():
                    return
            raise ConnectionError("the other side closed the connection")

    def finish(self) -> None:
        """Send close_notify (RFC 8446, 6.1), then shut down the connection."""
        with suppress(OSError, ValueError):
            self._encrypted.unwrap()
        super().finish()


def tls_context(transport: Transport) -> ssl.SSLContext:
    """Return the TLS settings for a destination.

    Raises:
        OSError: the file of certificates cannot be read or holds none.
    """
    context = ssl.create_default_context(cafile=transport.tls.cacertpath or None)
    if not transport.tls.validateserver:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
