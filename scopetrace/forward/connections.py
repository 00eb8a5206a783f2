"""Open connections to destinations: all the ways in which lines leave.

A link never waits once it is open. It is given bytes that begin a line or go on in one, says how
many it took, and raises BlockingIOError while it can take none. Any other OSError means that it is
of no use any more. What the other side says is read and forgotten; that it has nothing more to say
is how a link learns that it was left.
"""

from __future__ import annotations

import os
import select
import socket
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

FAREWELL_MS = 500
"""How long the other side may be silent before it closes a connection that we have closed."""
READ_BYTES = 65_536


class Link:
    """What is open: this base class is a link that hears nothing."""

    resumes = False
    """Whether the next link to the same destination goes on where this one ended, within a line."""
    greets = True
    """Whether it has a beginning, and so a first line."""
    heeds = 0
    """What to watch it for (poll(2)) while there is nothing to send."""
    awaits = select.POLLOUT
    """What to watch it for when it could take no more."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.lost = 0
        """Lines that it took and that are known not to have arrived."""
        self.problem = ""
        """Why they did not."""

    def send(self, lines: memoryview) -> int:
        """Send some of `lines`; return how many bytes."""
        return os.write(self.fd, lines)

    def hear(self) -> None:
        """See what has happened on the other side, since poll(2) says that something has."""
        raise BrokenPipeError("nobody reads it any more")

    def finish(self) -> None:
        """All has been sent: see that it arrives."""

    def close(self) -> None:
        """Let go of it."""
        os.close(self.fd)


class FileLink(Link):
    """A file that is appended to, or a named pipe that somebody reads.

    Others may write there as well, such as metrics beside events. A file takes all of a write at
    once, but a pipe is sure to only with PIPE_BUF bytes (pipe(7)): it is given whole lines of that
    many, or a single line.
    """

    def __init__(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
        try:
            fd = os.open(path, flags, 0o600)
        except OSError:
            if Path(path).is_fifo():
                raise BrokenPipeError("nobody reads it") from None
            raise
        super().__init__(fd)
        status = os.fstat(self.fd)
        self.resumes = self._is_file = stat.S_ISREG(status.st_mode)
        self._has_name = status.st_nlink > 0  # a file behind /proc/PID/fd may never have had one

    def send(self, lines: memoryview) -> int:
        """Send some of `lines`; return how many bytes.

        Raises:
            OSError: also if the file was deleted: nobody would ever read what is written to it.
        """
        if not self._is_file:
            held = bytes(lines)
            lines = lines[: held.rfind(b"\n", 0, select.PIPE_BUF) + 1 or held.find(b"\n") + 1]
        elif self._has_name and not os.fstat(self.fd).st_nlink:
            self.resumes = False
            raise FileNotFoundError("it was deleted")
        return os.write(self.fd, lines)


class StreamLink(Link):
    """A connected stream socket."""

    heeds = select.POLLIN
    awaits = select.POLLIN | select.POLLOUT

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(connected.fileno())
        connected.setblocking(False)
        self.socket = connected

    def send(self, lines: memoryview) -> int:
        """Send some of `lines`; return how many bytes."""
        return self.socket.send(lines)

    def hear(self) -> None:
        """Forget what the other side says.

        Raises:
            OSError: it has closed the connection.
        """
        with suppress(BlockingIOError):
            if not self.socket.recv(READ_BYTES):
                raise ConnectionError("the other side closed the connection")

    def finish(self) -> None:
        """Close our direction, and wait for the other side to close its own.

        If a socket is closed while something of the other side is unread or under way, TCP resets
        the connection (RFC 9293, 3.6.1), and the last lines may never be read.
        """
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            while poll.poll(FAREWELL_MS):
                self.hear()

    def close(self) -> None:
        """Let go of it."""
        self.socket.close()


class DatagramLink(Link):
    """A UDP socket: each line is a datagram, and one that is refused is lost.

    No connection tells which address of a name is listened at, as TCP's does: when one refuses, the
    next is taken, with the line that was refused. A link whose last one refuses is of no use any
    more.

    Args:
        connected: to each address, in the order in which to try them.
    """

    greets = False
    heeds = select.POLLIN
    awaits = select.POLLIN | select.POLLOUT

    def __init__(self, connected: Sequence[socket.socket]) -> None:
        self._socket, *self._others = connected
        super().__init__(self._socket.fileno())
        for each in connected:
            each.setblocking(False)
        self._is_one_of_several = bool(self._others)
        self._line = b""
        """What was sent last."""

    def send(self, lines: memoryview) -> int:
        """Send the first of `lines`; that nobody listens is said of one before it (udp(7))."""
        line = bytes(lines).partition(b"\n")[0] + b"\n"
        try:
            count = self._socket.send(line)
        except BlockingIOError:
            raise
        except ConnectionRefusedError as error:
            self._turn(error)
            return 0
        except OSError as error:
            self._lose(error)
            return len(line)
        self._line = line
        return count

    def hear(self) -> None:
        """Forget what the other side says; that nobody listens is a datagram refused."""
        try:
            self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionRefusedError as error:
            self._turn(error)
        except OSError as error:
            self._lose(error)

    def finish(self) -> None:
        """See whether the last one was refused, by all that it goes to."""
        untried = -1
        while untried != len(self._others):
            untried = len(self._others)
            self.hear()

    def close(self) -> None:
        """Let go of it."""
        for each in (self._socket, *self._others):
            each.close()

    def _turn(self, error: OSError) -> None:
        """Send what was refused to the next address."""
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
