"""Who talked to a peer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scopetrace.model.touch import Touch
from scopetrace.query.connect import connect
from scopetrace.query.who_peer import Peer, parse_peer, peer_names, peer_touches
from support.session_builder import STARTED_NS, event, image, record

WEB = {
    "net_transport": "IP.TCP",
    "net_peer_ip": "10.0.0.1",
    "net_peer_port": 80,
    "net_peer_name": "Web.example",
    "net_host_ip": "10.0.0.9",
    "net_host_port": 4000,
}
SERVER = {
    "net_transport": "IP.TCP",
    "net_peer_ip": "10.0.0.7",
    "net_peer_port": 5555,
    "net_host_ip": "10.0.0.9",
    "net_host_port": 8080,
}
CLOSED = {"net_bytes_sent": 9, "net_bytes_recv": 7, "duration": 3, "net_close_reason": "remote"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A session: a look-up, a client's flow with two requests, a server, a refusal."""
    resolved = {"domain": "web.example", "rcode": "NOERROR", "addrs": ["10.0.0.1"]}
    return record(
        tmp_path,
        [
            event("dns.resp", at=0.5, **resolved),
            event("net.open", at=1, channel=1_783_822_276_000_000_000, role="client", **WEB),
            event("http.req", at=1, channel=1_783_822_276_000_000_000, http_method="GET", **WEB),
            event("http.req", at=1, channel=1_783_822_276_000_000_000, http_method="GET", **WEB),
            event("net.close", at=2, channel=1_783_822_276_000_000_000, **WEB, **CLOSED),
            event("net.listen", at=3, net_host_ip="10.0.0.9", net_host_port=8080),
            event("net.open", at=4, channel=1_783_822_279_000_000_000, role="server", **SERVER),
            event("net.error", at=5, op="connect", error="ECONNREFUSED", **WEB),
        ],
    )


def touches(path: Path, text: str) -> tuple[Touch, ...]:
    answer = peer_touches(connect(path), text)
    return answer.touches if answer else ()


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("10.0.0.1:80", ["connect", "fail"]),
        ("10.0.0.1", ["connect", "fail"]),
        (":80", ["connect", "fail"]),
        ("web.example", ["lookup", "connect", "fail"]),
        ("WEB.example:80", ["lookup", "connect", "fail"]),
        (":8080", ["listen", "accept"]),
        ("10.0.0.7", ["accept"]),
        ("10.0.0.1:81", []),
        ("10.0.0.2", []),
    ],
)
def test_either_end_may_be_asked_for(path: Path, text: str, actions: list[str]) -> None:
    assert [touch.action for touch in touches(path, text)] == actions


LOCAL = {"net_transport": "IP.TCP", "net_peer_ip": "127.0.0.1", "net_peer_port": 443}


def test_a_peer_has_the_names_that_it_is_told(tmp_path: Path) -> None:
    greeted = event("net.app", at=2, channel=1_783_822_276_000_000_000, protocol="TLS")
    asked = event("http.req", at=4, channel=1_783_822_278_000_000_000, http_host="Shop.test:8443")
    greeted.data["tls_server_name"] = "Shop.test"
    path = record(
        tmp_path,
        [
            event("net.open", at=1, channel=1_783_822_276_000_000_000, role="client", **LOCAL),
            greeted,
            event("net.open", at=3, channel=1_783_822_278_000_000_000, role="client", **LOCAL),
            asked,
        ],
    )

    found = {text: len(touches(path, text)) for text in ("shop.test", "shop.test:443")}
    assert found == {"shop.test": 2, "shop.test:443": 2}
    assert touches(path, "shop.test:444") == ()
    assert len(touches(path, "localhost:443")) == len(touches(path, "localhost")) == 2


def test_a_flow_is_one_touch_with_its_bytes_and_requests(path: Path) -> None:
    facts: dict[str, Any] = touches(path, "10.0.0.1:80")[0].facts

    assert (facts["net_bytes_sent"], facts["net_bytes_recv"], facts["requests"]) == (9, 7, 2)
    assert (facts["net_close_reason"], facts["duration_ms"]) == ("remote", 1000)
    assert "pid" not in facts


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("host:80", Peer(("host",), 80)),
        (":80", Peer((), 80)),
        ("Host", Peer(("host", "/w/host"), None)),
        ("[::1]:80", Peer(("::1",), 80)),
        ("localhost:80", Peer(("localhost", "127.0.0.1", "::1"), 80)),
        ("::1", Peer(("::1", "/w/::1"), None)),
        ("[fe80::1%2]:53", Peer(("fe80::1%2",), 53)),
        ("/run/X.sock", Peer(("/run/x.sock",), None)),
        ("@abstract", Peer(("@abstract", "/w/@abstract"), None)),
    ],
)
def test_peers_are_written_as_usual(text: str, peer: Peer) -> None:
    assert parse_peer(text, "/w") == peer


def test_names_to_propose(tmp_path: Path, path: Path) -> None:
    sockets = {"unix_peer_path": "/run/a", "unix_local_path": "/run/b"}
    opened = event("net.open", channel=STARTED_NS, net_transport="Unix.TCP", **sockets)

    assert peer_names(connect(path)) == {
        "10.0.0.1", "10.0.0.1:80", "Web.example", "Web.example:80", "10.0.0.7", "10.0.0.7:5555",
    }  # fmt: skip
    assert peer_names(connect(record(tmp_path / "unix", [opened]))) == {"/run/a", "/run/b"}


PROXIED = {
    **LOCAL, "net_client_ip": "10.9.8.7", "net_client_port": 1234,
    "net_target_host": "Far.test", "net_target_port": 8443,
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "asked", "other"),
    [
        (PROXIED, "far.test:8443", "far.test:443"),
        (PROXIED, "10.9.8.7:1234", "10.9.8.7:443"),
        ({**LOCAL, "net_peer_name": "B\u00dcRO.test"}, "b\u00fcro.test:443", "b\u00fcro.test:1"),
        ({"net_transport": "Unix.TCP", "unix_peer_path": "/run/x"}, "/run/x", ":0"),
    ],
)
def test_any_end_with_its_own_port_is_found(
    data: dict[str, Any], asked: str, other: str, tmp_path: Path
) -> None:
    path = record(tmp_path, [event("net.open", channel=STARTED_NS, **data)])

    assert len(touches(path, asked)) == 1
    assert touches(path, other) == ()


def test_touches_are_in_the_order_of_their_times_and_metrics_are_none(tmp_path: Path) -> None:
    refused = event("net.error", at=1, op="connect", error="ECONNREFUSED", **WEB)
    path = record(
        tmp_path,
        [
            event("net.open", at=2, channel=STARTED_NS + 2_000_000_000, role="client", **WEB),
            refused,
            refused._replace(sourcetype="metric"),
        ],
    )

    assert [touch.action for touch in touches(path, "web.example")] == ["fail", "connect"]


def test_who_else_used_a_flow_is_named_itself_and_not_its_ancestors(tmp_path: Path) -> None:
    channel = STARTED_NS + 1
    path = record(
        tmp_path,
        [
            event("net.open", channel=channel, role="server", **SERVER),
            event("net.close", channel=channel, process=2, **SERVER, **CLOSED),
        ],
        [image(2, pid=71, parent=1, cmd="worker -x", proc="worker")],
    )

    (touch,) = touches(path, ":8080")
    (user,) = touch.facts["users"]
    assert "71" in user and "70" not in user
