"""What a session holds of connections and HTTP, in the words in which peers tell the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import scopetrace
from scopetrace.model.event import EventRecord
from support.harness import Recording, Stage, only, session_files
from support.net_peers import Relay

NO_LOSS = ("resolved-elsewhere", "waited")
"""Reasons of notices that depend on the machine and say of nothing that it is missing."""


class Flow(NamedTuple):
    """What a net.close says of one connection."""

    local: int
    peer: int
    sent: int
    received: int


def flows(recording: Recording, *, local: int = 0, peer: int = 0) -> list[Flow]:
    """Return the connections of the internet that were closed, from or to these ports."""
    return [
        Flow(
            event.data["net_host_port"],
            event.data["net_peer_port"],
            event.data["net_bytes_sent"],
            event.data["net_bytes_recv"],
        )
        for event in recording.of("net.close")
        if "net_peer_port" in event.data and is_between(event, local, peer)
    ]


def is_between(event: EventRecord, local: int = 0, peer: int = 0) -> bool:
    """Tell whether an event is about these ports; 0: any."""
    return all(
        port in (0, event.data.get(name))
        for name, port in (("net_host_port", local), ("net_peer_port", peer))
    )


def assert_same_bytes(recording: Recording, relay: Relay) -> None:
    """Demand that a client has exactly the connections of a relay, with its bytes."""
    relay.settle()
    wired = [Flow(w.client, relay.port, len(w.sent), len(w.received)) for w in relay.wires]
    assert Counter(flows(recording, peer=relay.port)) == Counter(wired)
    opened = [
        e.data["net_host_port"] for e in recording.of("net.open") if is_between(e, peer=relay.port)
    ]
    assert sorted(opened) == sorted(wire.client for wire in relay.wires)


class Exchange(NamedTuple):
    """A response and what it answers."""

    port: int
    """Of the client."""
    method: str
    target: str
    status: int


def exchanges(recording: Recording, *, server: bool = False) -> list[Exchange]:
    """Return the responses in their order."""
    port = "net_peer_port" if server else "net_host_port"
    return [
        Exchange(
            event.data.get(port, 0),
            event.data["http_method"],
            event.data["http_target"],
            event.data["http_status_code"],
        )
        for event in recording.of("http.resp")
    ]


def requests(recording: Recording, *, server: bool = False) -> list[tuple[int, str, str]]:
    """Return the requests in their order: port of the client, method, target."""
    port = "net_peer_port" if server else "net_host_port"
    return [
        (event.data.get(port, 0), event.data["http_method"], event.data["http_target"])
        for event in recording.of("http.req")
    ]


def protocols(recording: Recording) -> Counter[str]:
    """Return how many flows were recognised, by protocol."""
    return Counter(event.data["protocol"] for event in recording.of("net.app"))


def lengths(recording: Recording, source: str) -> list[int]:
    """Return the sizes of the bodies of http.req or http.resp, 0 where there is none."""
    name = {"http.req": "http_request_content_length", "http.resp": "http_response_content_length"}
    return [event.data.get(name[source], 0) for event in recording.of(source)]


@contextmanager
def session_of(stage: Stage) -> Iterator[scopetrace.Session]:
    """Open the session that was just recorded."""
    path = only(session_files(stage.home))
    assert path is not None
    with scopetrace.open_session(path) as session:
        yield session


def notices(recording: Recording) -> list[str]:
    """Return what was said about what could not be recorded."""
    return [
        event.data["message"]
        for event in recording.of("notice")
        if event.data["reason"] not in NO_LOSS
    ]


# -- programs that are both ends of their connections ---------------------------------------------

Seen = Counter[tuple[Any, ...]]
"""side, port or stream, method, target, status, size of the body that this side received."""

PORTS = {"client": "net_host_port", "server": "net_peer_port"}
"""Where the events of a side have the port of the client."""


def told_by_both_sides(recording: Recording) -> Seen:
    """Return what the program saw of each exchange."""
    return Counter(
        tuple(json.loads(line).values()) for line in recording.ending.stdout.splitlines()
    )


def both_sides(recording: Recording, identify: Callable[[EventRecord, str], int]) -> Seen:
    """Return what the events say of the same, with the size of what that side received."""
    requests = {
        (event.channel, identify(event, "client"), event.data["http_target"]): event
        for event in recording.of("http.req")
    }
    found: Seen = Counter()
    for event in recording.of("http.resp"):
        data = event.data
        side = "server" if "http_server_duration" in data else "client"
        asked = requests[event.channel, identify(event, "client"), data["http_target"]].data
        received = asked.get("http_request_content_length", 0)
        if side == "client":
            received = data.get("http_response_content_length", 0) * (data["http_method"] != "HEAD")
        found[
            side,
            identify(event, side),
            data["http_method"],
            data["http_target"],
            data["http_status_code"],
            received,
        ] += 1
    return found


def by_port(event: EventRecord, side: str) -> int:
    port: int = event.data[PORTS[side]]
    return port


def by_stream(event: EventRecord, side: str) -> int:
    stream: int = event.data["http_stream"]
    return stream


def assert_ends_agree(recording: Recording) -> None:
    """Demand that what one end of a connection sent is what the other received."""
    used = flows(recording)
    assert used
    there = Counter((flow.local, flow.peer, flow.sent, flow.received) for flow in used)
    assert there == Counter((flow.peer, flow.local, flow.received, flow.sent) for flow in used)
