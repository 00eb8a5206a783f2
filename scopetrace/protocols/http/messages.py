"""Requests and responses, as both versions of HTTP have them, and what a parser may hold of them.

A body is counted and never kept. The parsers (`http1`, `http2`) hand messages to an `Emitter` and
raise no other exception than `Unreadable`, where they cannot go on.
"""

from __future__ import annotations

from typing import Any, Protocol

from scopetrace.protocols.http.headers import Headers

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client of HTTP/2 sends first (RFC 9113, 3.4)."""

MOST_HEAD = 65_536
"""The longest header, in bytes: eight times what servers accept by default."""
TOO_LONG = "a header is too long"

LEAST_WEIGHT = 1024
"""The weight of a request with a shorter header: so no more than 1024 requests wait in 1 MiB."""


class Unreadable(Exception):
    """A flow cannot be read further; the text says why, to follow "could not be read further:"."""


class Message:
    """What requests and responses have in common."""

    __slots__ = (
        "after_loss",
        "began_ns",
        "counted",
        "declared",
        "emitted",
        "noted",
        "stream",
        "truncated",
        "version",
    )

    def __init__(self, version: str, began_ns: int, declared: int | None, stream: int = 0) -> None:
        self.version = version
        """1.0, 1.1 or 2.0."""
        self.began_ns = began_ns
        """When its first byte was received or sent."""
        self.declared = declared
        """Its Content-Length; None: it has none that counts."""
        self.stream = stream
        """Its stream of HTTP/2; 0: it is of HTTP/1."""
        self.counted: int | None = None
        """Bytes of its body; None: it has none, or they could not be counted."""
        self.after_loss = False
        """It was found by resynchronisation: its boundaries are inferred, not known (`side`)."""
        self.truncated = False
        """Its header is longer than `MOST_HEAD`, so that not all of it is known."""
        self.noted: Any = None
        """The emitter's: what it took of the header."""
        self.emitted = False
        """The emitter's: it has emitted this message."""

    @property
    def length(self) -> int | None:
        """How long its body is, as declared or else as counted."""
        return self.counted if self.declared is None else self.declared


class Request(Message):
    """A request."""

    __slots__ = (
        "expects_continue",
        "frame",
        "grpc_method",
        "headed_ns",
        "host",
        "method",
        "refused",
        "scheme",
        "target",
        "weight",
    )

    def __init__(
        self,
        version: str,
        times: tuple[int, int],
        method: str,
        target: str,
        scheme: str,
        host: str,
        declared: int | None,
        weight: int,
        stream: int = 0,
    ) -> None:
        super().__init__(version, times[0], declared, stream)
        self.headed_ns = times[1]
        """When its header was complete."""
        self.method = method
        self.target = target
        self.scheme = scheme
        self.host = host
        self.frame = ""
        """Of HTTP/2: the frame that its header came in."""
        self.grpc_method = ""
        """What it calls, if it is a call of gRPC."""
        self.weight = max(weight, LEAST_WEIGHT)
        """The bytes that it counts as, of those that may be held of a flow (`Budget`)."""
        self.expects_continue = False
        """Its body waits for 100 Continue (RFC 9110, 10.1.1)."""
        self.refused = False
        """An error was answered instead of 100 Continue, so its body need not follow."""


class Response(Message):
    """A final response (not an interim one); `request` is None if none was seen that it answers."""

    __slots__ = ("grpc_message", "grpc_status", "reason", "request", "status")

    def __init__(
        self,
        version: str,
        began_ns: int,
        status: int,
        request: Request | None,
        declared: int | None,
        stream: int = 0,
    ) -> None:
        super().__init__(version, began_ns, declared, stream)
        self.status = status
        self.request = request
        self.reason = ""
        """The reason phrase of its status line."""
        self.grpc_status: int | None = None
        self.grpc_message = ""

    @property
    def is_bare(self) -> bool:
        """Whether it may not have a body, whatever it declares (RFC 9110, 6.4.1)."""
        return self.status in (204, 304) or self.answers("HEAD")

    @property
    def is_counted(self) -> bool:
        """Whether the bytes of its body are its length; else that is of one sent elsewhere."""
        return self.status not in (101, 304) and not self.answers("HEAD") and not self.is_tunnel

    @property
    def awaits_count(self) -> bool:
        """Whether its length is known only at the end of its body."""
        return self.declared is None and self.is_counted

    @property
    def is_tunnel(self) -> bool:
        """Whether HTTP ends with it, as CONNECT asked."""
        return self.answers("CONNECT") and 200 <= self.status < 300

    def answers(self, method: str) -> bool:
        """Return whether it answers a request of this method."""
        return self.request is not None and self.request.method == method


class Emitter(Protocol):
    """Takes the messages of one flow while a parser finds them in its bytes."""

    def request_began(self, request: Request, headers: Headers) -> None:
        """Take what is wanted of a request's header, which is not kept."""

    def response_began(self, response: Response, headers: Headers) -> None:
        """Take what is wanted of a response's header, which is not kept."""

    def request(self, request: Request) -> None:
        """Take a request whose length is known, or will not be. May be called again for it."""

    def response(self, response: Response) -> None:
        """Take a response likewise; its request, if there is one, comes before it."""

    def grpc(self) -> None:
        """Note that a request is a call of gRPC."""


class Budget:
    """What may still be held of a flow, in bytes: above all, requests that await their response.

    Methods that hold more raise `Unreadable` if there is not so much left.
    """

    __slots__ = ("_left",)

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes

    def take(self, request: Request) -> None:
        """Hold a request."""
        self.hold(request.weight)

    def grow(self, request: Request, size: int) -> None:
        """Hold more with a request: its response."""
        request.weight += size
        self.hold(size)

    def give(self, request: Request) -> None:
        """Release a request and what is held with it."""
        self.hold(-request.weight)

    def hold(self, size: int) -> None:
        """Hold `size` bytes more; release them if it is negative."""
        self._left -= size
        if self._left < 0 < size:
            raise Unreadable("more of it is under way than flowmemory allows")
