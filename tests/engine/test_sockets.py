"""Programs that connect sockets of their own: the session has each of their flows, and no other."""

from __future__ import annotations

import socket
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from support.gate_code import compiled
from support.harness import Compile, Recording, Stage, assert_holds, scopetrace_command
from support.interpreter import python
from support.users import one_user

SAME = "what depends on rights, borrowing a socket, is tested with every scenario above"

UNBORROWED = Path(__file__).parents[1] / "support" / "unborrowed.py"
SCENARIOS = [
    "stream",
    "silent",
    "across",
    "refused",
    "hurry",
    "reset",
    "datagrams",
    "connected-datagrams",
    "unix",
    "inherited",
    "passed",
]
CONNECTIONS = [
    "unasked",
    "nothing",
    "aborted",
    "interrupted",
    "fast",
    "again",
    "errors",
    "unix-queue",
    "roundabout",
    "of-a-child",
    "hangups",
    "let-go",
    "unread",
]
NEED_BORROWED_SOCKET = ("hangups", "roundabout", "unread")
"""Scenarios whose events need a socket borrowed by pidfd_getfd(2)."""
TRACEES = {**dict.fromkeys(SCENARIOS, "sockets"), **dict.fromkeys(CONNECTIONS, "connections")}
"""The tracee of each scenario."""


def play(stage: Stage, program: object, *arguments: str) -> Recording:
    recording = stage.record([str(program), *arguments])
    check(stage, recording)
    return recording


def check(stage: Stage, recording: Recording) -> None:
    """Compare the recorded network events with those that the program printed, in both ways."""
    assert recording.ending.status == 0, recording.ending
    expected = recording.expected()
    assert expected
    assert_holds(recording, expected, folder=stage.work, ordered=False)
    recorded = Counter(e.source for e in recording.of("net") if not is_left_open(e.data))
    assert recorded == Counter(event["source"] for event in expected if not is_left_open(event))


def is_left_open(data: dict[str, Any]) -> bool:
    return data.get("op") == "exit"


@pytest.mark.parametrize("scenario", TRACEES)
def test_every_flow_is_recorded(scenario: str, stage: Stage, compile_tracee: Compile) -> None:
    play(stage, compile_tracee(TRACEES[scenario]), scenario)


@one_user(SAME)
def test_a_unix_socket_has_the_path_of_its_file_whatever_path_was_used(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("unix_names")])

    assert recording.ending.status == 0, recording.ending
    assert_holds(recording, recording.expected(), folder=stage.work, ordered=False)
    peers = {event.data.get("unix_peer_path") for event in recording.of("net.open")}
    assert all(peer is None or peer.startswith("/") for peer in peers)
    assert len([e for e in recording.of("net.open") if e.data["net_transport"] == "Unix.UDP"]) == 2


@one_user(SAME)
@pytest.mark.parametrize(
    "scenario", ["stream", "hurry", "datagrams", "connected-datagrams", "again", "aborted"]
)
def test_every_flow_over_ipv6_is_recorded(
    scenario: str, stage: Stage, compile_tracee: Compile
) -> None:
    play(stage, compile_tracee(TRACEES[scenario]), scenario, "ipv6")


@one_user(SAME)
@pytest.mark.parametrize("scenario", TRACEES)
def test_every_flow_of_a_32_bit_program_is_recorded_through_socketcall(
    scenario: str, stage: Stage, compile_tracee: Compile
) -> None:
    play(stage, compile_tracee(TRACEES[scenario], "-m32", "-D_TIME_BITS=32"), scenario)


@one_user(SAME)
@pytest.mark.parametrize("scenario", [each for each in TRACEES if each not in NEED_BORROWED_SOCKET])
def test_without_pidfd_getfd_flows_are_found_in_proc_net(
    scenario: str, stage: Stage, compile_tracee: Compile
) -> None:
    program = compile_tracee(TRACEES[scenario])
    command = [python(), UNBORROWED, *scopetrace_command("run", program, scenario)]
    home = stage.new_home()
    check(stage, stage.finished(home, stage.run(command)))


