"""wget, which keeps its connections, and begins others where the server closes them."""

from __future__ import annotations

from collections.abc import Callable

from support.harness import Stage
from support.net_events import Exchange, assert_same_bytes, exchanges, lengths, notices, protocols
from support.net_peers import HOST, Relay, compare, web_server
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]


def test_several_pages(stage: Stage, needs: Needs) -> None:
    paths = ("/bytes/120000", "/chunks/5000", "/status/404", "/until-close/10", "/bytes/1")
    with web_server(stage.folder) as server, Relay(server.port) as relay:
        urls = [f"http://{HOST}:{relay.port}{path}" for path in paths]
        command = [needs("wget"), "--no-config", "--quiet", "--tries=1", *urls]
        recording = compare(stage, command, before=relay.forget)
        assert_same_bytes(recording, relay)
        clients = {wire.server: wire.client for wire in relay.wires}
        seen = server.seen()[-len(paths) :]

    assert recording.ending.status == 8  # the server answered with an error
    assert exchanges(recording) == [
        Exchange(clients[line["port"]], line["method"], line["target"], line["status"])
        for line in seen
    ]
    assert lengths(recording, "http.resp") == [line["sent"] for line in seen]
    saved = {path.name: path.stat().st_size for path in stage.work.iterdir()}
    assert saved == {"120000": 120000, "5000": 5000, "10": 10, "1": 1}
    assert protocols(recording) == {"HTTP": len(relay.wires)}
    assert {e.data["http_user_agent"].partition("/")[0] for e in recording.of("http")} == {"Wget"}
    assert notices(recording) == []
