"""What of a session is compared."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing as closing_db
from pathlib import Path
from typing import Any

import pytest

from scopetrace.model.difference import (
    ANSWER,
    ANSWER_BYTES,
    CALL,
    LOG,
    NAME,
    PEER,
    PORT,
    RECEIVED_BYTES,
    REQUEST,
    SENT_BYTES,
)
from scopetrace.model.event import Event
from scopetrace.query import open_session
from scopetrace.query.connect import connect
from scopetrace.query.diff import facts as module
from scopetrace.query.diff.facts import Facts, place, read_facts
from support.flow_builder import UNIX_ENDS, closed, opened
from support.session_builder import event, image, record

ENDS = {
    "net_transport": "IP.TCP",
    "net_peer_ip": "10.0.0.1",
    "net_peer_port": 80,
    "net_host_ip": "10.0.0.9",
    "net_host_port": 4000,
}


def facts(home: Path, events: Iterable[Event], images: Any = ()) -> Facts:
    path = record(home, events, images)
    with open_session(path) as session, closing_db(connect(path)) as db:
        return read_facts(db, session.info, session.path_classes)


@pytest.mark.parametrize(
    ("host", "port", "text"),
    [("a", 0, "a"), ("a", 80, "a:80"), ("::1", 80, "[::1]:80"), ("::1", 0, "::1"), ("", 80, ":80")],
)
def test_a_place_has_what_is_known_of_it(host: str, port: int, text: str) -> None:
    assert place(host, port) == text


THERE = (PEER, "10.0.0.1:80")
SIZES = {(THERE, SENT_BYTES): {9}, (THERE, RECEIVED_BYTES): {7}}
UDP = {**ENDS, "net_transport": "IP.UDP"}


@pytest.mark.parametrize(
    ("role", "data", "results", "sizes"),
    [
        ("client", {}, {"connected"}, SIZES),
        ("", {}, {"connected"}, SIZES),
        ("server", {}, None, {}),
        ("client", {"error": "ECONNRESET"}, {"connected", "ECONNRESET"}, SIZES),
        ("client", {"error": "EPIPE"}, {"connected"}, SIZES),
        ("", {"error": "ECONNRESET"}, {"connected"}, SIZES),
        ("client", {"net_protocol": "SSH"}, {"connected"}, SIZES),
        ("client", {"net_protocol": "SMTP,TLS"}, {"connected"}, {}),
        ("client", {"net_protocol": "HTTP"}, {"connected"}, {}),
    ],
)
def test_whom_a_program_connected_to_and_how_much_went_there(
    role: str, data: dict[str, Any], results: set[str] | None, sizes: object, tmp_path: Path
) -> None:
    flow = [opened(role=role, **ENDS), closed(sent=9, received=7, **ENDS, **data)]
    found = facts(tmp_path, flow)

    assert found.outcomes == ({THERE: results} if results else {})
    assert found.sizes == sizes


@pytest.mark.parametrize(("sent", "received", "asked"), [(0, 0, 0), (1, 0, 1), (0, 1, 1)])
def test_a_datagram_socket_that_moved_nothing_asked_for_a_route(
    sent: int, received: int, asked: int, tmp_path: Path
) -> None:
    found = facts(tmp_path, [opened(**UDP), closed(sent=sent, received=received, **UDP)])

    assert len(found.outcomes) == asked


def test_a_peer_is_known_by_its_name_or_its_path(tmp_path: Path) -> None:
    named = {**ENDS, "net_peer_name": "web.test"}

    found = facts(tmp_path, [opened(**named), opened(1, **UNIX_ENDS)])
    assert found.outcomes.keys() == {(PEER, "web.test:80"), (PEER, "/run/app.sock")}


ANSWERED = {"http_method": "GET", "http_target": "/a", "http_status_code": 200}


@pytest.mark.parametrize(
    ("found", "thing", "result"),
    [
        (event("net.listen", net_host_ip="::", net_host_port=80), (PORT, "[::]:80"), "listening"),
        (event("net.listen", unix_local_path="/s"), (PORT, "/s"), "listening"),
        (event("net.error", op="connect", error="ECONNREFUSED", **ENDS), THERE, "ECONNREFUSED"),
        (
            event("net.error", op="connect", error="ENOENT", unix_peer_path="/s"),
            (PEER, "/s"),
            "ENOENT",
        ),
        (
            event("net.error", op="bind", error="EADDRINUSE", **ENDS),
            (PORT, "10.0.0.9:4000"),
            "EADDRINUSE",
        ),
        (event("net.error", op="connect", error="EINPROGRESS", **ENDS), None, ""),
        (event("net.error", op="sendto", error="ECONNREFUSED", **ENDS), None, ""),
        (event("http.resp", **ANSWERED, http_host="box"), (REQUEST, "GET box/a"), "200"),
        (event("http.resp", **ANSWERED, **ENDS), (REQUEST, "GET 10.0.0.1:80/a"), "200"),
        (
            event("http.resp", **ANSWERED, http_host="box", http_server_duration=0),
            (ANSWER, "GET /a"),
            "200",
        ),
        (
            event("dns.resp", domain="x.test", type="A", rcode="NOERROR"),
            (NAME, "x.test A"),
            "NOERROR",
        ),
        (
            event("dns.error", domain="x.test", type="A", error="timeout"),
            (NAME, "x.test A"),
            "timeout",
        ),
        (event("proc.error", op="fork", error="ENOMEM"), (CALL, "fork"), "ENOMEM"),
        (event("proc.error", op="kill", what="7", error="EPERM"), (CALL, "kill 7"), "EPERM"),
        (event("proc.error", op="kill", what="7", error="ESRCH"), None, ""),
    ],
)
def test_how_what_may_fail_went(
    found: Event, thing: tuple[str, str] | None, result: str, tmp_path: Path
) -> None:
    assert facts(tmp_path, [found]).outcomes == ({thing: {result}} if thing else {})


def test_the_length_of_an_answer_is_compared_even_if_it_is_0(tmp_path: Path) -> None:
    answers = [
        event("http.resp", **ANSWERED, http_host="a", http_response_content_length=length)
        for length in (0, 5)
    ]
    found = facts(tmp_path, [*answers, event("http.resp", **ANSWERED, http_host="b")])

    assert found.sizes == {((REQUEST, "GET a/a"), ANSWER_BYTES): {0, 5}}


def test_lines_are_as_a_reader_sees_them(tmp_path: Path) -> None:
    found = facts(
        tmp_path,
        [
            event("stdout", message="10 %\r20 %\rdone\r\n\x1b[1mbold\x1b[0m\n  \nha"),
            event("stdout", process=2, message="other\n"),
            event("stdout", message="lf\nha"),
            event("/l/x", message="[notice] 1#2: x\n[error] 1#2: y\nGET / 499 \ntook 499 ms\n"),
            event("stderr", message="50 --:--:-- 0\n"),
        ],
        [image(2, pid=71)],
    )

    assert {thing: [*lines] for thing, lines in found.lines.items()} == {
        ("stdout", "stdout"): ["done", "bold", "other", "half", "ha"],
        (LOG, "/l/x"): ["[error] 1#2: y", "took 499 ms"],
        ("stderr", "stderr"): [],
    }


def test_of_very_many_lines_the_first_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_LINES", 2)
    found = facts(tmp_path, [event("stdout", message="a\nb\na\nc\n")])

    assert [*found.lines["stdout", "stdout"]] == ["a", "b"]


def test_ports_that_the_kernel_chose_are_numbers_that_other_runs_have_otherwise(
    tmp_path: Path,
) -> None:
    def ends(local: int, peer: int) -> dict[str, Any]:
        return {**ENDS, "net_host_port": local, "net_peer_port": peer}

    found = facts(
        tmp_path,
        [
            opened(0, **ends(1024, 8080)),
            opened(1, **ends(1023, 8081)),
            opened(2, role="server", **ends(8082, 1025)),
            opened(3, role="", **ends(32767, 32768)),
            event("net.listen", net_host_ip="::", net_host_port=32769),
            event("net.listen", net_host_ip="::", net_host_port=9999),
        ],
    )

    ports = {int(number) for number, kind in found.numbers.items() if kind == "PORT"}
    assert ports == {1024, 1025, 32768, 32769}


def test_the_environment_is_that_of_the_first_program(tmp_path: Path) -> None:
    starts = [event("proc.start", env=["A=1=2", "B="]), event("proc.start", env=["C=3"])]

    assert facts(tmp_path, starts).environment == {"A": "1=2", "B": ""}
    assert facts(tmp_path / "none", [event("proc.start")]).environment == {}
