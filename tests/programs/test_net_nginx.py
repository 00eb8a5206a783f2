"""nginx with two workers: each line of its access log is one request and one response, and so on.

The access log tells of each request from which port it came, what was asked, how it was answered
and with how many bytes; what the log says and what the events say must be the same set.
"""

from __future__ import annotations

import socket
import subprocess
from collections import Counter
from collections.abc import Callable

from support.harness import Stage
from support.net_events import flows, lengths, notices, session_of
from support.net_peers import (
    HOST,
    Served,
    compare_server,
    conversation,
    request,
)
from support.nginx import Line, Nginx
from support.users import one_user

Needs = Callable[[str], str]


def check(served: Served, nginx: Nginx) -> list[Line]:
    """Demand that events and access log say the same of each request; return the log."""
    recording, log = served.recording, nginx.log()
    assert notices(recording) == []
    responses = Counter(
        (
            event.data["net_peer_port"],
            event.data["http_method"],
            event.data["http_target"],
            event.data["http_status_code"],
        )
        for event in recording.of("http.resp")
    )
    assert responses == Counter(line[:4] for line in log)
    requests = Counter(
        (event.data["net_peer_port"], event.data["http_method"], event.data["http_target"])
        for event in recording.of("http.req")
    )
    assert requests == Counter(line[:3] for line in log)
    return log


def check_bytes(served: Served, nginx: Nginx) -> None:
    """Demand that each connection moved the bytes of its requests and responses."""
    sent, received = Counter[int](), Counter[int]()
    for line in nginx.log():
        sent[line.port] += line.sent
        received[line.port] += line.received
    used = flows(served.recording, local=nginx.port)
    assert {flow.peer: flow.sent for flow in used} == sent
    assert {flow.peer: flow.received for flow in used} == received


@one_user("as root and as another user it answers requests of many kinds below")
def test_under_load(stage: Stage, needs: Needs) -> None:
    """Every request in the access log has its events, and the metrics are their sums."""
    nginx = Nginx(stage, needs("nginx"))

    def clients() -> None:
        for options, target in (("-t2 -c32", "/small?a=b"), ("-t1 -c4", "/large")):
            url = f"http://{HOST}:{nginx.port}{target}"
            command = [needs("wrk"), *options.split(), "-d1", url]
            subprocess.run(command, check=True, capture_output=True, timeout=30)

    served = nginx.serve(clients)

    log = check(served, nginx)
    assert len(log) > 200
    assert {(line.target, line.status) for line in log} == {("/small?a=b", 200), ("/large", 200)}
    used = flows(served.recording, local=nginx.port)
    assert {line.port for line in log} <= {flow.peer for flow in used}
    assert sum(flow.sent for flow in used) == sum(line.sent for line in log)
    check_metrics(served, stage)
    workers = {event.pid for event in served.recording.of("http.resp")}
    assert len(workers) <= 2


def check_metrics(served: Served, stage: Stage) -> None:
    """Demand that what the metrics add up to is what the events add up to."""
    recording = served.recording
    with session_of(stage) as session:
        metrics = list(session.metrics(("net.", "http.")))

    def total(name: str) -> float:
        return sum(metric.value for metric in metrics if metric.name == name)

    closed = recording.of("net.close")
    assert total("net.tx") == sum(e.data["net_bytes_sent"] for e in closed)
    assert total("net.rx") == sum(e.data["net_bytes_recv"] for e in closed)
    assert total("net.open") == len(recording.of("net.open"))
    assert total("net.close") == len(closed)
    assert total("net.error") == len(recording.of("net.error"))
    assert total("http.resp.content_length") == sum(lengths(recording, "http.resp"))
    requested = Counter[tuple[str, int]]()
    for metric in metrics:
        if metric.name == "http.req":
            requested[metric.tags["http_target"], metric.tags["http_status_code"]] += int(
                metric.value
            )
    assert requested == Counter(
        (e.data["http_target"].partition("?")[0], e.data["http_status_code"])
        for e in recording.of("http.resp")
    )


