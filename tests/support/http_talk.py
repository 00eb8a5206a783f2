"""Talks: what two sides send, in order, and what a reader emits of it however it is cut.

    message_events(Talk() >> b"GET / HTTP/1.1\\r\\n\\r\\n" << b"HTTP/1.1 204 No\\r\\n\\r\\n")

`>>` is what the client sends, `<<` what the server does; a number in place of bytes are missing
bytes, None is the end of that direction. Each step takes a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from scopetrace.config.find import Found
from scopetrace.config.load import build_config
from scopetrace.model.flow import Address, Flow
from scopetrace.model.form import fields_of
from scopetrace.model.image import Image
from scopetrace.model.metric import TAGS
from scopetrace.source import Outlet
from scopetrace.sources.http import SOURCE
from scopetrace.watch.rules import Rules

MS = 1_000_000
OPENED_NS = 7

EVENTS = "event:\n  watch:\n  - type: http\n"
METRICS = "metric:\n  watch:\n  - type: http\n"
NO_METRICS = "metric:\n  enable: false\n"

NET = {
    "net_transport": "IP.TCP",
    "net_peer_ip": "10.0.0.2",
    "net_peer_port": 80,
    "net_host_ip": "10.0.0.1",
    "net_host_port": 5000,
}

Step = bytes | int | None


class Event(NamedTuple):
    source: str
    data: dict[str, Any]
    time_ns: int
    tid: int
    channel: int


class Emitted(Outlet):
    """An outlet that keeps what is emitted."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.notices: list[tuple[str, str, int]] = []
        self.samples: list[tuple[str, float, dict[str, Any]]] = []
        self.numops: list[int] = []
        """How many operations each sample sums up."""
        self.order: list[str] = []

    def emit(self, image, time_ns, tid, sourcetype, source, channel, data) -> None:
        assert sourcetype == source.partition(".")[0]
        self.events.append(Event(source, fields_of(data), time_ns, tid, channel))

    def notice(self, image, time_ns, tid, message, reason, count) -> None:
        self.notices.append((message, reason, count))

    def measure_with(self, image, time_ns, name, value, numops, tags) -> None:
        self.numops.append(numops)
        named = zip(TAGS[name], tags, strict=True)
        self.samples.append((name, value, {tag: text for tag, text in named if text is not None}))

    @property
    def messages(self) -> list[tuple[str, dict[str, Any]]]:
        """Name and data of each event, without addresses and durations."""
        dull = {*NET, "http_server_duration", "http_client_duration", "http_duration_us"}
        return [
            (
                event.source.removeprefix("http."),
                {k: v for k, v in event.data.items() if k not in dull},
            )
            for event in self.events
        ]


class Talk:
    """What was sent; `role` is that of the side that is recorded."""

    def __init__(self, role: str = "server", config: str = EVENTS + NO_METRICS) -> None:
        self.role = role
        self.config = config
        self.steps: list[tuple[bool, Step]] = []
        self.client = role != "server"

    def __rshift__(self, step: Step) -> Talk:
        self.steps.append((True, step))
        return self

    def __lshift__(self, step: Step) -> Talk:
        self.steps.append((False, step))
        return self

    def read(self, *cuts: int) -> Emitted:
        """Have it read in pieces: step by step, and each step cut before these bytes of it."""
        reader = FlowReader(self.role, self.config)
        for at, (from_client, step) in enumerate(self.steps):
            outgoing = from_client == self.client
            for piece in [step] if not isinstance(step, bytes) else pieces(step, cuts):
                reader.feed(outgoing, piece, (at + 1) * MS)
        reader.close((len(self.steps) + 1) * MS)
        return reader.emitted


class FlowReader:
    """A reader, and what it emits."""

    def __init__(self, role: str, config: str = EVENTS + NO_METRICS) -> None:
        self.emitted = Emitted()
        self.image = image_of(config)
        flow = Flow("IP.TCP", Address("inet", "10.0.0.1", 5000), None, role, OPENED_NS)
        flow.peer = Address("inet", "10.0.0.2", 80)
        reader = SOURCE(self.emitted).reader(self.image, flow, "HTTP")
        assert reader is not None
        self.reader = reader

    def feed(
        self, outgoing: bool, step: Step, time_ns: int = 0, image: Image | None = None
    ) -> None:
        if self.reader.done:
            return
        who = (image or self.image, 71, time_ns, outgoing)
        if step is None:
            self.reader.end(*who)
        elif isinstance(step, int):
            self.reader.gap(*who, step)
        else:
            self.reader.feed(*who, step)

    def close(self, time_ns: int = 0, image: Image | None = None) -> None:
        self.reader.close(image or self.image, 71, time_ns)


def image_of(config: str, pid: int = 70) -> Image:
    image = Image(1, pid, 1, 0)
    image.proc = "curl"
    image.rules = Rules(build_config(Found(Path("scope.yml"), config), {}))
    return image


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    marks = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
    return [data[start:end] for start, end in pairwise(marks)]


def message_events(talk: Talk) -> list[tuple[str, dict[str, Any]]]:
    """Return name and data of the events of a talk, which are the same whole and byte by byte.

    Of very long talks, every few bytes.
    """
    return emitted(talk).messages


def emitted(talk: Talk) -> Emitted:
    """Return all that is emitted of a talk, likewise."""
    whole = talk.read()
    longest = max(len(step) for _, step in talk.steps if isinstance(step, bytes))
    bytewise = talk.read(*range(0, longest, 1 + longest // 4000))
    assert bytewise.events == whole.events
    assert bytewise.notices == whole.notices
    assert bytewise.samples == whole.samples
    assert set(whole.numops) <= {1}
    return whole


def names(talk: Talk) -> list[str]:
    """Return a word for each event: method and target, or the status."""
    return [summary(data) for _, data in message_events(talk)]


def summary(data: dict[str, Any]) -> str:
    status = data.get("http_status_code")
    asked = f"{data.get('http_method')} {data.get('http_target')}"
    return asked if status is None else f"{status} {asked}"


def length_of(data: dict[str, Any]) -> int | None:
    return data.get("http_request_content_length", data.get("http_response_content_length"))
