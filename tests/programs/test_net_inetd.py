"""Programs whose stdin, stdout and stderr are one socket, as inetd(8) and systemd(1) start them."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from scopetrace.model.flow_record import FlowRecord
from support.harness import PATIENCE, Ending, Recording, Stage, scopetrace_command
from support.interpreter import python
from support.net_events import exchanges, notices, session_of
from support.net_peers import HOST, request
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]


class Spoken(NamedTuple):
    """What a peer had of its connection, and what the session says of it."""

    got: bytes
    recording: Recording
    flow: FlowRecord
    sent: bytes
    """The payload."""
    received: bytes


def start(
    stage: Stage, far: socket.socket, argv: list[str], *arguments: str, **more: Any
) -> subprocess.Popen[bytes]:
    """Record a program whose fds 0 to 2 are a socket, unless `more` says otherwise."""
    options: dict[str, Any] = {
        "stdin": far,
        "stdout": far,
        "stderr": far,
        "cwd": stage.work,
    } | stage.become()
    command = scopetrace_command("run", *arguments, "--", *argv)
    program = subprocess.Popen(command, env=stage.environment(), **(options | more))
    far.close()
    return program


def talk(
    near: socket.socket, far: socket.socket, stage: Stage, argv: list[str], said: bytes
) -> Spoken:
    """Say something to a program on the other end; return all that came of it."""
    home = stage.new_home()
    with near:
        near.settimeout(PATIENCE)
        program = start(stage, far, argv, "-p")
        near.sendall(said)
        near.shutdown(socket.SHUT_WR)
        got = b""
        while data := near.recv(1 << 16):
            got += data
    ending = Ending(b"", b"", program.wait(PATIENCE))
    return spoken(stage, got, stage.finished(home, ending))


def spoken(stage: Stage, got: bytes, recording: Recording) -> Spoken:
    with session_of(stage) as session:
        (flow,) = session.flows()
        ways = [session.payload(flow.channel, outgoing=way) for way in (True, False)]
        sent, received = (b"".join(piece.data for piece in pieces) for pieces in ways)
    return Spoken(got, recording, flow, sent, received)


def over_tcp(stage: Stage, argv: list[str], said: bytes) -> Spoken:
    with socket.create_server((HOST, 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    return talk(near, far, stage, argv, said)


def moved(stage: Stage) -> dict[str, float]:
    """Return the sums of the metrics of what went through connections."""
    with session_of(stage) as session:
        return {
            name: sum(metric.value for metric in session.metrics(name))
            for name in ("net.tx", "net.rx", "net.open")
        }


@pytest.fixture
def web(stage: Stage, needs: Needs) -> list[str]:
    """The command line of a web server for one connection."""
    pages = stage.give(stage.folder / "pages")
    (pages / "page.txt").write_text("a page\n" * 3000)
    return [needs("busybox"), "httpd", "-i", "-h", str(pages)]


def test_a_web_server_that_inetd_started(stage: Stage, web: list[str]) -> None:
    asked = request("GET", "/nowhere", "Connection: close")
    reported = over_tcp(stage, web, asked)

    assert reported.got.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert (reported.sent, reported.received) == (reported.got, asked)
    assert (reported.flow.bytes_sent, reported.flow.bytes_recv) == (len(reported.got), len(asked))
    assert reported.flow.protocol == "HTTP"
    (exchange,) = exchanges(reported.recording)
    assert exchange[1:] == ("GET", "/nowhere", 404)
    assert reported.recording.messages("stdout").encode() == reported.got
    assert moved(stage) == {"net.tx": len(reported.got), "net.rx": len(asked), "net.open": 1}
    assert notices(reported.recording) == []


def test_what_such_a_server_sends_with_sendfile_is_counted(stage: Stage, web: list[str]) -> None:
    reported = over_tcp(stage, web, request("GET", "/page.txt", "Connection: close"))

    head, page, body = reported.got.partition(b"a page\n")
    assert page + body == b"a page\n" * 3000
    assert reported.got.startswith(reported.sent)
    assert len(reported.sent) >= len(head)
    assert reported.flow.bytes_sent == moved(stage)["net.tx"] == len(reported.got)
    assert reported.flow.sent.missing == len(reported.got) - len(reported.sent)
    (response,) = reported.recording.of("http.resp")
    assert response.data["http_status_code"] == 200
    assert response.data["http_response_content_length"] == 21_000
    unseen = [
        e.data["count"] for e in reported.recording.of("notice") if e.data["reason"] == "unseen"
    ]
    assert sum(unseen) == reported.flow.sent.missing


WRITES = """
import os, socket, sys
asked = os.read(0, 100)
os.write(1, b"1: " + asked)
os.write(2, b"a warning\\n")
os.writev(1, [b"a ", b"vector\\n"])
os.system("cat /proc/self/comm; echo a complaint >&2")
with socket.socket(fileno=os.dup(1)) as copy:
    copy.send(b"sent\\n")
    copy.sendmsg([b"sent ", b"too\\n"])
"""
STDOUT = ["1: question", "a vector", "cat", "sent", "sent too"]
STDERR = ["a complaint", "a warning"]


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_a_program_and_its_children_on_one_unix_socket(
    stage: Stage, kind: socket.SocketKind
) -> None:
    pair = socket.socketpair(socket.AF_UNIX, kind)
    reported = talk(*pair, stage, [python(), "-c", WRITES], b"question\n")

    assert reported.sent == reported.got
    assert reported.received == b"question\n"
    assert reported.flow.bytes_sent == moved(stage)["net.tx"] == len(reported.got)
    assert sorted(reported.recording.messages("stdout").splitlines()) == STDOUT
    assert sorted(reported.recording.messages("stderr").splitlines()) == STDERR
    assert sorted(reported.got.decode().splitlines()) == sorted(STDOUT + STDERR)
    (opened,) = reported.recording.of("net.open")
    assert (opened.data["op"], opened.data["fd"]) == ("read", 0)
    assert notices(reported.recording) == []


LOGS = "import os\nfor i in range(5000): os.write(1 + i % 2, b'%5d is a line\\n' % i)"


def test_a_log_that_nobody_wants_is_counted_to_the_last_byte(stage: Stage) -> None:
    """As of a service that logs to the journal; the rules want neither its text nor its bytes."""
    home = stage.new_home()
    (home / "scope.yml").write_text("event: {watch: [{type: net}]}\n")
    near, far = socket.socketpair()
    rules = ("-u", str(home / "scope.yml"))
    argv = [python(), "-c", LOGS]
    program = start(stage, far, argv, *rules, stdin=subprocess.DEVNULL)
    with near, near.makefile("rb") as lines:
        assert sum(map(len, lines)) == 80_000
    recording = stage.finished(home, Ending(b"", b"", program.wait(PATIENCE)))

    opened, closed = recording.events
    assert (opened.source, opened.data["fd"], "role" in opened.data) == ("net.open", 1, False)
    assert (closed.source, closed.data["net_bytes_sent"]) == ("net.close", 80_000)
