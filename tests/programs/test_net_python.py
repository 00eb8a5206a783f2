"""Python's own clients and servers: http.client, urllib, http.server, asyncio and ssl."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from support.harness import Stage
from support.net_events import (
    Exchange,
    Flow,
    assert_same_bytes,
    exchanges,
    flows,
    lengths,
    notices,
    protocols,
    requests,
    session_of,
)
from support.net_peers import (
    HOST,
    Relay,
    certificate,
    compare,
    compare_server,
    conversation,
    free_port,
    is_listening,
    json_lines,
    peer,
    request,
    serve,
    web_server,
    without_numbers,
)
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]


def test_clients(stage: Stage) -> None:
    with web_server(stage.folder) as server, Relay(server.port) as relay:
        recording = compare(
            stage, peer("http_client.py", relay.port), same=without_numbers, before=relay.forget
        )
        assert_same_bytes(recording, relay)
        seen = server.seen()[-11:]

    said = json_lines(recording.ending.stdout)
    expected = [Exchange(*list(line.values())[:4]) for line in said]
    assert exchanges(recording) == expected
    assert requests(recording) == [each[:3] for each in expected]
    assert [line["sent"] for line in seen] == [line["received"] for line in said]
    assert lengths(recording, "http.req") == [line["received"] for line in seen]
    bodies = [
        0 if each.method == "HEAD" else length
        for each, length in zip(expected, lengths(recording, "http.resp"), strict=True)
    ]
    assert bodies == [line["received"] for line in said]
    assert notices(recording) == []


def test_a_server(stage: Stage) -> None:
    port = free_port()
    close = "Connection: close"
    said = [
        request("GET", "/bytes/10")
        + request("HEAD", "/chunks/10")
        + request("GET", "/chunks/99", close),
        request("POST", "/form", "Content-Length: 4")
        + b"four"
        + request("GET", "/status/304", close),
        request("GET", "/until-close/70000", version="1.0"),
    ]

    def clients() -> list[bytes]:
        return [conversation(port, each) for each in said]

    served = compare_server(
        stage,
        peer("web_server.py", port),
        lambda: is_listening(port),
        clients,
        same=without_numbers,
    )

    recording = served.recording
    seen = json_lines(recording.ending.stdout)
    assert exchanges(recording, server=True) == [
        Exchange(*map(line.get, Exchange._fields)) for line in seen
    ]
    assert lengths(recording, "http.req") == [line["received"] for line in seen]
    assert [line["sent"] for line in seen if line["method"] != "HEAD"] == [
        event.data.get("http_response_content_length", 0)
        for event in recording.of("http.resp")
        if event.data["http_method"] != "HEAD"
    ]
    used = flows(recording, local=port)
    assert sorted((flow.received, flow.sent) for flow in used) == sorted(  # a thread closes each
        (len(asked), len(answered)) for asked, answered in zip(said, served.clients, strict=True)
    )
    assert {e.data["role"] for e in recording.of("net.open") if "net_peer_port" in e.data} == {
        "server"
    }
    assert [e.data["net_host_port"] for e in recording.of("net.listen")] == [port]


def test_200_connections_at_once(stage: Stage) -> None:
    recording = compare(stage, peer("many.py", 200), same=without_numbers)

    said = json_lines(recording.ending.stdout)
    assert len(said) == 200
    used = Counter(flow for flow in flows(recording))
    assert used == Counter(
        flow
        for line in said
        for flow in (
            Flow(line["client"], line["server"], line["sent"], line["received"]),
            Flow(line["server"], line["client"], line["received"], line["sent"]),
        )
    )
    opened = Counter(e.data["role"] for e in recording.of("net.open") if "net_peer_port" in e.data)
    assert opened == {"client": 200, "server": 200}
    assert recording.of("http") == []


# -- what is encrypted ----------------------------------------------------------------------------


def secret(curl: str, port: int, *options: str) -> list[str]:
    return [
        curl,
        *["-q", "-sS", "-k"],
        *options,
        *f"--resolve scope.test:{port}:{HOST} https://scope.test:{port}/secret".split(),
    ]


def test_an_encrypted_page_is_known_by_its_hello(stage: Stage, needs: Needs) -> None:
    """Nothing that was said is known, but with whom, and what they agreed to speak."""
    files = certificate(stage.folder, needs("openssl"))
    port = free_port()
    with (
        serve(peer("tls_server.py", port, *files), lambda: is_listening(port)),
        Relay(port) as relay,
    ):
        command = secret(needs("curl"), relay.port, "--http1.1")
        recording = compare(stage, command, before=relay.forget)
        assert_same_bytes(recording, relay)

    assert recording.ending.stdout == b"secret"
    (recognised,) = recording.of("net.app")
    assert recognised.data["protocol"] == "TLS"
    assert recognised.data["tls_server_name"] == "scope.test"
    assert "http/1.1" in recognised.data["tls_alpn"]
    assert recorded_protocol(recording, relay.port) == "TLS"
    assert recording.of("http") == []
    with session_of(stage) as session:
        moved = session.metrics(name=["net.tx", "net.rx"])
        tags = {(m.name, m.tags["class"], m.tags.get("data")) for m in moved}
    assert tags >= {("net.tx", "inet_tcp", "ssl"), ("net.rx", "inet_tcp", "ssl")}


def recorded_protocol(recording: Any, port: int) -> str:
    (closed,) = [e for e in recording.of("net.close") if e.data.get("net_peer_port") == port]
    protocol: str = closed.data["net_protocol"]
    return protocol


def test_a_server_of_encrypted_pages(stage: Stage, needs: Needs) -> None:
    files = certificate(stage.folder, needs("openssl"))
    port = free_port()

    def clients() -> None:
        with suppress(subprocess.TimeoutExpired):
            for version in ("--tls-max=1.2", "--tlsv1.3"):
                command = secret(needs("curl"), port, *version.split("="))
                done = subprocess.run(command, check=True, capture_output=True, timeout=30)
                assert done.stdout == b"secret"

    served = compare_server(
        stage, peer("tls_server.py", port, *files), lambda: is_listening(port), clients
    )

    recording = served.recording
    assert recording.ending.stdout == b"TLSv1.2 http/1.1\nTLSv1.3 http/1.1\n"
    assert protocols(recording) == {"TLS": 2}
    assert {e.data["tls_server_name"] for e in recording.of("net.app")} == {"scope.test"}
    assert recording.of("http") == []
    assert len(flows(recording, local=port)) == 2