def test_requests_of_many_kinds(stage: Stage, needs: Needs) -> None:
    """Pipelined, of the head alone, of parts, of what is not there or not allowed."""
    nginx = Nginx(stage, needs("nginx"))
    close = "Connection: close"
    said = [
        b"".join(get(f"/small?{n}") for n in range(40)) + get("/absent", close),
        request("HEAD", "/large") + get("/empty") + request("HEAD", "/absent", close),
        get("/large") + get("/index.html", close),
        get("/large", "Range: bytes=10-19") + get("/small", "Range: bytes=900-", close),
        get("/small", "If-Modified-Since: Fri, 31 Dec 2199 23:59:59 GMT", close),
        request("POST", "/small", "Content-Length: 9") + b"some body" + get("/small", close),
        request("PUT", "/small", "Transfer-Encoding: chunked", close) + b"3\r\nabc\r\n0\r\n\r\n",
        get("/small", version="1.0"),
        get("/small", "Connection: keep-alive", version="1.0") * 3 + get("/", version="1.0"),
    ]

    def clients() -> list[bytes]:
        return [conversation(nginx.port, each) for each in said]

    served = nginx.serve(clients, compare_server)

    log = check_last(served, nginx)
    sent = sum(map(len, served.clients))
    assert sum(flow.sent for flow in flows(served.recording)) == sent
    assert sum(flow.received for flow in flows(served.recording)) == sum(map(len, said))
    bodies = [line.body for line in log if line.method != "HEAD"]
    known = [
        event.data.get("http_response_content_length", 0)
        for event in served.recording.of("http.resp")
        if event.data["http_method"] != "HEAD"
    ]
    assert sorted(known) == sorted(bodies)


def get(target: str, *fields: str, version: str = "1.1") -> bytes:
    return request("GET", target, *fields, version=version)


def check_last(served: Served, nginx: Nginx) -> list[Line]:
    """Check the second half of the log: the first was written when nothing was recorded."""
    path = nginx.stage.work / "access.log"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[len(lines) // 2 :]))
    return check(served, nginx)


def test_what_is_no_request_gets_an_answer_to_none(stage: Stage, needs: Needs) -> None:
    nginx = Nginx(stage, needs("nginx"))
    said = request("GET", "/small") + b"no request at all\r\n\r\n"
    served = nginx.serve(lambda: conversation(nginx.port, said))

    assert served.clients.count(b"HTTP/1.1 ") == 2
    (first, second) = served.recording.of("http.resp")
    assert (first.data["http_status_code"], first.data["http_target"]) == (200, "/small")
    assert second.data["http_status_code"] == 400
    assert "http_target" not in second.data
    assert len(served.recording.of("http.req")) == 1
    (flow,) = flows(served.recording)
    assert (flow.sent, flow.received) == (len(served.clients), len(said))


@one_user("as root and as another user it answers requests of many kinds below")
def test_200_connections_at_once(stage: Stage, needs: Needs) -> None:
    nginx = Nginx(stage, needs("nginx"))

    def clients() -> None:
        many = [socket.create_connection((HOST, nginx.port), timeout=20) for _ in range(200)]
        for target in ("/small", "/index.html"):
            for connection in many:
                connection.sendall(request("GET", target))
            for connection in many:
                read_answer(connection)
        for connection in many:
            connection.close()

    served = nginx.serve(clients)

    log = check(served, nginx)
    assert len(log) == 400
    check_bytes(served, nginx)
    assert len(flows(served.recording)) == 200
    reasons = Counter(
        e.data["net_close_reason"]
        for e in served.recording.of("net.close")
        if "net_peer_port" in e.data
    )
    assert reasons == {"remote": 200}


def read_answer(connection: socket.socket) -> None:
    answer = b""
    while not answer.endswith(b"n" * 7):
        data = connection.recv(1 << 16)
        assert data
        answer += data


@one_user("as root and as another user it answers requests of many kinds below")
def test_the_second_version_under_load(stage: Stage, needs: Needs) -> None:
    nginx = Nginx(stage, needs("nginx"), "http2")

    def clients() -> None:
        for number, target in (("-n160", "/small"), ("-n20", "/large")):
            url = f"http://{HOST}:{nginx.port}{target}"
            command = [needs("h2load"), number, "-c4", "-m5", url]
            subprocess.run(command, check=True, capture_output=True, timeout=30)

    served = nginx.serve(clients)

    log = check(served, nginx)
    assert len(log) == 180
    assert sum(lengths(served.recording, "http.resp")) == sum(line.body for line in log)
    assert {e.data["http_flavor"] for e in served.recording.of("http")} == {"2.0"}
