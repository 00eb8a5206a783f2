"""What a question is about: a pid, a path, the end of one, or a peer."""

from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.errors import SessionError, UsageError
from scopetrace.query import open_session
from support.session_builder import event, record

PEER = {"net_peer_ip": "10.0.0.1", "net_peer_port": 80, "net_transport": "IP.TCP"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return record(
        tmp_path,
        [
            event("fs.open", file=f"{tmp_path}/app.conf", flags="O_RDONLY"),
            event("fs.open", file="/etc/ssl/cert.pem", file_passed="/ssl/link.pem"),
            event("fs.open", file="/a/same"),
            event("fs.open", file="/b/same"),
            event("fs.open", file="/c/moved"),
            event("fs.rename", file="/c/moved", file_new="/d/moved"),
            event("fs.error", op="stat", file="/etc/moved", error="ENOENT"),
            event("fs.error", op="stat", file="/x/.missed", error="ENOENT"),
            event("fs.open", file="/x/missed"),
            event("net.open", channel=7, **PEER),
        ],
    )


@pytest.mark.parametrize(
    ("text", "kind", "subject"),
    [
        ("70", "process", "python3 log.py"),
        ("/a/same", "file", "/a/same"),
        ("a/same", "file", "/a/same"),
        ("cert.pem", "file", "/etc/ssl/cert.pem"),
        ("ssl/cert.pem", "file", "/etc/ssl/cert.pem"),
        ("/ssl/link.pem", "file", "/etc/ssl/cert.pem"),
        ("moved", "file", "/d/moved"),
        ("../moved", "file", "/d/moved"),
        (".missed", "file", "/x/.missed"),
        ("x/.missed", "file", "/x/.missed"),
        ("10.0.0.1:80", "peer", "10.0.0.1:80"),
    ],
)
def test_what_is_asked_about(path: Path, text: str, kind: str, subject: str) -> None:
    with open_session(path) as session:
        answer = session.who(text)

    assert (answer.kind, answer.subject) == (kind, subject)


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("same", UsageError, "2 files are named same: /a/same, /b/same; give a whole path"),
        ("72", SessionError, "session 1 has no process 72; the nearest are 70"),
        (
            "/etc/ssl/cret.pem",
            SessionError,
            "session 1 has nothing about /etc/ssl/cret.pem; did you mean /etc/ssl/cert.pem?",
        ),
        (
            "10.0.0.1:88",
            SessionError,
            "session 1 has nothing about 10.0.0.1:88; did you mean 10.0.0.1:80 or 10.0.0.1?",
        ),
        (
            "zebra:9",
            SessionError,
            "session 1 has nothing about zebra:9; scopetrace files and scopetrace flows list what"
            " it has",
        ),
        ("", UsageError, "give a path, HOST:PORT or a process id"),
    ],
)
def test_what_is_not_found_or_not_clear(
    path: Path, text: str, kind: type[Exception], sentence: str
) -> None:
    with open_session(path) as session, pytest.raises(kind) as refused:
        session.who(text)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("text", "kind", "subject"),
    [
        ("10.0.0.1:80", "peer", "10.0.0.1:80"),
        ("/w/10.0.0.1:80", "file", "/w/10.0.0.1:80"),
        ("10.0.0.1:81", "file", "/w/10.0.0.1:81"),
    ],
)
def test_what_has_a_port_is_a_peer_if_there_is_one(
    tmp_path: Path, text: str, kind: str, subject: str
) -> None:
    files = [event("fs.open", file=f"/w/10.0.0.1:{port}") for port in (80, 81)]
    with open_session(record(tmp_path, [event("net.open", channel=7, **PEER), *files])) as session:
        answer = session.who(text)

    assert (answer.kind, answer.subject) == (kind, subject)
    assert len(answer.touches) == 1
