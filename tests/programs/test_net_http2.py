"""The programs of nghttp2, as clients and as a server: many streams through one connection."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable

from support.harness import Stage
from support.net_events import assert_same_bytes, exchanges, flows, lengths, notices, requests
from support.net_peers import (
    HOST,
    Relay,
    compare,
    compare_server,
    files_in_http2,
    free_port,
    http2_proxy,
    is_listening,
    nghttpd_command,
)
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]

STREAM = re.compile(rb"^ *(\d+) +\S+ +\S+ +\S+ +(\d{3}) +\S+ (\S+)$", re.MULTILINE)
"""Stream, status and path of a row of what `nghttp --stat` prints."""
TRAFFIC = re.compile(rb"^traffic: \S+ \((\d+)\) total, \S+ \(\d+\) headers .*\((\d+)\) data$", re.M)
STATUSES = re.compile(rb"^status codes: (.*)$", re.MULTILINE)


def streams(output: bytes) -> list[tuple[int, int, str]]:
    return sorted(
        (int(stream), int(status), path.decode()) for stream, status, path in STREAM.findall(output)
    )


def test_several_streams_of_one_connection(stage: Stage, needs: Needs) -> None:
    with files_in_http2(stage, needs("nghttpd")) as port, Relay(port) as relay:
        urls = [f"http://{HOST}:{relay.port}/{size}" for size in (300_000, 0, 5000, 77, 1)]
        recording = compare(
            stage, [needs("nghttp"), "-ns", *urls], same=streams, before=relay.forget
        )
        assert_same_bytes(recording, relay)

    reported = streams(recording.ending.stdout)
    assert len(reported) == 5
    assert reported == sorted(
        (e.data["http_stream"], e.data["http_status_code"], e.data["http_target"])
        for e in recording.of("http.resp")
    )
    assert [target for *_, target in requests(recording)] == [path for *_, path in reported]
    sizes = {
        e.data["http_target"]: e.data["http_response_content_length"]
        for e in recording.of("http.resp")
    }
    assert {path: size for path, size in sizes.items() if path != "/77"} == {
        f"/{size}": size for size in (300_000, 0, 5000, 1)
    }
    assert notices(recording) == []


def test_streams_after_an_upgrade(stage: Stage, needs: Needs) -> None:
    with http2_proxy(stage, needs("nghttpx")) as proxy, Relay(proxy.port) as relay:
        paths = ("/bytes/3000", "/chunks/70000", "/status/404")
        urls = [f"http://{HOST}:{relay.port}{path}" for path in paths]
        recording = compare(
            stage, [needs("nghttp"), "-ns", "--upgrade", *urls], same=streams, before=relay.forget
        )
        logged = proxy.logged(2 * len(urls))[-len(urls) :]
        assert_same_bytes(recording, relay)

    assert sorted(logged) == sorted(
        f"{each.method} {each.target} {each.status} {size}"
        for each, size in zip(exchanges(recording), lengths(recording, "http.resp"), strict=True)
    )
    asked = [e for e in recording.of("http.req") if e.data["http_flavor"] == "1.1"]
    assert len(asked) == 1
    assert {e.data["http_flavor"] for e in recording.of("http.resp")} == {"2.0"}


def load(h2load: str, port: int, *options: str) -> list[str]:
    return [h2load, "-n200", "-c8", "-m10", *options, f"http://{HOST}:{port}/5000"]


def counts(output: bytes) -> list[bytes]:
    return STATUSES.findall(output) + [data for _, data in TRAFFIC.findall(output)]


def test_a_load_generator(stage: Stage, needs: Needs) -> None:
    with files_in_http2(stage, needs("nghttpd")) as port:
        recording = compare(stage, load(needs("h2load"), port), same=counts)

    ((total, data),) = TRAFFIC.findall(recording.ending.stdout)
    assert Counter(each[1:] for each in exchanges(recording)) == {("GET", "/5000", 200): 200}
    assert len(requests(recording)) == 200
    assert sum(lengths(recording, "http.resp")) == int(data) == 200 * 5000
    used = flows(recording, peer=port)
    assert len(used) == 8
    assert sum(flow.received for flow in used) == int(total)


def test_a_server_under_load(stage: Stage, needs: Needs) -> None:
    port = free_port()

    def clients() -> bytes:
        command = load(needs("h2load"), port)
        return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout

    served = compare_server(
        stage,
        nghttpd_command(stage, needs("nghttpd"), port),
        lambda: is_listening(port),
        clients,
        same=bool,
    )

    recording = served.recording
    ((total, data),) = TRAFFIC.findall(served.clients)
    assert STATUSES.findall(served.clients) == [b"200 2xx, 0 3xx, 0 4xx, 0 5xx"]
    assert Counter(each[1:] for each in exchanges(recording)) == {("GET", "/5000", 200): 200}
    assert len(requests(recording)) == 200
    assert sum(lengths(recording, "http.resp")) == int(data)
    used = flows(recording, local=port)
    assert len(used) == 8
    assert sum(flow.sent for flow in used) == int(total)
    asked = Counter(port for port, *_ in requests(recording, server=True))
    assert asked == dict.fromkeys((flow.peer for flow in used), 25)
