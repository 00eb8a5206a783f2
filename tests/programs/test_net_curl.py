"""curl, and the servers it talks to: what it says of each transfer, they say, and so do the events.

Each transfer goes through a relay, which knows the bytes of each connection. curl's own account is
the JSON that it prints with `-w`.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.harness import Recording, Stage
from support.net_events import (
    Exchange,
    assert_same_bytes,
    exchanges,
    lengths,
    notices,
    protocols,
    requests,
)
from support.net_peers import (
    HOST,
    Relay,
    WebServer,
    compare,
    files_in_http2,
    free_port,
    http2_proxy,
    serve,
    web_server,
    without_numbers,
)
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]
Told = list[dict[str, Any]]

SAME = "http_code http_version exitcode method urlnum size_download size_upload size_header"
"""What curl says that is the same in any run."""
BODY = "b" * 5000


def reported(output: bytes) -> Told:
    """Return what curl says of its transfers."""
    return [json.loads(line) for line in output.splitlines()]


def account(output: bytes) -> list[list[Any]]:
    transfers = sorted(reported(output), key=lambda each: int(each["urlnum"]))
    return [[transfer[name] for name in SAME.split()] for transfer in transfers]


def curl(stage: Stage, program: str, *arguments: str, **options: Any) -> tuple[Recording, Told]:
    """Transfer natively and recorded; what curl says must be the same."""
    command = [program, "-q", "-sS", "-w", "%{json}\\n", *arguments]
    recording = compare(stage, command, same=account_or_text, **options)
    assert notices(recording) == []
    return recording, reported(recording.ending.stdout)


def account_or_text(output: bytes) -> Any:
    return account(output) if output.startswith(b"{") else without_numbers(output)


def into_files(*urls: str) -> list[str]:
    """Return the arguments that fetch each URL into a file of its own."""
    return [word for n, url in enumerate(urls) for word in ("-o", f"body-{n}", url)]


def target(transfer: dict[str, Any]) -> str:
    return "/" + transfer["url"].split("//")[1].partition("/")[2]


def expected(transfers: Told) -> list[Exchange]:
    return [
        Exchange(each["local_port"], each["method"], target(each), each["http_code"])
        for each in transfers
    ]


def seen_by(server: WebServer, relay: Relay, count: int) -> list[Exchange]:
    """Return what the server says of the last requests; it knows the ports of the relay."""
    clients = {wire.server: wire.client for wire in relay.wires}
    return [
        Exchange(clients[line["port"]], line["method"], line["target"], line["status"])
        for line in server.seen()[-count:]
    ]


@contextmanager
def relayed(folder: Path) -> Iterator[tuple[WebServer, Relay, str]]:
    """A web server, a relay before it, and the URL of that."""
    with web_server(folder) as server, Relay(server.port) as relay:
        yield server, relay, f"http://{HOST}:{relay.port}"


def check(recording: Recording, transfers: Told, server: WebServer, relay: Relay) -> None:
    """Demand that curl, server, relay and events say the same."""
    assert [each["exitcode"] for each in transfers] == [0] * len(transfers)
    assert exchanges(recording) == expected(transfers) == seen_by(server, relay, len(transfers))
    assert requests(recording) == [exchange[:3] for exchange in expected(transfers)]
    seen = server.seen()[-len(transfers) :]
    assert lengths(recording, "http.req") == [line["received"] for line in seen]
    assert [line["sent"] for line in seen] == [each["size_download"] for each in transfers]
    assert [line["received"] for line in seen] == [each["size_upload"] for each in transfers]
    assert_same_bytes(recording, relay)


@pytest.mark.parametrize("options", [["--http1.0"], ["--http1.1"]], ids=["1.0", "1.1"])
def test_one_page(options: list[str], stage: Stage, needs: Needs) -> None:
    with relayed(stage.folder) as (server, relay, url):
        recording, transfers = curl(
            stage,
            needs("curl"),
            *options,
            *into_files(f"{url}/bytes/1234?a=b"),
            before=relay.forget,
        )
        check(recording, transfers, server, relay)

    (asked,), (answered,) = recording.of("http.req"), recording.of("http.resp")
    assert asked.data["http_flavor"] == options[0].removeprefix("--http")
    assert asked.data["http_host"] == f"{HOST}:{relay.port}"
    assert asked.data["http_user_agent"].startswith("curl/")
    assert answered.data["http_response_content_length"] == 1234
    assert answered.data["http_flavor"] == "1.1"
    assert answered.data["http_status_text"] == "OK"
    assert protocols(recording) == {"HTTP": 1}
    (closed,) = [e for e in recording.of("net.close") if "net_peer_port" in e.data]
    assert closed.data["net_protocol"] == "HTTP"
    assert {asked.channel, answered.channel} == {closed.channel}


def test_several_pages_through_one_connection(stage: Stage, needs: Needs) -> None:
    paths = ("bytes/10", "chunks/4321", "status/404", "status/204", "bytes/70000", "status/503")
    with relayed(stage.folder) as (server, relay, url):
        urls = [f"{url}/{path}" for path in paths]
        recording, transfers = curl(stage, needs("curl"), *into_files(*urls), before=relay.forget)
        check(recording, transfers, server, relay)
        assert len(relay.wires) == 1

    assert lengths(recording, "http.resp") == [each["size_download"] for each in transfers]
    assert [e.data["http_status_code"] for e in recording.of("http.resp")] == [
        200,
        200,
        404,
        204,
        200,
        503,
    ]


def test_a_body_that_ends_with_its_connection(stage: Stage, needs: Needs) -> None:
    with relayed(stage.folder) as (server, relay, url):
        urls = [f"{url}/until-close/{size}" for size in (0, 2500)]
        recording, transfers = curl(stage, needs("curl"), *into_files(*urls), before=relay.forget)
        check(recording, transfers, server, relay)
        assert len(relay.wires) == 2

    assert lengths(recording, "http.resp") == [0, 2500]
    reasons = [
        e.data["net_close_reason"] for e in recording.of("net.close") if "net_peer_port" in e.data
    ]
    assert reasons[1] == "remote"


def test_only_the_head_of_a_page_and_then_all_of_it(stage: Stage, needs: Needs) -> None:
    with relayed(stage.folder) as (server, relay, url):
        recording, transfers = curl(
            stage,
            needs("curl"),
            "-I",
            *into_files(f"{url}/bytes/900", f"{url}/chunks/900"),
            *["--next", "-q", "-sS", "-w", "%{json}\\n"],
            *into_files(f"{url}/bytes/901"),
            before=relay.forget,
        )
        assert exchanges(recording) == expected(transfers) == seen_by(server, relay, 3)
        assert_same_bytes(recording, relay)

    assert [each.method for each in exchanges(recording)] == ["HEAD", "HEAD", "GET"]
    assert len(relay.wires) == 1
    assert lengths(recording, "http.resp")[2] == 901


@pytest.mark.parametrize(
    "options",
    [["-d", BODY], ["-H", "Transfer-Encoding: chunked", "-d", BODY], ["-T", "-"], ["-T", "upload"]],
    ids=["of-known-length", "in-chunks", "from-a-pipe", "from-a-file"],
)
def test_an_upload(options: list[str], stage: Stage, needs: Needs) -> None:
    def before() -> None:
        (stage.work / "upload").write_text(BODY)
        relay.forget()

    with relayed(stage.folder) as (server, relay, url):
        recording, transfers = curl(
            stage,
            needs("curl"),
            *options,
            *into_files(f"{url}/form"),
            before=before,
            input=BODY.encode(),
        )
        assert exchanges(recording) == expected(transfers) == seen_by(server, relay, 1)
        assert_same_bytes(recording, relay)

    (request,) = recording.of("http.req")
    assert request.data["http_request_content_length"] == server_received(server) == len(BODY)


def server_received(server: WebServer) -> int:
    received: int = server.seen()[-1]["received"]
    return received


def test_an_upload_that_waits_until_it_may(stage: Stage, needs: Needs) -> None:
    """An interim response (100) is no answer: there is one event of a response."""
    options = ["-H", "Expect: 100-continue", "--expect100-timeout", "20", "-d", BODY]
    with relayed(stage.folder) as (server, relay, url):
        recording, transfers = curl(
            stage, needs("curl"), *options, *into_files(f"{url}/form"), before=relay.forget
        )
        check(recording, transfers, server, relay)
        assert relay.wires[0].received.startswith(b"HTTP/1.1 100 Continue\r\n")

    assert lengths(recording, "http.req") == [len(BODY)]


# -- HTTP/2 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "status"), [(0, 200), (300_000, 200), (77, 404)])
def test_the_second_version_known_beforehand(
    size: int, status: int, stage: Stage, needs: Needs
) -> None:
    with files_in_http2(stage, needs("nghttpd")) as port, Relay(port) as relay:
        recording, transfers = curl(
            stage,
            needs("curl"),
            "--http2-prior-knowledge",
            *into_files(f"http://{HOST}:{relay.port}/{size}"),
            before=relay.forget,
        )
        assert exchanges(recording) == expected(transfers)
        assert_same_bytes(recording, relay)

    assert [each.status for each in exchanges(recording)] == [status]
    assert lengths(recording, "http.resp") == [each["size_download"] for each in transfers]
    assert {e.data["http_flavor"] for e in recording.of("http")} == {"2.0"}
    assert [e.data["http_stream"] for e in recording.of("http")] == [1, 1]
    assert protocols(recording) == {"HTTP": 1}


def test_an_upload_in_the_second_version(stage: Stage, needs: Needs) -> None:
    with files_in_http2(stage, needs("nghttpd")) as port, Relay(port) as relay:
        recording, transfers = curl(
            stage,
            needs("curl"),
            "--http2-prior-knowledge",
            "-d",
            BODY,
            *into_files(f"http://{HOST}:{relay.port}/echo"),
            before=relay.forget,
        )
        assert exchanges(recording) == expected(transfers)
        assert_same_bytes(recording, relay)

    assert lengths(recording, "http.req") == [5000]
    assert lengths(recording, "http.resp") == [each["size_download"] for each in transfers]


def test_the_second_version_after_an_upgrade(stage: Stage, needs: Needs) -> None:
    """nghttpx switches to HTTP/2, and asks a server of HTTP/1.1 itself."""
    with http2_proxy(stage, needs("nghttpx")) as proxy, Relay(proxy.port) as relay:
        urls = [f"http://{HOST}:{relay.port}/{path}" for path in ("bytes/900", "status/404")]
        recording, transfers = curl(
            stage, needs("curl"), "--http2", *into_files(*urls), before=relay.forget
        )
        logged = proxy.logged(2 * len(urls))[-len(urls) :]
        assert_same_bytes(recording, relay)

    assert exchanges(recording) == expected(transfers)
    sizes = [each["size_download"] for each in transfers]
    assert lengths(recording, "http.resp") == sizes
    assert logged == [
        f"{each.method} {each.target} {each.status} {size}"
        for each, size in zip(exchanges(recording), sizes, strict=True)
    ]
    assert [e.data["http_flavor"] for e in recording.of("http.req")] == ["1.1", "2.0"]
    assert [e.data["http_flavor"] for e in recording.of("http.resp")] == ["2.0", "2.0"]


# -- other ways to a server -----------------------------------------------------------------------


def test_through_the_newer_internet(stage: Stage, needs: Needs) -> None:
    with (
        web_server(stage.folder, "::1") as server,
        Relay(server.port, socket.AF_INET6) as relay,
    ):
        urls = [f"http://[::1]:{relay.port}/bytes/{size}" for size in (300, 301)]
        recording, transfers = curl(stage, needs("curl"), *into_files(*urls), before=relay.forget)
        check(recording, transfers, server, relay)

    ends = {(e.data["net_host_ip"], e.data["net_peer_ip"]) for e in recording.of("http")}
    assert ends == {("::1", "::1")}


def test_through_a_unix_socket(stage: Stage, needs: Needs) -> None:
    path = stage.folder / "web.sock"
    with web_server(stage.folder) as server:
        command = [needs("socat"), f"UNIX-LISTEN:{path},fork,mode=777", f"TCP:{HOST}:{server.port}"]
        with serve(command, path.exists):
            recording, transfers = curl(
                stage,
                needs("curl"),
                "--unix-socket",
                str(path),
                *into_files("http://any.host/bytes/44", "http://any.host/chunks/3000"),
            )
        seen = [(line["method"], line["target"], line["status"]) for line in server.seen()[-2:]]

    assert [each[1:] for each in exchanges(recording)] == seen
    assert lengths(recording, "http.resp") == [each["size_download"] for each in transfers]
    for event in recording.of("http"):
        assert event.data["unix_peer_path"] == str(path)
        assert event.data["net_transport"] == "Unix.TCP"
        assert "net_peer_port" not in event.data
    (closed,) = [e for e in recording.of("net.close") if e.data.get("unix_peer_path") == str(path)]
    assert closed.data["net_bytes_sent"] == sum(each["size_request"] for each in transfers)
    assert closed.data["net_protocol"] == "HTTP"


def test_a_connection_refused(stage: Stage, needs: Needs) -> None:
    port = free_port()
    recording, (transfer,) = curl(stage, needs("curl"), f"http://{HOST}:{port}/")

    assert recording.ending.status == transfer["exitcode"] == 7
    (failed,) = [e for e in recording.of("net.error") if e.data.get("net_peer_port") == port]
    assert failed.data["error"] == "ECONNREFUSED"
    assert failed.data["class"] == "connection"
    assert recording.of("http") == []
    assert all("net_peer_port" not in e.data for e in recording.of("net.open", "net.close"))


def test_a_connection_reset_amid_a_request(stage: Stage, needs: Needs) -> None:
    """A server that leaves what it was sent unread resets the connection: close(2), tcp(7)."""

    def reset() -> None:
        connection, _ = listener.accept()
        connection.recv(1, socket.MSG_PEEK)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]

        def before() -> None:
            threading.Thread(target=reset, daemon=True).start()

        recording, (transfer,) = curl(stage, needs("curl"), f"http://{HOST}:{port}/", before=before)

    assert recording.ending.status == transfer["exitcode"] == 56
    (closed,) = [e for e in recording.of("net.close") if e.data.get("net_peer_port") == port]
    assert closed.data["net_close_reason"] == "reset"
    assert closed.data["error"] == "ECONNRESET"
    assert closed.data["net_bytes_sent"] == transfer["size_request"]
    assert closed.data["net_bytes_recv"] == 0
    assert requests(recording) == [(transfer["local_port"], "GET", "/")]
    assert recording.of("http.resp") == []
