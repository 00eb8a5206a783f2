"""The libraries that Python programs speak HTTP with, as clients, and one of them as a server."""

from __future__ import annotations

import pytest

from support.harness import Stage
from support.net_events import assert_same_bytes, exchanges, lengths, notices
from support.net_peers import (
    Relay,
    compare,
    compare_server,
    conversation,
    free_port,
    is_listening,
    json_lines,
    peer,
    request,
    web_server,
)
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")


@pytest.mark.parametrize("library", ["requests", "urllib3", "httpx", "aiohttp"])
def test_a_client(library: str, stage: Stage) -> None:
    pytest.importorskip(library)
    with web_server(stage.folder) as server, Relay(server.port) as relay:
        recording = compare(
            stage, peer("library_client.py", library, relay.port), before=relay.forget
        )
        assert_same_bytes(recording, relay)

    said = json_lines(recording.ending.stdout)
    assert [(each.method, each.target, each.status) for each in exchanges(recording)] == [
        (line["method"], line["target"], line["status"]) for line in said
    ]
    bodies = lengths(recording, "http.resp")
    assert [
        length
        for line, length in zip(said, bodies, strict=True)
        if line["method"] != "HEAD" and line["status"] != 204
    ] == [line["received"] for line in said if line["method"] != "HEAD" and line["status"] != 204]
    assert notices(recording) == []


def test_a_server(stage: Stage) -> None:
    pytest.importorskip("aiohttp")
    port = free_port()
    said = (
        request("GET", "/one")
        + request("POST", "/two", "Content-Length: 5")
        + b"12345"
        + request("GET", "/three", "Connection: close")
    )

    served = compare_server(
        stage,
        peer("aiohttp_server.py", port),
        lambda: is_listening(port),
        lambda: [conversation(port, said)],
    )

    lines = json_lines(served.recording.ending.stdout)
    seen = exchanges(served.recording, server=True)
    assert [(each.method, each.target, each.status) for each in seen] == [
        (line["method"], line["target"], 200 if line["received"] else 404) for line in lines
    ]
    assert [
        event.data["http_response_content_length"] for event in served.recording.of("http.resp")
    ] == [len(line["target"]) for line in lines]