@one_user(SAME)
def test_an_open_and_its_close_share_a_channel(stage: Stage, compile_tracee: Compile) -> None:
    recording = play(stage, compile_tracee("sockets"), "stream")

    opened = {event.channel: event.data["net_host_port"] for event in recording.of("net.open")}
    closed = {event.channel: event.data["net_host_port"] for event in recording.of("net.close")}
    assert opened == closed
    assert len(opened) == 2


@one_user(SAME)
def test_a_connection_that_is_passed_to_a_child_keeps_its_channel(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = play(stage, compile_tracee("sockets"), "passed")

    (accepted,) = [e for e in recording.of("net.open") if e.data["op"] == "accept4"]
    closed = [e for e in recording.of("net.close") if e.channel == accepted.channel]
    assert len(closed) == len({e.pid for e in closed}) == 2
    assert sum(e.data["net_bytes_sent"] for e in closed) == 3


@one_user(SAME)
def test_bytes_read_from_a_socket_that_another_thread_closed_are_counted(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = play(stage, compile_tracee("connections"), "let-go")

    (notice,) = [e.data for e in recording.of("notice") if e.data["reason"] == "unseen"]
    assert notice["count"] == 3
    assert "read 3 bytes from what another thread had closed by then" in notice["message"]


@one_user(SAME)
def test_an_inherited_socket_has_its_address_after_its_first_send(stage: Stage) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inherited:
        number = inherited.fileno()
        send = (
            f"import socket; s = socket.socket(fileno={number}); s.sendto(b'x', ('127.0.0.1', 9));"
            " print(s.getsockname()[1])"
        )
        recording = stage.record(["python3", "-c", send], pass_fds=[number])

    (opened,) = recording.of("net.open")
    assert opened.data["net_host_port"] == int(recording.ending.stdout)


@one_user(SAME)
def test_a_socket_that_connects_by_fast_open_is_the_client(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        send = (
            "import socket; s = socket.socket();"
            f" s.sendto(b'fast', socket.MSG_FASTOPEN, {server.getsockname()})"
        )
        recording = stage.record(["python3", "-c", send])

        (opened,) = recording.of("net.open")
        assert (opened.data["role"], opened.data["net_peer_port"]) == (
            "client",
            server.getsockname()[1],
        )
    assert recording.of("net.close")[0].data["net_bytes_sent"] == 4


@one_user(SAME)
def test_a_refused_datagram_is_an_error_of_its_net_close(stage: Stage) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    send = (
        "import socket; s = socket.socket(type=2)\n"
        f"s.connect(('127.0.0.1', {port})); s.send(b'q')\n"
        "try: s.recv(1)\n"
        "except ConnectionRefusedError: pass\n"
    )
    recording = stage.record(["python3", "-c", send])

    (closed,) = recording.of("net.close")
    assert (closed.data["error"], closed.data["net_close_reason"]) == ("ECONNREFUSED", "local")


@one_user(SAME)
def test_without_a_rule_for_the_network_no_socket_is_recorded(
    stage: Stage, compile_tracee: Compile
) -> None:
    config = "event: {watch: [{type: process}]}\nmetric: {enable: false}\n"
    recording = stage.record([compile_tracee("sockets"), "stream"], config=config)

    assert recording.of("net") == []
    assert {event.sourcetype for event in recording.events} == {"process"}


def test_the_kernel_is_asked_for_a_peer_only_where_there_may_be_another_one(tmp_path: Path) -> None:
    program = compiled(
        tmp_path / "asked_peers",
        sources=("tests/engine/asked_peers.c", "ext/call/proc.c"),
    )

    asked = subprocess.run([program], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert asked.stdout.splitlines() == [
        "new 0",
        "datagrams 0",
        "listening 0",
        "connected 1",
        "accepted 1",
        "TCP 0",
        "one of a pair 1",
        "pair 0",
    ]
