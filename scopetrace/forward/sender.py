"""One destination and the thread that sends to it.

Theory of operation. The recorder offers lines, which never blocks: they go into a bounded queue, or
are counted as not sent. The thread opens a connection and sends what is in the queue; if that fails
it retries after 1 s, 2 s, 4 s… plus a random part of a second, until a line could be sent again. A
line counts as sent when the connection took its last byte. So a line that was cut off when a
connection broke is sent again whole; one that the kernel took and the peer never read is not seen.

At the end of the recording the thread gets a few seconds for the lines that are still queued.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Sequence
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING

from scopetrace.config.destination import format_destination
from scopetrace.config.schema import Transport
from scopetrace.forward.queue import Item, SendQueue

if TYPE_CHECKING:
    from scopetrace.forward.connections import Connection

QUEUE_BYTES = 16 << 20
BATCH_BYTES = 65_536
"""About so much is taken from the queue at a time."""
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 64.0
NO_ANSWER = "it did not answer in time"
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
"""Blocked in this thread, so that the recorder's main thread gets them at once."""


class Sender:
    """Sends lines to one destination.

    Args:
        transport: where to.
        most_bytes: capacity of the queue.
        first_retry_s: time until the first retry, about.
    """

    def __init__(
        self,
        transport: Transport,
        most_bytes: int = QUEUE_BYTES,
        first_retry_s: float = FIRST_RETRY_S,
    ) -> None:
        self.first_line = b""
        """Sent first on each connection, for events; set before the first line is offered."""
        self._transport = transport
        self._first_retry_s = first_retry_s
        self._queue = SendQueue(most_bytes)
        self._refused = 0
        """Items that did not fit into the queue."""
        self._sent = 0
        """Lines that a connection took; `_lost` of them did not arrive."""
        self._lost = 0
        self._first_line_rest = b""
        """What is still to be sent of the first line."""
        self._batch = b""
        """Lines that were taken from the queue; what is before `_at` is sent."""
        self._at = 0
        self._problem = ""
        self._was_connected = False
        """Whether there was ever a connection."""
        self._continues_line = False
        """Whether the next connection continues where the last one ended, within a line."""
        self._ending = Flag()
        self._given_up = False
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = Thread(target=self._run, name="sender", daemon=True)
        self._started = False

    @property
    def unsent(self) -> int:
        """How many lines could not be sent, so far."""
        return self._refused + self._queue.entered - self._sent + self._lost

    @property
    def why_unsent(self) -> str:
        """Why lines could not be sent: a clause."""
        return self._problem or (
            "it did not take them fast enough" if self._was_connected else NO_ANSWER
        )

    @property
    def name(self) -> str:
        """The destination as users write it."""
        return format_destination(self._transport)

    def offer(self, items: Sequence[Item], encode: Callable[[Item], bytes]) -> None:
        """Queue the line of each item, if it fits. Never blocks."""
        if not items:
            return
        taken = self._queue.offer(items, encode)
        self._refused += len(items) - taken
        if taken:
            self._awaken()
        if not self._started:
            self._start()

    def end(self) -> None:
        """Let the thread end when all lines are sent or the connection fails."""
        self._ending.set()
        self._awaken()

    def join(self, patience_s: float) -> None:
        """Wait for the thread's end, at most `patience_s`; after that it sends nothing more."""
        if self._thread.is_alive():
            self._thread.join(patience_s)
        self._given_up = True
        if self._thread.is_alive():
            self._awaken()
        else:
            os.close(self._wake)

    def _awaken(self) -> None:
        os.eventfd_write(self._wake, 1)

    def _start(self) -> None:
        """Start the thread, at the first line. If that fails it is not tried again."""
        self._started = True
        try:
            self._thread.start()
        except RuntimeError as error:
            self._problem = str(error)

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        failures = 0
        while not self._given_up:
            before = self._sent
            try:
                self._use_one_connection()
                return
            except (OSError, ValueError) as error:
                self._problem = _reason(error)
            failures = failures + 1 if self._sent == before else 1
            if self._ending.wait(self.retry_s(failures)):
                return

    def _use_one_connection(self) -> None:
        """Connect, and send lines until the end, or until the connection breaks."""
        from scopetrace.forward.connect import open_connection

        connection = open_connection(self._transport)
        if connection.has_first_line and not self._continues_line:
            self._first_line_rest = self.first_line
        self._was_connected = True
        try:
            self._serve(connection)
            connection.finish()
        finally:
            self._lost += connection.lost
            self._problem = connection.problem or self._problem
            self._continues_line = connection.keeps_partial_lines
            if not connection.keeps_partial_lines:
                self._go_back()
            connection.close()

    def _serve(self, connection: Connection) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        while not self._given_up:
            wanted = self._push(connection)
            if not self._batch and self._ending.is_set() and not self._queue.size:
                return
            poll.register(connection.fd, wanted)
            for fd, happened in poll.poll():
                if fd == self._wake:
                    os.eventfd_read(self._wake)
                elif happened & ~select.POLLOUT:
                    connection.on_readable()

    def _push(self, connection: Connection) -> int:
        """Send until the queue is empty or the connection full; return what to poll(2) for."""
        try:
            while self._first_line_rest and not self._given_up:
                self._first_line_rest = self._first_line_rest[
                    connection.send(memoryview(self._first_line_rest)) :
                ]
            while not self._given_up and self._fill():
                count = connection.send(memoryview(self._batch)[self._at :])
                self._sent += self._batch.count(b"\n", self._at, self._at + count)
                self._at += count
        except BlockingIOError:
            return connection.poll_when_full
        return connection.poll_when_idle

    def _fill(self) -> bool:
        """Take a batch from the queue if the last one is sent; return whether there is one."""
        if self._at < len(self._batch):
            return True
        self._batch, self._at = b"", 0
        lazy = self._transport.type == "file" and self._transport.buffering == "full"
        if lazy and self._queue.size < BATCH_BYTES and not self._ending.is_set():
            return False
        self._batch = self._queue.take(BATCH_BYTES)
        return bool(self._batch)

    def _go_back(self) -> None:
        """Return to the beginning of a line that was cut off."""
        self._at = self._batch.rfind(b"\n", 0, self._at) + 1

    def retry_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row: exponential, with jitter."""
        jitter = int.from_bytes(os.urandom(2)) / 65_536
        longest = LONGEST_RETRY_S / FIRST_RETRY_S
        return self._first_retry_s * (min(2.0 ** min(failures - 1, 10), longest) + jitter)


def _reason(error: Exception) -> str:
    """Return what failed: the text of TLS, or of the system."""
    reason = getattr(error, "verify_message", None)
    if reason:
        return f"its certificate is not accepted: {reason}"
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)
