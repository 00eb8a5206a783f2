"""What a summary holds of the events of a session."""

from __future__ import annotations

from pathlib import Path

from scopetrace.query import open_session
from support.flow_builder import ENDS, UNIX_ENDS, opened, record_flows
from support.session_builder import begin, event, record


def test_the_last_lines_of_stderr_are_as_a_terminal_shows_them(tmp_path: Path) -> None:
    texts = ["one\n", "tw", "o\n\n", "10 %\r20 %\r30 %\n", "last\r\n", "no end"]
    path = record(tmp_path, [event("stderr", message=text) for text in texts])
    with open_session(path) as session:
        summary = session.summary()

    assert summary.stderr_last == ("30 %", "last", "no end")
    assert (summary.stderr_lines, summary.stdout_lines) == (6, 0)


def test_logs_have_their_lines_and_the_last_one(tmp_path: Path) -> None:
    events = [
        event("/var/log/b.log", message="1\n2\n"),
        event("/var/log/a.log", message="x\n"),
        event("/var/log/b.log", message="3\n"),
    ]
    with open_session(record(tmp_path, events)) as session:
        logs = session.summary().logs

    assert [log[:3] for log in logs] == [("/var/log/b.log", 3, "3"), ("/var/log/a.log", 1, "x")]


def test_failed_connections_are_counted_by_peer_without_those_to_nscd(tmp_path: Path) -> None:
    refused = {"op": "connect", "class": "connection", "error": "ECONNREFUSED", **ENDS}
    nscd = {**UNIX_ENDS, "unix_peer_path": "/run/nscd/socket", "error": "ENOENT", "op": "connect"}
    writer = begin(tmp_path, config="scopetrace: {pathclasses: {system: ['/nscd(/|$)']}}")
    own = {"net_host_ip": "10.0.0.5", "net_host_port": 80}
    writer.add_events([event("net.error", **refused), event("net.error", **nscd)] * 2)
    writer.add_events([event("net.error", op="bind", error="EADDRINUSE", **own)])
    writer.finish(exit_code=0)
    with open_session(writer.path) as session:
        found = session.summary().net_errors

    assert found == {
        "connect 93.184.216.34 port 80: ECONNREFUSED": 2,
        "bind 10.0.0.5 port 80: EADDRINUSE": 1,
    }


def test_names_that_could_not_be_looked_up_are_counted(tmp_path: Path) -> None:
    events = [
        event("dns.resp", domain="db.test", type="A", rcode="NXDOMAIN", addrs=[]),
        event("dns.resp", domain="db.test", type="AAAA", rcode="NXDOMAIN", addrs=[]),
        event("dns.resp", domain="www.test", type="A", rcode="NOERROR", addrs=["1.2.3.4"]),
        event("dns.error", domain="slow.test", type="A", error="timeout"),
    ]
    with open_session(record(tmp_path, events)) as session:
        found = session.summary().lookup_errors

    assert found == {"look up db.test: NXDOMAIN": 2, "look up slow.test: timeout": 1}


def test_responses_are_counted_by_side_and_status(tmp_path: Path) -> None:
    events = [
        opened(),
        event("http.resp", http_status_code=200, http_client_duration=3),
        event("http.resp", http_status_code=404, http_client_duration=3),
        event("http.resp", http_status_code=200, http_server_duration=3),
        event("http.resp", http_status_code=200, http_client_duration=3),
    ]
    with open_session(record_flows(tmp_path, events)) as session:
        summary = session.summary()

    assert summary.requests == {"client": {200: 2, 404: 1}, "server": {200: 1}}
    assert len(summary.flows) == 1


def test_requests_without_a_response_are_counted(tmp_path: Path) -> None:
    events = [
        opened(),
        event("http.req", http_method="GET"),
        event("http.req", http_method="GET"),
        event("http.resp", http_method="GET", http_status_code=200, http_client_duration=3),
        event("http.resp", http_status_code=200, http_client_duration=3),
    ]
    with open_session(record_flows(tmp_path, events)) as session:
        assert session.summary().unanswered == 1
