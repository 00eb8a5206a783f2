"""Open connections to destinations: files, stream sockets, UDP sockets.

An open connection never blocks. `send` gets bytes that begin a line or go on in one, returns how
many it took, and raises BlockingIOError while it can take none; any other OSError means that the
connection is broken. What the peer sends is read and discarded: the end of its data shows that it
closed the connection.
"""

from __future__ import annotations

import os
import select
import socket
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

CLOSE_TIMEOUT_MS = 500
"""How long the peer may take to close the connection after we shut down our side."""
READ_BYTES = 65_536


class Connection:
    """Base class: a connection that is written only."""

    keeps_partial_lines = False
    """Whether the next connection continues a line that this one ended in, as in a file."""
    has_first_line = True
    """Whether the message about the recording is sent first, as to everything but UDP."""
    poll_when_idle = 0
    """Events to poll(2) for while there is no line to send."""
    poll_when_full = select.POLLOUT
    """Events to poll(2) for after BlockingIOError."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.lost = 0
        """Lines that `send` took and that are known not to have arrived."""
        self.problem = ""
        """Why they did not arrive."""

    def send(self, lines: memoryview) -> int:
        """Send some of `lines`; return how many bytes."""
        return os.write(self.fd, lines)

    def on_readable(self) -> None:
        """Handle an event that poll(2) reported, other than POLLOUT."""
        raise BrokenPipeError("its reader has closed it")

    def finish(self) -> None:
        """Wait, for a bounded time, until what was sent has arrived."""

    def close(self) -> None:
        """Close the file descriptor."""
        os.close(self.fd)


class FileConnection(Connection):
    """A file that is appended to, or a named pipe that has a reader.

    Others may write there as well, such as metrics beside events. A write to a file is atomic, one
    to a pipe only up to PIPE_BUF bytes (pipe(7)): so a pipe gets whole lines of that size together,
    or a single line.
    """

    def __init__(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
        try:
            fd = os.open(path, flags, 0o600)
        except OSError:
            if Path(path).is_fifo():
                raise BrokenPipeError("it has no reader") from None
            raise
        super().__init__(fd)
        status = os.fstat(self.fd)
        self.keeps_partial_lines = self._is_file = stat.S_ISREG(status.st_mode)
        self._has_name = status.st_nlink > 0  # a file behind /proc/PID/fd may never have had one

    def send(self, lines: memoryview) -> int:
        """Send some of `lines`; return how many bytes.

        Raises:
            OSError: also if the file was deleted, since its lines could not be read any more.
        """
        if not self._is_file:
            held = bytes(lines)
            lines = lines[: held.rfind(b"\n", 0, select.PIPE_BUF) + 1 or held.find(b"\n") + 1]
        elif self._has_name and not os.fstat(self.fd).st_nlink:
            self.keeps_partial_lines = False
            raise FileNotFoundError("it was deleted")
        return os.write(self.fd, lines)


class StreamConnection(Connection):
    """A connected stream socket."""

    poll_when_idle = select.POLLIN
    poll_when_full = select.POLLIN | select.POLLOUT

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(connected.fileno())
        connected.setblocking(False)
        self.socket = connected

    def send(self, lines: memoryview) -> int:
        """Send some of `lines`; return how many bytes."""
        return self.socket.send(lines)

    def on_readable(self) -> None:
        """Read and discard what the peer sent.

        Raises:
            OSError: the peer has closed the connection.
        """
        with suppress(BlockingIOError):
            if not self.socket.recv(READ_BYTES):
                raise ConnectionError("the other side closed the connection")

    def finish(self) -> None:
        """Shut down our direction, and wait for the peer to close its own.

        If a socket is closed while data of the peer is unread or in flight, TCP resets the
        connection (RFC 9293, 3.6.1), and the peer may not get the last lines.
        """
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            while poll.poll(CLOSE_TIMEOUT_MS):
                self.on_readable()

    def close(self) -> None:
        """Close the file descriptor."""
        self.socket.close()


class DatagramConnection(Connection):
    """UDP: each line is a datagram; one that is refused is lost.

    UDP has no handshake that shows which address of a host name has a server. So when an address
    refuses a datagram (ECONNREFUSED), the next address is used from then on, and gets that datagram
    again. When the last one refuses, the connection is broken.

    Args:
        connected: a socket for each address, in the order in which to try them.
    """

    has_first_line = False
    poll_when_idle = select.POLLIN
    poll_when_full = select.POLLIN | select.POLLOUT

    def __init__(self, connected: Sequence[socket.socket]) -> None:
        self._socket, *self._others = connected
        super().__init__(self._socket.fileno())
        for each in connected:
            each.setblocking(False)
        self._is_one_of_several = bool(self._others)
        self._line = b""
        """The datagram that was sent last."""

    def send(self, lines: memoryview) -> int:
        """Send the first of `lines`; ECONNREFUSED is about the datagram before it (udp(7))."""
        line = bytes(lines).partition(b"\n")[0] + b"\n"
        try:
            count = self._socket.send(line)
        except BlockingIOError:
            raise
        except ConnectionRefusedError as error:
            self._use_next_address(error)
            return 0
        except OSError as error:
            self._lose(error)
            return len(line)
        self._line = line
        return count

    def on_readable(self) -> None:
        """Discard what the peer sent; ECONNREFUSED means that the last datagram was refused."""
        try:
            self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionRefusedError as error:
            self._use_next_address(error)
        except OSError as error:
            self._lose(error)

    def finish(self) -> None:
        """Find out whether the last datagram was refused, by each of the addresses."""
        untried = -1
        while untried != len(self._others):
            untried = len(self._others)
            self.on_readable()

    def close(self) -> None:
        """Close the file descriptor."""
        for each in (self._socket, *self._others):
            each.close()

    def _use_next_address(self, error: OSError) -> None:
        """Send the datagram that was refused to the next address."""
        if self._others:
            with self._others.pop(0) as other:
                os.dup2(other.fileno(), self.fd, inheritable=False)
            try:
                self._socket.send(self._line)
            except OSError as again:
                self._lose(again)
            return
        self._lose(error)
        if self._is_one_of_several:
            raise error

    def _lose(self, error: OSError) -> None:
        self.lost += 1
        self.problem = error.strerror or str(error)
