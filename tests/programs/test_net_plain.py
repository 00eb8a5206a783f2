"""Plain sockets: netcat, socat, an echo of datagrams, and what is sent to the system log."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.harness import Stage
from support.interpreter import python
from support.net_events import Flow, assert_same_bytes, flows, protocols, session_of
from support.net_peers import (
    HOST,
    Relay,
    compare,
    compare_server,
    free_port,
    is_bound,
    is_listening,
    peer,
    record,
    serve,
    without_numbers,
)
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]


def test_netcat_in_a_pipe(stage: Stage, needs: Needs) -> None:
    port, log = free_port(), stage.folder / "nc.log"
    listener = [needs("nc"), "-lk", HOST, str(port)]
    with serve(listener, lambda: is_listening(port), log=log):
        script = f'echo "some bytes" | {needs("nc")} -w1 localhost {port}'
        recording = compare(stage, ["sh", "-c", script])

    assert log.read_text() == "some bytes\n" * 2
    (opened,) = [e for e in recording.of("net.open") if e.data.get("net_peer_port") == port]
    (closed,) = [e for e in recording.of("net.close") if e.data.get("net_peer_port") == port]
    assert opened.channel == closed.channel
    assert opened.proc == closed.proc
    assert opened.proc.startswith("nc")
    assert (closed.data["net_bytes_sent"], closed.data["net_bytes_recv"]) == (11, 0)
    with session_of(stage) as session:
        sent = [metric.value for metric in session.metrics("net.tx")]
        (lasted,) = [m.value for m in session.metrics("net.duration") if m.value >= 900]
    assert sum(sent) == 11
    assert lasted <= closed.data["duration"] + 1


def test_netcat_as_the_one_that_listens(stage: Stage, needs: Needs) -> None:
    port = free_port()

    def clients() -> None:
        with socket.create_connection((HOST, port)) as connection:
            connection.sendall(b"to nc\n")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(100) == b""

    served = compare_server(
        stage,
        [needs("nc"), "-l", HOST, str(port)],
        lambda: is_listening(port),
        clients,
        stop=lambda pid: None,
    )

    assert served.recording.ending.stdout == b"to nc\n"
    (flow,) = flows(served.recording, local=port)
    assert (flow.received, flow.sent) == (6, 0)
    (closed,) = [e for e in served.recording.of("net.close") if e.data.get("net_host_port") == port]
    assert closed.data["net_close_reason"] == "remote"


def test_a_lot_through_socat(stage: Stage, needs: Needs) -> None:
    """An echo of a megabyte, both ways at once."""
    port, data = free_port(), b"0123456789abcdef" * (1 << 16)
    echo = [needs("socat"), f"TCP-LISTEN:{port},bind={HOST},fork,reuseaddr", "EXEC:cat"]
    with serve(echo, lambda: is_listening(port)), Relay(port) as relay:
        command = [needs("socat"), "-t", "20", "-", f"TCP:{HOST}:{relay.port}"]
        recording = compare(stage, command, before=relay.forget, input=data)
        assert_same_bytes(recording, relay)

    assert recording.ending.stdout == data
    (flow,) = flows(recording, peer=relay.port)
    assert flow.sent == flow.received == 1 << 20


SIZES = {0: [5, 0, 1200], 1: [30_000], 2: [1, 1, 1], 3: [9000, 3]}
"""Of the datagrams of each of some clients."""


def test_an_echo_of_datagrams(stage: Stage) -> None:
    """One socket has a flow for each of its peers."""
    port = free_port()

    def clients() -> dict[int, int]:
        return dict(map(ask, SIZES.values()))

    def ask(sizes: list[int]) -> tuple[int, int]:
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(20)
            client.connect((HOST, port))
            for size in sizes:
                client.send(b"u" * size)
                assert len(client.recv(1 << 17)) == 2 * size
            return client.getsockname()[1], sum(sizes)

    count = sum(map(len, SIZES.values()))
    served = compare_server(
        stage,
        peer("udp_echo.py", port, count),
        lambda: is_bound(port),
        clients,
        stop=lambda pid: None,
        same=without_numbers,
    )

    reported = {
        int(port): size for port, size in json.loads(served.recording.ending.stdout).items()
    }
    assert reported == served.clients
    assert sorted(flows(served.recording)) == sorted(
        Flow(port, client, 2 * size, size) for client, size in reported.items()
    )
    (listens,) = served.recording.of("net.listen")
    assert (listens.data["op"], listens.data["net_host_port"]) == ("bind", port)


def test_datagrams_through_socat(stage: Stage, needs: Needs) -> None:
    port = free_port()
    echo = [needs("socat"), f"UDP4-RECVFROM:{port},bind={HOST},fork", "EXEC:cat"]
    with serve(echo, lambda: is_bound(port)):
        command = [needs("socat"), "-t", "0.2", "-", f"UDP4:{HOST}:{port}"]
        recording = compare(stage, command, input=b"a datagram\n")

    assert recording.ending.stdout == b"a datagram\n"
    (flow,) = flows(recording, peer=port)
    assert (flow.sent, flow.received) == (11, 11)


@contextmanager
def system_log(path: Path) -> Iterator[list[bytes]]:
    """Stand in for the system log; yields the messages that came."""
    messages: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        path.chmod(0o777)

        def take() -> None:
            while message := server.recv(65536):
                messages.append(message)

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield messages
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"", str(path))
            thread.join(20)


def test_messages_to_the_system_log(stage: Stage, needs: Needs) -> None:
    path = stage.folder / "log.sock"
    with system_log(path) as messages:
        command = [needs("logger"), "--socket", path, "--tag", "scope"]
        recording = compare(stage, command, input=b"first\nsecond, longer\nthird\n")

    assert len(messages) == 6
    assert messages[3].endswith(b"first")
    used = [e.data for e in recording.of("net.close") if e.data.get("unix_peer_path") == str(path)]
    assert sum(data["net_bytes_sent"] for data in used) == sum(map(len, messages[3:]))
    assert {data["net_transport"] for data in used} == {"Unix.UDP"}
    assert protocols(recording) == {}


def test_metrics_that_a_program_sends(stage: Stage, needs: Needs) -> None:
    """StatsD: counters add up, a gauge holds, and the tags are the program's own."""
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind((HOST, 0))
        port = server.getsockname()[1]
        lines = b"jobs:3|c|#kind:a\njobs:4|c|#kind:a\nload:7|g"
        command = [needs("socat"), "-u", "-", f"UDP4-SENDTO:{HOST}:{port}"]
        recording = compare(stage, command, input=lines)
        assert [server.recv(4096) for _ in range(2)] == [lines, lines]

    assert protocols(recording) == {"STATSD": 1}
    with session_of(stage) as session:
        found: dict[str, Any] = {
            m.name: (m.value, m.tags) for m in session.metrics(("jobs", "load"))
        }
    assert found["jobs"] == (7, {"kind": "a"})
    assert found["load"][0] == 7


def test_an_address_of_a_link_is_told_with_its_interface(stage: Stage) -> None:
    connect = "import socket; socket.socket(socket.AF_INET6).connect_ex(('fe80::9', 9, 0, 1))"
    stage.prepare()
    recording = record(stage, [python(), "-c", connect])

    (failed,) = recording.of("net.error")
    assert (failed.data["net_peer_ip"], failed.data["net_peer_port"]) == ("fe80::9%1", 9)
