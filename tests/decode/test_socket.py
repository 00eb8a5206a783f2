"""The states of one socket; what handlers make of calls is in test_sockets.py."""

from __future__ import annotations

from socket import AF_INET, SOCK_DGRAM, SOCK_STREAM

import pytest

from scopetrace.decode.socket import (
    CONNECTED,
    CONNECTING,
    CREATED,
    LISTENING,
    SHUT_DOWN,
    STATES,
    TRANSITIONS,
    Socket,
)
from scopetrace.model.flow import Flow


def tcp() -> Socket:
    return Socket(AF_INET, SOCK_STREAM, 0)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], CREATED),
        (["listen"], LISTENING),
        (["begin connecting"], CONNECTING),
        (["begin connecting", "be connected"], CONNECTED),
        (["begin connecting", "fail to connect"], CREATED),
        (["be connected", "fail to connect"], CONNECTED),
        (["be connected", "shut down"], SHUT_DOWN),
        (["be connected", "shut down", "disconnect"], CREATED),
        (["shut down"], CREATED),
    ],
)
def test_events_lead_from_state_to_state(events, state):
    sock = tcp()
    for event in events:
        sock.enter(event)

    assert sock.state == state


def test_every_transition_is_between_states():
    for transitions in TRANSITIONS.values():
        assert transitions.keys() | set(transitions.values()) <= set(STATES)


def test_only_what_connects_or_accepts_has_one_peer():
    assert tcp().has_one_peer
    assert not Socket(AF_INET, SOCK_DGRAM, 0).has_one_peer


def test_the_peer_ended_a_connection_unless_this_side_was_first():
    first, second = tcp(), tcp()
    flows = [Flow("IP.TCP", None, None, "client", 1) for _ in range(2)]
    for sock in (first, second):
        sock.enter("be connected")

    first.peer_ended(flows[0], "remote", 5)
    second.shut_down(flows[1], 4)
    second.peer_ended(flows[1], "remote", 5)

    assert [flow.reason for flow in flows] == ["remote", "local"]


def test_an_end_that_was_seen_after_the_shutdown_began_is_its_doing():
    sock, flow = tcp(), Flow("IP.TCP", None, None, "client", 1)
    sock.enter("be connected")

    sock.peer_ended(flow, "remote", 5)
    sock.shut_down(flow, 4)

    assert flow.reason == "local"


@pytest.mark.parametrize(
    ("kind", "counts", "reason"),
    [
        (SOCK_DGRAM, [0], "remote"),
        (SOCK_DGRAM, [0, 5], "local"),
        (SOCK_DGRAM, [5], "local"),
        (SOCK_STREAM, [0, 5], "remote"),
        (SOCK_STREAM, [5, 0], "remote"),
    ],
)
def test_an_empty_message_is_no_end_if_more_follow(kind, counts, reason):
    sock, flow = Socket(AF_INET, kind, 0), Flow("IP.UDP", None, None, "client", 1)
    for count in counts:
        sock.received(flow, count, 9)

    assert flow.reason == reason
