"""Peers, requests, answers, names and calls that went otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scopetrace.model.event import Event
from support.session_builder import event
from support.two_runs import Run, compared, found

TCP = {"net_transport": "IP.TCP", "net_host_ip": "10.0.0.1"}


def flow(channel: int, port: int = 80, peer: str = "10.0.0.9", **data: Any) -> list[Event]:
    """Return the events of one connection to a server."""
    ends = {**TCP, "net_host_port": 40_000 + channel, "net_peer_ip": peer, "net_peer_port": port}
    facts = {**ends, "role": "client", "op": "connect", **data}
    sizes = {"net_bytes_sent": 5, "net_bytes_recv": 9}
    return [
        event("net.open", channel=channel, **facts),
        event("net.close", channel=channel, **{**sizes, **facts, "op": "close"}),
    ]


def refused(port: int = 80, error: str = "ECONNREFUSED") -> Event:
    return event(
        "net.error", op="connect", error=error, net_peer_ip="10.0.0.9", net_peer_port=port, **TCP
    )


def answered(status: int, **data: Any) -> Event:
    facts = {"http_method": "GET", "http_target": "/x", "http_status_code": status, **data}
    return event("http.resp", **facts)


SERVED = {"http_server_duration": 3}


@pytest.mark.parametrize(
    ("a", "b", "difference"),
    [
        (flow(1), [], ("only A", "peer", "10.0.0.9:80", "connected", None)),
        (flow(1), [refused()], ("result", "peer", "10.0.0.9:80", "connected", "ECONNREFUSED")),
        (flow(1), [refused(error="ETIMEDOUT")],
         ("result", "peer", "10.0.0.9:80", "connected", "ETIMEDOUT")),
        ([], [refused()], ("only B", "peer", "10.0.0.9:80", None, "ECONNREFUSED")),
        ([answered(200, **SERVED)], [answered(500, **SERVED)],
         ("result", "answer", "GET /x", "200", "500")),
        ([answered(200, http_host="h")], [answered(404, http_host="h")],
         ("result", "request", "GET h/x", "200", "404")),
        ([event("dns.resp", domain="d", type="A", rcode="NOERROR")],
         [event("dns.error", domain="d", type="A", error="timeout")],
         ("result", "name", "d A", "NOERROR", "timeout")),
        ([], [event("proc.error", op="kill", what="SIGTERM to 1", error="EPERM")],
         ("only B", "call", "kill SIGTERM to 1", None, "EPERM")),
        ([answered(200, http_host="h", http_response_content_length=7)],
         [answered(200, http_host="h", http_response_content_length=9)],
         ("content", "request", "GET h/x", 7, 9)),
        (flow(1), flow(2, net_bytes_recv=1), ("content", "peer", "10.0.0.9:80", 9, 1)),
        ([event("net.listen", net_host_ip="::", net_host_port=80)],
         [event("net.error", op="bind", net_host_ip="::", net_host_port=80, error="EADDRINUSE")],
         ("result", "port", "[::]:80", "listening", "EADDRINUSE")),
    ],
)  # fmt: skip
def test_differences(
    tmp_path: Path, a: list[Event], b: list[Event], difference: tuple[Any, ...]
) -> None:
    assert found(tmp_path, Run(a), Run(b)) == [difference]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(flow(1), [*flow(2), *flow(3)], id="number-of-connections"),
        pytest.param(flow(1, 41_000), flow(2, 42_000), id="ports-of-the-kernel"),
        pytest.param(
            flow(1, net_peer_name="example.org"),
            flow(2, peer="10.0.0.7", net_peer_name="example.org"),
            id="another-address-of-the-name",
        ),
        pytest.param([answered(200)], [answered(200)] * 9, id="number-of-requests"),
        pytest.param(flow(1), flow(2, net_bytes_sent=6, net_protocol="TLS"), id="inside-tls"),
        pytest.param(
            flow(1),
            [event for sent in range(5) for event in flow(sent + 1, net_bytes_sent=sent)],
            id="many-sizes",
        ),
        pytest.param([refused(error="EAGAIN")], [], id="by-chance"),
        pytest.param(
            [], [event("net.error", op="recvfrom", error="ECONNRESET", **TCP)], id="how-it-ended"
        ),
        pytest.param(
            [answered(200, http_host="127.0.0.1:41001"), *flow(1001)],
            [answered(200, http_host="127.0.0.1:41002"), *flow(1002)],
            id="host-with-a-port",
        ),
    ],
)
def test_what_varies_from_run_to_run(tmp_path: Path, a: list[Event], b: list[Event]) -> None:
    assert found(tmp_path, Run(a), Run(b)) == []


def test_a_service_that_all_programs_ask_is_of_start_up(tmp_path: Path) -> None:
    asked = event("net.error", op="connect", error="ENOENT", unix_peer_path="/run/nscd/socket")
    own = event("net.error", op="connect", error="ENOENT", unix_peer_path="/run/app.sock")
    differences = compared(tmp_path, Run(), Run([asked, own])).differences

    assert [(d.subject, d.is_startup) for d in differences] == [
        ("/run/app.sock", False),
        ("/run/nscd/socket", True),
    ]
