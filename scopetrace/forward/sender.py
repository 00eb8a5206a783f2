"""One destination and the thread that sends to it.

Theory of operation. The recorder offers lines, which never waits: they go into a bounded queue, or
are counted as not sent. The thread opens a link and empties the queue into it; if that fails it
waits 1 s, 2 s, 4 s… and a little, until something could be sent again. A line is sent when the link
took its last byte. So one that was cut off when a connection broke is sent again as a whole; one
that the kernel took but the other side never read is beyond our knowledge.

At the end the thread is given a while for what still waits, if it has a link or is opening one.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Sequence
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING

from scopetrace.config.destination import spell_destination
from scopetrace.config.schema import Transport
from scopetrace.forward.queue import Item, Outbox

if TYPE_CHECKING:
    from scopetrace.forward.connections import Link

MOST_WAITING_BYTES = 16 << 20
AT_ONCE_BYTES = 65_536
"""About so much is taken from the queue at a time."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 64.0
SILENT = "it did not answer in time"
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
"""Those are the recorder's: its main thread is to hear them at once."""


class Sender:
    """Sends lines to one destination.

    Args:
        transport: where to.
        most_bytes: how much may wait.
        first_pause_s: how long the pause after the first failure is, about.
    """

    def __init__(
        self,
        transport: Transport,
        most_bytes: int = MOST_WAITING_BYTES,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self.greeting = b""
        """A line that each link begins with, for events; set before there is anything to send."""
        self._transport = transport
        self._first_pause_s = first_pause_s
        self._outbox = Outbox(most_bytes)
        self._refused = 0
        """Items that there was no room for."""
        self._sent = 0
        """Lines of which a link took all; `_lost` of them did not arrive."""
        self._lost = 0
        self._unsaid = b""
        """What the link still lacks of the greeting."""
        self._rest = b""
        """Lines that were taken from the queue; those before `_at` are sent."""
        self._at = 0
        self._problem = ""
        self._linked = False
        """Whether there was ever a link."""
        self._resumes = False
        """Whether the next link goes on where the last one ended."""
        self._ending = Flag()
        self._given_up = False
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = Thread(target=self._run, name="sender", daemon=True)
        self._started = False

    @property
    def unsent(self) -> int:
        """How many lines could not be sent, so far."""
        return self._refused + self._outbox.entered - self._sent + self._lost

    @property
    def why_unsent(self) -> str:
        """What was in the way, in words."""
        return self._problem or ("it did not take them fast enough" if self._linked else SILENT)

    @property
    def name(self) -> str:
        """The destination as users write it."""
        return spell_destination(self._transport)

    def offer(self, items: Sequence[Item], encode: Callable[[Item], bytes]) -> None:
        """Send the line of each item, if there is room for it. This never waits."""
        if not items:
            return
        taken = self._outbox.offer(items, encode)
        self._refused += len(items) - taken
        if taken:
            self._awaken()
        if not self._started:
            self._start()

    def end(self) -> None:
        """Let the thread end when all is sent, or cannot be sent now."""
        self._ending.set()
        self._awaken()

    def join(self, patience_s: float) -> None:
        """Wait for that, but no longer than so many seconds; then nothing more is sent."""
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
        """Start the thread, at the first line that there is. There is no second try."""
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
                self._use_one_link()
                return
            except (OSError, ValueError) as error:
                self._problem = _in_words(error)
            failures = failures + 1 if self._sent == before else 1
            if self._ending.wait(self.pause_s(failures)):
                return

    def _use_one_link(self) -> None:
        """Send all that comes until the end, or until the link breaks."""
        from scopetrace.forward.connect import open_link

        link = open_link(self._transport)
        if link.greets and not self._resumes:
            self._unsaid = self.greeting
        self._linked = True
        try:
            self._serve(link)
            link.finish()
        finally:
            self._lost += link.lost
            self._problem = link.problem or self._problem
            self._resumes = link.resumes
            if not link.resumes:
                self._go_back()
            link.close()

    def _serve(self, link: Link) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        while not self._given_up:
            wanted = self._push(link)
            if not self._rest and self._ending.is_set() and not self._outbox.size:
                return
            poll.register(link.fd, wanted)
            for fd, happened in poll.poll():
                if fd == self._wake:
                    os.eventfd_read(self._wake)
                elif happened & ~select.POLLOUT:
                    link.hear()

    def _push(self, link: Link) -> int:
        """Send all there is, or what the link takes; return what to watch it for then."""
        try:
            while self._unsaid and not self._given_up:
                self._unsaid = self._unsaid[link.send(memoryview(self._unsaid)) :]
            while not self._given_up and self._fill():
                count = link.send(memoryview(self._rest)[self._at :])
                self._sent += self._rest.count(b"\n", self._at, self._at + count)
                self._at += count
        except BlockingIOError:
            return link.awaits
        return link.heeds

    def _fill(self) -> bool:
        """Take lines from the queue if none are at hand; return whether there are any."""
        if self._at < len(self._rest):
            return True
        self._rest, self._at = b"", 0
        lazy = self._transport.type == "file" and self._transport.buffering == "full"
        if lazy and self._outbox.size < AT_ONCE_BYTES and not self._ending.is_set():
            return False
        self._rest = self._outbox.take(AT_ONCE_BYTES)
        return bool(self._rest)

    def _go_back(self) -> None:
        """Return to the beginning of a line that was cut off."""
        self._at = self._rest.rfind(b"\n", 0, self._at) + 1

    def pause_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row."""
        jitter = int.from_bytes(os.urandom(2)) / 65_536
        longest = LONGEST_PAUSE_S / FIRST_PAUSE_S
        return self._first_pause_s * (min(2.0 ** min(failures - 1, 10), longest) + jitter)


def _in_words(error: Exception) -> str:
    """Return what went wrong; errors of TLS have words of their own."""
    reason = getattr(error, "verify_message", None)
    if reason:
        return f"its certificate is not accepted: {reason}"
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)
