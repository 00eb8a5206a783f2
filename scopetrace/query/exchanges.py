"""HTTP exchanges: events of requests joined to those of their responses, and to their payload.

Events are read once, in their order; an exchange is complete with its response, and those that
stayed without one come last. The payload of a flow is read again only as far as an exchange needs
it. A message of it belongs to an event if both are the next of their flow (of HTTP/2: of their
stream) and say the same: method and target, or status.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from scopetrace.model.event import EventRecord
from scopetrace.model.exchange import Content, Exchange
from scopetrace.model.payload import Payload
from scopetrace.protocols.http.content import FlowContents, Found

SOURCES = ("http.req", "http.resp")
MOST_REPLAYS = 64
"""Flows whose payload is being read at a time; of the one used least recently no more is read."""

Key = tuple[int, int]
"""Flow and stream."""


class Exchanges:
    """Events in, exchanges out.

    Args:
        payload_of: returns the payload of a flow, given its channel.
        most_body_bytes: so much of each body is kept.
    """

    def __init__(
        self, payload_of: Callable[[int], Iterator[Payload]], most_body_bytes: int
    ) -> None:
        self._waiting: dict[Key, deque[tuple[EventRecord, Content | None]]] = {}
        self._payload_of = payload_of
        self._most_body_bytes = most_body_bytes
        self._replays: dict[int, _Replay] = {}
        """By flow, the one used last at the end."""
        self._stopped: set[int] = set()
        """Flows whose payload is read no further."""

    def read(self, events: Iterable[EventRecord]) -> Iterator[Exchange]:
        """Yield the exchanges of `events`."""
        for event in events:
            if event.source == "http.req":
                content = self._replay(event.channel).request(event)
                self._waiting.setdefault(_key(event), deque()).append((event, content))
            else:
                yield self._answered(event)
        for waiting in self._waiting.values():
            for request, content in waiting:
                yield _exchange(request, None, content, None)

    def _answered(self, response: EventRecord) -> Exchange:
        request, request_content = self._request_of(response)
        content = self._replay(response.channel).response(response)
        return _exchange(request, response, request_content, content)

    def _request_of(self, response: EventRecord) -> tuple[EventRecord | None, Content | None]:
        """Return the request that waits for this response, and its content."""
        key = _key(response)
        waiting = self._waiting.get(key)
        if not waiting or "http_method" not in response.data:
            return None, None
        found = waiting.popleft()
        if not waiting:
            del self._waiting[key]
        return found

    def _replay(self, channel: int) -> _Replay:
        replay = self._replays.pop(channel, None)
        if replay is None:
            pieces = iter(()) if channel in self._stopped else self._payload_of(channel)
            replay = _Replay(pieces, self._most_body_bytes)
        if len(self._replays) >= MOST_REPLAYS:
            oldest = next(iter(self._replays))
            del self._replays[oldest]
            self._stopped.add(oldest)
        self._replays[channel] = replay
        return replay


class _Replay:
    """The payload of one flow, read as HTTP as far as it is needed."""

    __slots__ = ("_contents", "_pieces")

    def __init__(self, pieces: Iterator[Payload], most_body_bytes: int) -> None:
        self._pieces = pieces
        self._contents = FlowContents(most_body_bytes)

    def request(self, event: EventRecord) -> Content | None:
        """Return the content of a request."""
        facts = {name: event.data.get(f"http_{name}") for name in ("method", "target")}
        return self._content(self._contents.found.requests, event, facts)

    def response(self, event: EventRecord) -> Content | None:
        """Return the content of a response."""
        facts = {"status": event.data.get("http_status_code")}
        return self._content(self._contents.found.responses, event, facts)

    def _content(
        self, found: deque[Found], event: EventRecord, facts: dict[str, Any]
    ) -> Content | None:
        """Return the content of the next message of a stream, if it is the event's."""
        stream = event.integer("http_stream")
        while not _is_whole(found, stream) and self._read_on():
            pass
        first = next((one for one in found if one.message.stream == stream), None)
        if first is None or any(getattr(first.message, key) != facts[key] for key in facts):
            return None
        found.remove(first)
        return Content(first.headers, first.kept)

    def _read_on(self) -> bool:
        """Read one more piece of the payload; return whether there was one."""
        piece = None if self._contents.over else next(self._pieces, None)
        if piece is None:
            return False
        self._contents.feed(piece.time_ns, piece.outgoing, piece.data, piece.missing)
        return True


def _is_whole(found: deque[Found], stream: int) -> bool:
    """Return whether there is a message of this stream of which no more will come."""
    for at, one in enumerate(found):
        if one.message.stream == stream:
            return one.is_whole or at + 1 < len(found)
    return False


def _key(event: EventRecord) -> Key:
    return event.channel, event.integer("http_stream")


def _exchange(
    request: EventRecord | None,
    response: EventRecord | None,
    request_content: Content | None,
    response_content: Content | None,
) -> Exchange:
    event = request or response
    assert event is not None
    answer = response.data if response else {}
    duration_us = answer.get("http_duration_us")
    assert duration_us is None or isinstance(duration_us, int)
    return Exchange(
        id=event.id,
        pid=event.pid,
        proc=event.proc,
        channel=event.channel,
        side=_side(answer),
        started_ns=event.time_ns if request else event.time_ns - (duration_us or 0) * 1000,
        duration_us=duration_us,
        request=request.data if request else None,
        response=response.data if response else None,
        request_content=request_content,
        response_content=response_content,
    )


def _side(answer: dict[str, Any]) -> str:
    """Return what this process is, which the name of the duration says."""
    sides = ("client", "server")
    return next((side for side in sides if f"http_{side}_duration" in answer), "")
