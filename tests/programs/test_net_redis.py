"""Redis, as a client and as a server: the bytes that it counts itself are those of the events."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

from support.harness import Argv, Stage
from support.net_events import assert_same_bytes, flows, protocols
from support.net_peers import HOST, Relay, compare, compare_server, free_port, is_listening, serve
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]

COMMANDS = "PING\nSET key {}\nGET key\nAPPEND key more\nSTRLEN key\nNOSUCH thing\n".format(
    "v" * 30_000
)


def server_command(program: str, port: int) -> Argv:
    return [
        program,
        *f"--port {port} --bind {HOST} --appendonly no --loglevel warning".split(),
        "--save",
        "",
    ]


def test_a_client(stage: Stage, needs: Needs) -> None:
    port = free_port()
    server = server_command(needs("redis-server"), port)
    with serve(server, lambda: is_listening(port), cwd=stage.folder), Relay(port) as relay:

        def before() -> None:
            relay.forget()

        command = [needs("redis-cli"), "-h", HOST, "-p", str(relay.port)]
        recording = compare(stage, command, before=before, input=COMMANDS.encode())
        assert_same_bytes(recording, relay)

    assert recording.ending.stdout.startswith(b"PONG\nOK\nvvvv")
    assert len(relay.wires) == 1
    (closed,) = [e for e in recording.of("net.close") if e.data.get("net_peer_port") == relay.port]
    assert closed.data["net_protocol"] == "Redis"
    assert protocols(recording) == {"Redis": 1}


def test_a_server(stage: Stage, needs: Needs) -> None:
    """INFO counts the bytes of itself as asked, not yet as answered."""
    port = free_port()

    def clients() -> tuple[int, int, int]:
        with socket.create_connection((HOST, port), timeout=20) as connection:
            reader = connection.makefile("rb")
            for line in COMMANDS.splitlines():
                connection.sendall(encoded(line))
                answer_of(reader)
            connection.sendall(encoded("INFO stats"))
            info = answer_of(reader)
        return counted(info, "input"), counted(info, "output"), len(info)

    def counted(info: bytes, way: str) -> int:
        (number,) = re.findall(rb"total_net_%s_bytes:(\d+)" % way.encode(), info)
        return int(number)

    served = compare_server(
        stage,
        server_command(needs("redis-server"), port),
        lambda: is_listening(port),
        clients,
        same=len,
    )

    received, sent, of_info = served.clients
    (flow,) = flows(served.recording, local=port)
    assert (flow.received, flow.sent) == (received, sent + of_info)
    assert protocols(served.recording) == {"Redis": 1}
    (listens,) = served.recording.of("net.listen")
    assert listens.data["net_host_port"] == port


def encoded(line: str) -> bytes:
    """Return a command as clients send it (RESP)."""
    words = line.encode().split(b" ")
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def answer_of(reader: object) -> bytes:
    """Return one answer: a line, or as many bytes as a line says."""
    line: bytes = reader.readline()  # type: ignore[attr-defined]
    assert line
    if line.startswith(b"$"):
        line += reader.read(int(line[1:]) + 2)  # type: ignore[attr-defined]
    return line
