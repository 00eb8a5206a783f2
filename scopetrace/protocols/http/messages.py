"""Requests and responses, as both versions of HTTP have them, and what a flow may hold of them.

A message knows the fields of its event as soon as its header is read; its body is only counted.
Whoever reads a flow raises `Unreadable` where it cannot go on, and nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from scopetrace.model.image import Image

HTTP = "http"
"""The sourcetype, and the type of its metrics."""

MOST_HEAD = 65_536
"""The longest header, in bytes: eight times what servers accept by default."""
TOO_LONG = "a header is too long"

LEAST_WEIGHT = 1024
"""The weight of a request with a shorter header: so no more than 1024 requests wait in 1 MiB."""


class Unreadable(Exception):
    """A flow cannot be read further; the text says why, to follow "could not be read further:"."""


class Moment(NamedTuple):
    """Who moves the bytes being read, and when."""

    image: Image
    tid: int
    time_ns: int


class Message:
    """What requests and responses have in common."""

    __slots__ = ("began_ns", "counted", "declared", "fields", "told")

    def __init__(self, began_ns: int, fields: dict[str, Any], declared: int | None) -> None:
        self.began_ns = began_ns
        """When its first byte came."""
        self.fields = fields
        """Of its event, but for length, duration and addresses."""
        self.declared = declared
        """Its Content-Length."""
        self.counted: int | None = None
        """Bytes of its body; None: it has none, or they could not be counted."""
        self.told = False

    @property
    def length(self) -> int | None:
        """How long its body is, as declared or else as counted."""
        return self.counted if self.declared is None else self.declared


class Request(Message):
    """A request. `shared` are those of its fields that the response repeats."""

    __slots__ = ("expects", "headed_ns", "method", "refused", "shared", "target", "weight")

    def __init__(
        self, began_ns: int, headed_ns: int, shared: dict[str, Any], fields: dict[str, Any],
        declared: int | None, weight: int,
    ) -> None:  # fmt: skip
        super().__init__(began_ns, fields, declared)
        self.headed_ns = headed_ns
        """When its header was complete."""
        self.shared = shared
        self.method: str = shared["http_method"]
        self.target: str = shared["http_target"]
        self.weight = max(weight, LEAST_WEIGHT)
        self.expects = False
        """Its body waits for 100 Continue (RFC 9110, 10.1.1)."""
        self.refused = False
        """That did not come, but an error; so its body need not come."""


class Response(Message):
    """A response that is no interim one; `request` is None if it answers none that was seen."""

    __slots__ = ("request", "status")

    def __init__(
        self, began_ns: int, fields: dict[str, Any], declared: int | None, status: int,
        request: Request | None,
    ) -> None:  # fmt: skip
        super().__init__(began_ns, fields, declared)
        self.status = status
        self.request = request

    @property
    def is_bare(self) -> bool:
        """Whether it may not have a body, whatever it declares (RFC 9110, 6.4.1)."""
        return self.status in (204, 304) or self.answers("HEAD")

    @property
    def is_counted(self) -> bool:
        """Whether what comes of its body says how long it is; else it tells of one elsewhere."""
        return self.status not in (101, 304) and not self.answers("HEAD") and not self.is_tunnel

    @property
    def awaits_count(self) -> bool:
        """Whether only the end of its body says how long it is."""
        return self.declared is None and self.is_counted

    @property
    def is_tunnel(self) -> bool:
        """Whether what follows is no HTTP any more, as CONNECT asked."""
        return self.answers("CONNECT") and 200 <= self.status < 300

    def answers(self, method: str) -> bool:
        """Return whether it answers a request of this method."""
        return self.request is not None and self.request.method == method


class Budget:
    """What may still be held of a flow, in bytes: above all, requests that await their response.

    Whatever takes some raises `Unreadable` if there is not so much.
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
        """Let a request go, and what is held with it."""
        self.hold(-request.weight)

    def hold(self, size: int) -> None:
        """Hold so many bytes more of anything, or less."""
        self._left -= size
        if self._left < 0 < size:
            raise Unreadable("more of it is under way than flowmemory allows")
