from __future__ import annotations

import os
import struct
from errno import (
    ECONNREFUSED,
    ECONNRESET,
    EINPROGRESS,
    EISCONN,
    EMFILE,
    ENETUNREACH,
    ENOTSOCK,
    EPERM,
    EPIPE,
)
from socket import (
    AF_INET,
    AF_NETLINK,
    AF_UNIX,
    SHUT_WR,
    SO_ERROR,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOL_SOCKET,
)

import pytest

from scopetrace.decode.socket import MOST_PEERS
from scopetrace.decode.sockets import MSG_FASTOPEN, POLLERR, POLLHUP, POLLRDHUP, SOCK_CLOEXEC
from scopetrace.model.operation import ProcessFailed
from scopetrace.model.raw import SOCKET, Part, RawKind, Seen
from support.raw_builder import (
    MILLISECOND,
    Tracee,
    pack_inet,
    pack_socket,
    pack_unix,
    started_program,
)
from support.recording import Recording

ENDS = {
    "net_transport": "IP.TCP",
    "net_peer_ip": "127.0.0.1",
    "net_peer_port": 80,
    "net_host_ip": "127.0.0.1",
    "net_host_port": 5000,
}


@pytest.fixture
def tracee() -> Tracee:
    return started_program()


@pytest.fixture
def recording(tracee: Tracee, tmp_path) -> Recording:
    return Recording(tracee, tmp_path)


def pack_netlink(port: int) -> bytes:
    return struct.pack("=HHII", AF_NETLINK, 0, port, 0)


def has(data, **wanted):
    return {key: data.get(key) for key in wanted} == wanted


def connected(tracee: Tracee, fd: int = 3) -> None:
    tracee.socket(fd)
    tracee.connect(fd)


def answer(tracee: Tracee, fd: int, error: int, level: int = SOL_SOCKET) -> None:
    parts = {Part.VALUE: struct.pack("=i", error)}
    tracee.call("getsockopt", fd, level, SO_ERROR, result=0, parts=parts)


def test_a_connection_opens_and_closes_with_what_went_through_it(tracee, recording):
    connected(tracee)
    tracee.close(3, 2, 30, 0, 1, 10, 0)

    opened, closed = recording.of("net")

    assert (opened.source, opened.data) == (
        "net.open",
        {"op": "connect", "fd": 3, **ENDS, "role": "client"},
    )
    assert closed.source == "net.close"
    assert has(closed.data, **ENDS, net_bytes_recv=30, net_bytes_sent=10, net_close_reason="local")
    assert closed.channel == opened.channel
    assert closed.data["duration"] == 1


def test_a_socket_that_never_had_a_peer_makes_no_event(tracee, recording):
    tracee.socket(3)
    tracee.close(3)

    assert recording.of("net", "fs") == []


def test_an_accepted_connection_has_the_servers_side(tracee, recording):
    tracee.socket(3)
    tracee.call(
        "listen", 3, 8, parts={Part.SOCKET: pack_socket(listening=1), Part.LOCAL: pack_inet()}
    )
    tracee.accept(3, 4, port=6000)

    listening, opened = recording.of("net")

    assert listening.source == "net.listen"
    assert has(listening.data, net_host_port=80, fd=3, net_transport="IP.TCP")
    assert has(opened.data, op="accept4", role="server", net_peer_port=6000, net_host_port=80)


def test_0_is_the_fd_of_a_socket_as_any_other_number_is(tracee, recording):
    """As in a program that has closed its standard input."""
    tracee.close(0)
    tracee.socket(0)
    tracee.connect(0)
    tracee.close(0)
    tracee.socket(3)
    tracee.call("listen", 3, 8, parts={Part.SOCKET: pack_socket(listening=1)})
    tracee.accept(3, 0)

    found = [
        (e.source, e.data["op"], e.data.get("fd")) for e in recording.of("net.open", "net.error")
    ]
    assert found == [("net.open", "connect", 0), ("net.open", "accept4", 0)]


@pytest.mark.parametrize(("domain", "count"), [(AF_INET, 1), (AF_UNIX, 1), (AF_NETLINK, 0)])
def test_what_is_bound_for_datagrams_waits_for_them_but_for_netlink(
    domain, count, tracee, recording
):
    tracee.socket(3, SOCK_DGRAM, domain=domain)
    tracee.call("bind", 3, parts={Part.SOCKET: pack_socket(domain=domain, kind=SOCK_DGRAM)})

    assert len(recording.of("net.listen")) == count


@pytest.mark.parametrize("pid", [100, 200])
def test_a_port_counts_as_long_as_its_process_listens(pid, tracee, recording):
    def wait_a_period():
        recording.go()
        tracee.now += 10_000_000_000
        recording.pipeline.tick(tracee.now)

    tracee.socket(3)
    tracee.fork(200)
    listening = {Part.SOCKET: pack_socket(listening=1), Part.LOCAL: pack_inet()}
    tracee.call("listen", 3, 8, parts=listening, pid=pid)
    wait_a_period()
    tracee.close(3, pid=300 - pid)
    wait_a_period()
    tracee.close(3, pid=pid)
    wait_a_period()
    wait_a_period()

    ports = [s for s in recording.writer.samples if s.name == "net.port"]
    assert [s.value for s in ports] == [1, 1, 0]


def test_a_refused_connection_is_an_error_and_no_flow(tracee, recording):
    tracee.socket(3)
    tracee.connect(3, result=-ECONNREFUSED)
    tracee.close(3)

    (error,) = recording.of("net")

    assert error.source == "net.error"
    assert has(error.data, error="ECONNREFUSED", net_peer_port=80) and error.data["op"] == "connect"
    assert error.data["class"] == "connection"


def test_a_connection_begun_in_haste_stands_when_the_program_has_asked(tracee, recording):
    tracee.socket(3)
    tracee.connect(3, result=-EINPROGRESS)
    assert recording.of("net") == []
    begun = tracee.now

    answer(tracee, 3, 0)

    (opened,) = recording.of("net")
    assert has(opened.data, op="connect", role="client", **ENDS)
    assert opened.time_ns == begun


def test_an_option_of_another_level_is_ignored(tracee, recording):
    tracee.socket(3)
    tracee.connect(3, result=-EINPROGRESS)
    answer(tracee, 3, 0, level=6)

    assert recording.of("net") == []


def test_a_connection_begun_in_haste_can_fail(tracee, recording):
    tracee.socket(3)
    tracee.connect(3, result=-EINPROGRESS)
    answer(tracee, 3, ECONNREFUSED)
    tracee.close(3)

    (error,) = recording.of("net")
    assert has(error.data, op="connect", error="ECONNREFUSED", net_peer_port=80)


@pytest.mark.parametrize("result", [0, -EISCONN])
def test_connecting_again_shows_that_a_connection_stands(tracee, recording, result):
    tracee.socket(3)
    tracee.connect(3, result=-EINPROGRESS)
    tracee.connect(3, result=result)

    assert [event.source for event in recording.of("net")] == ["net.open"]


def test_bytes_show_that_a_connection_stands(tracee, recording):
    tracee.socket(3)
    tracee.connect(3, result=-EINPROGRESS)
    tracee.send(3, b"x")

    assert [event.source for event in recording.of("net")] == ["net.open"]


def test_an_error_of_a_write_shows_that_a_connection_failed(tracee, recording):
    tracee.socket(3)
    tracee.connect(3, result=-EINPROGRESS)
    tracee.call("sendto", 3, result=-ECONNREFUSED)

    (error,) = recording.of("net")
    assert has(error.data, op="connect", error="ECONNREFUSED")


def test_the_final_state_of_a_connection_comes_with_its_close(tracee, recording):
    tracee.socket(3)
    tracee.connect(3, result=-EINPROGRESS)
    parts = {
        Part.SOCKET: pack_socket(),
        Part.LOCAL: pack_inet(port=5000),
        Part.PEER: pack_inet(),
    }
    tracee.call("close", 3, result=-(2**63), parts=parts)

    assert [event.source for event in recording.of("net")] == ["net.open", "net.close"]


def test_a_connection_closed_while_it_is_under_way_is_an_error(tracee, recording):
    tracee.socket(3)
    tracee.connect(3, result=-EINPROGRESS)
    tracee.close(3)

    (error,) = recording.of("net")
    assert has(error.data, error="EINPROGRESS", net_peer_port=80)


def test_the_end_of_file_says_that_the_peer_ended_it(tracee, recording):
    connected(tracee)
    tracee.receive(3, b"")
    tracee.close(3)

    assert recording.of("net.close")[0].data["net_close_reason"] == "remote"


def test_the_end_of_file_may_be_recorded_before_the_last_bytes_of_another_thread(tracee, recording):
    connected(tracee)
    tracee.receive(3, b"")
    tracee.receive(3, b"ab")
    tracee.close(3)

    assert recording.of("net.close")[0].data["net_close_reason"] == "remote"


def test_after_its_own_shutdown_the_program_has_ended_it(tracee, recording):
    connected(tracee)
    tracee.call("shutdown", 3, SHUT_WR)
    tracee.receive(3, b"")
    tracee.close(3)

    assert recording.of("net.close")[0].data["net_close_reason"] == "local"


def test_the_end_that_another_thread_made_is_not_the_peers(tracee, recording):
    connected(tracee)
    tracee.call("recvfrom", 3, 0, 9, elapsed=2 * MILLISECOND)
    tracee.call("shutdown", 3, SHUT_WR)
    tracee.close(3)

    assert recording.of("net.close")[0].data["net_close_reason"] == "local"


def test_who_was_hung_up_before_its_own_shutdown_did_not_end_it(tracee, recording):
    connected(tracee)
    tracee.add(RawKind.TALLY, args=(3, 1), parts={Part.HANGUP: struct.pack("=I", POLLRDHUP)})
    tracee.call("shutdown", 3, SHUT_WR)
    tracee.close(3)

    assert recording.of("net.close")[0].data["net_close_reason"] == "remote"


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (0, "local"),
        (POLLERR, "local"),
        (POLLHUP, "local"),
        (POLLRDHUP, "remote"),
        (POLLHUP | POLLRDHUP, "remote"),
        (POLLERR | POLLRDHUP, "remote"),
        (POLLERR | POLLHUP, "reset"),
        (POLLERR | POLLHUP | POLLRDHUP, "reset"),
    ],
)
def test_how_it_was_hung_up_says_who_ended_it(tracee, recording, events, reason):
    connected(tracee)
    tracee.add(RawKind.TALLY, args=(3, 1), parts={Part.HANGUP: struct.pack("=I", events)})
    tracee.close(3)

    assert recording.of("net.close")[0].data["net_close_reason"] == reason


@pytest.mark.parametrize(("call", "error"), [("recvfrom", ECONNRESET), ("sendto", EPIPE)])
def test_a_connection_that_breaks_is_an_error_and_says_so_at_its_end(
    tracee, recording, call, error
):
    connected(tracee)
    tracee.call(call, 3, result=-error)
    tracee.close(3)

    _opened, broken, closed = recording.of("net")

    assert (broken.source, broken.data["class"], broken.data["op"]) == ("net.error", "rx_tx", call)
    assert broken.channel == closed.channel
    assert closed.data["net_close_reason"] == "reset"
    assert closed.data["error"] == broken.data["error"]


def test_each_peer_of_a_datagram_socket_is_a_flow(tracee, recording):
    one, other = pack_inet("10.0.0.1", 53), pack_inet("10.0.0.2", 53)
    tracee.socket(3, SOCK_DGRAM)
    tracee.send(3, b"12345", to=one)
    tracee.send(3, b"12", to=other)
    tracee.receive(3, b"1234567", by=one)
    tracee.close(3)

    events = recording.of("net.open", "net.close")

    opened = [event for event in events if event.source == "net.open"]
    assert [e.data["net_peer_ip"] for e in opened] == ["10.0.0.1", "10.0.0.2"]
    closed = {event.channel: event.data for event in events if event.source == "net.close"}
    assert has(closed[opened[0].channel], net_bytes_sent=5, net_bytes_recv=7)
    assert has(closed[opened[1].channel], net_bytes_sent=2, net_bytes_recv=0)


def test_a_connected_datagram_socket_can_be_connected_elsewhere(tracee, recording):
    tracee.socket(3, SOCK_DGRAM)
    parts = {Part.SOCKET: pack_socket(kind=SOCK_DGRAM), Part.LOCAL: pack_inet(port=5000)}
    tracee.call("connect", 3, parts={**parts, Part.ADDRESS: pack_inet(port=53)})
    tracee.send(3, b"ab")
    tracee.call("connect", 3, parts={Part.ADDRESS: bytes(16)})
    tracee.call("connect", 3, parts={**parts, Part.ADDRESS: pack_inet(port=54)})
    tracee.close(3)

    events = [(e.source, e.data["net_peer_port"]) for e in recording.of("net")]
    assert events == [
        ("net.open", 53),
        ("net.close", 53),
        ("net.open", 54),
        ("net.close", 54),
    ]


def test_a_server_of_datagrams_remembers_only_so_many_peers(tracee, recording):
    tracee.socket(3, SOCK_DGRAM)
    for number in range(MOST_PEERS + 3):
        tracee.receive(3, b"x", by=pack_inet("10.0.0.1", number + 1))

    closed = recording.of("net.close")

    assert [event.data["net_peer_port"] for event in closed] == [1, 2, 3]
    assert {event.data["net_close_reason"] for event in closed} == {"idle"}


def test_an_answer_without_a_sender_may_be_another_peers(tracee, recording):
    tracee.socket(3, SOCK_DGRAM)
    tracee.send(3, b"ab", to=pack_inet("10.0.0.1", 53))
    tracee.receive(3, b"abc")

    asked, answered = recording.of("net.open")
    assert (asked.data["role"], "role" in answered.data) == ("client", False)


def test_a_netlink_socket_talks_to_the_kernel_unless_it_says_otherwise(tracee, recording):
    tracee.socket(3, SOCK_RAW, domain=AF_NETLINK)
    tracee.send(3, b"ab")
    tracee.send(3, b"ab", to=pack_netlink(0))
    tracee.receive(3, b"abc", by=pack_netlink(0))
    tracee.send(3, b"ab", to=pack_netlink(77))
    tracee.close(3)

    transferred = [
        (e.data["net_peer_ip"], e.data["net_bytes_sent"], e.data["net_bytes_recv"])
        for e in recording.of("net.close")
    ]
    assert transferred == [("0", 4, 3), ("77", 2, 0)]


def test_an_error_belongs_to_the_peer_that_the_message_was_for(tracee, recording):
    one, other = pack_inet("10.0.0.1", 53), pack_inet("10.0.0.2", 53)
    tracee.socket(3, SOCK_DGRAM)
    for peer in (one, other):
        tracee.send(3, b"12", to=peer)
    tracee.call("sendto", 3, result=-EPERM, parts={Part.ADDRESS: other})
    tracee.close(3)

    (error,) = recording.go()[-3:-2]
    assert has(error.data, error="EPERM", net_peer_ip="10.0.0.2")
    closed = {e.data["net_peer_ip"]: e.data.get("error") for e in recording.writer.events[-2:]}
    assert closed == {"10.0.0.1": None, "10.0.0.2": "EPERM"}


def test_a_connected_socket_that_asks_again_has_not_failed(tracee, recording):
    connected(tracee)
    tracee.connect(3, result=-EISCONN)

    assert [event.source for event in recording.of("net")] == ["net.open"]


def test_what_accept_cannot_do_is_no_fault_of_the_listener(tracee, recording):
    tracee.socket(3)
    tracee.call("listen", 3, 8, parts={Part.SOCKET: pack_socket(listening=1)})
    tracee.call("accept4", 3, result=-EMFILE)
    tracee.accept(3, 4)

    _listening, error, opened = recording.of("net")
    assert has(error.data, op="accept4", error="EMFILE") and error.data["class"] == "connection"
    assert opened.source == "net.open"


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_SEQPACKET])
def test_a_connection_of_which_the_kernel_says_nothing_is_as_its_listener(kind, tracee, recording):
    listening = {Part.SOCKET: pack_socket(AF_UNIX, kind, listening=1)}
    tracee.socket(3, kind, domain=AF_UNIX)
    tracee.call("listen", 3, 8, parts={**listening, Part.LOCAL: pack_unix(b"/run/x\0")})
    tracee.call("accept4", 3, result=4)

    transport = "Unix.TCP" if kind == SOCK_STREAM else "Unix.SEQPACKET"
    (opened,) = recording.of("net.open")
    assert has(opened.data, net_transport=transport, role="server", unix_local_path="/run/x")


@pytest.mark.parametrize(("call", "closes"), [("accept", 0), ("accept4", 1)])
def test_only_accept4_has_flags(call, closes, tracee, recording):
    tracee.socket(3)
    parts = {Part.SOCKET: pack_socket(), Part.PEER: pack_inet(port=6000)}
    tracee.call(call, 3, 0, 0, SOCK_CLOEXEC, result=4, parts=parts)
    tracee.exec("/usr/bin/next")

    assert [event.data["op"] for event in recording.of("net.close")] == ["execve"] * closes


@pytest.mark.parametrize(("known", "peer"), [(True, "127.0.0.1"), (False, "0.0.0.0")])
def test_a_fast_open_is_with_whom_the_kernel_says(known, peer, tracee, recording):
    parts = {Part.ADDRESS: pack_inet("0.0.0.0"), Part.SOCKET: pack_socket(), Part.DATA: b"ab"}
    if known:
        parts[Part.PEER] = pack_inet()
    tracee.socket(3)
    tracee.call("sendto", 3, 0, 2, MSG_FASTOPEN, result=2, transferred=2, parts=parts)

    assert has(recording.data("net.open"), op="sendto", role="client", net_peer_ip=peer)


def test_what_disconnects_and_connects_again_is_another_flow(tracee, recording):
    for kind, fd in ((SOCK_DGRAM, 3), (SOCK_STREAM, 4)):
        tracee.socket(fd, kind)
        parts = {Part.SOCKET: pack_socket(kind=kind), Part.PEER: pack_inet()}
        for count in (5, 7):
            tracee.call("connect", fd, parts={**parts, Part.ADDRESS: pack_inet()})
            tracee.send(fd, b"x" * count)
            tracee.tally(fd, 0, 0, 0, 1, count, 0)
            tracee.call("connect", fd, parts={Part.ADDRESS: bytes(16)})
        tracee.close(fd)

    events = [(e.source, e.data.get("net_bytes_sent")) for e in recording.of("net")]
    assert (
        events == [("net.open", None), ("net.close", 5), ("net.open", None), ("net.close", 7)] * 2
    )


def test_a_message_to_whom_a_socket_was_connected_before_is_of_another_flow(tracee, recording):
    tracee.socket(3, SOCK_DGRAM)
    parts = {Part.SOCKET: pack_socket(kind=SOCK_DGRAM), Part.PEER: pack_inet()}
    tracee.call("connect", 3, parts={**parts, Part.ADDRESS: pack_inet()})
    tracee.call("connect", 3, parts={Part.ADDRESS: bytes(16)})
    tracee.send(3, b"ab", to=pack_inet())

    found = [event.source for event in recording.of("net")]
    assert found == ["net.open", "net.close", "net.open"]


def test_an_end_of_a_pair_that_is_passed_on_is_the_same(tracee, recording):
    ends = [(Part.SOCKET, SOCKET.pack(AF_UNIX, 1, 0, 0, *inodes)) for inodes in ((5, 6), (6, 5))]
    pair = (Part.PAIR, struct.pack("=ii", 3, 4))
    tracee.call("socketpair", AF_UNIX, 1, 0, 0, parts=[pair, *ends])
    tracee.inode = 6
    parts = [(Part.LINK, b"socket:[6]"), (Part.STAT, tracee.socket_stat()), ends[1]]
    tracee.call("pidfd_getfd", 9, 4, result=7, parts=parts)
    tracee.send(7, b"ab")

    assert [event.data["fd"] for event in recording.of("net.open")] == [3, 4]


def test_unix_sockets_have_paths_and_inodes(tracee, recording):
    tracee.socket(3, domain=AF_UNIX)
    peer = pack_unix(b"/run/x\0")
    parts = {
        Part.ADDRESS: peer,
        Part.SOCKET: pack_socket(AF_UNIX, peer=99),
        Part.LOCAL: pack_unix(b""),
        Part.PEER: peer,
    }
    tracee.call("connect", 3, parts=parts)

    assert has(
        recording.data("net.open"),
        net_transport="Unix.TCP",
        unix_peer_path="/run/x",
        unix_peer_inode=99,
        unix_local_inode=77,
    )


def test_messages_in_order_are_counted_like_datagrams(tracee, recording):
    tracee.socket(3, SOCK_SEQPACKET, domain=AF_UNIX)
    tracee.call("connect", 3, parts={Part.ADDRESS: pack_unix(b"/run/x")})
    tracee.send(3, b"123")
    tracee.close(3)

    assert has(recording.of("net.close")[0].data, net_bytes_sent=3, net_transport="Unix.SEQPACKET")


@pytest.mark.parametrize("kind", [SOCK_DGRAM, SOCK_SEQPACKET])
def test_a_peer_that_a_message_names_without_its_inode_is_the_same(kind, tracee, recording):
    peer = pack_unix(b"/run/x\0")
    parts = {Part.SOCKET: pack_socket(AF_UNIX, kind, peer=99), Part.PEER: peer}
    tracee.socket(3, kind, domain=AF_UNIX)
    tracee.receive(3, b"1", by=peer)
    tracee.call("connect", 3, parts={**parts, Part.ADDRESS: peer})
    tracee.send(3, b"22")
    tracee.receive(3, b"333", by=peer)
    tracee.call("sendto", 3, result=-ECONNREFUSED, parts={Part.ADDRESS: peer})
    tracee.close(3)

    (closed,) = recording.of("net.close")
    assert has(closed.data, net_bytes_sent=2, net_bytes_recv=4, error="ECONNREFUSED")


def test_both_ends_of_a_pair_are_flows_with_channels_of_their_own(tracee, recording):
    tracee.call("socketpair", AF_UNIX, 1, 0, 0, parts={Part.PAIR: struct.pack("=ii", 3, 4)})

    one, other = recording.of("net.open")

    assert (one.data["fd"], other.data["fd"]) == (3, 4)
    assert one.channel != other.channel


@pytest.mark.parametrize("kind", [SOCK_DGRAM, SOCK_SEQPACKET])
def test_the_peer_of_an_inherited_socket_of_messages_is_known(kind, tracee, recording):
    tracee.inherit_socket(7, kind=kind)
    tracee.receive(7, b"abc")
    tracee.send(7, b"defg")
    tracee.close(7)

    (closed,) = recording.of("net.close")
    assert closed.data["net_peer_port"] == 6000
    assert (closed.data["net_bytes_recv"], closed.data["net_bytes_sent"]) == (3, 4)


def test_a_socket_that_could_not_be_connected_has_no_peer(tracee, recording):
    tracee.socket(3, SOCK_DGRAM)
    tracee.connect(3, peer=pack_inet("10.0.0.1", 53), result=-ENETUNREACH)
    tracee.receive(3, b"abc")
    tracee.close(3)

    (closed,) = recording.of("net.close")
    assert "net_peer_ip" not in closed.data


def test_an_inherited_connection_is_a_flow_once_it_is_used(tracee, recording):
    parts = {
        Part.LINK: b"socket:[77]",
        Part.STAT: tracee.socket_stat(),
        Part.SOCKET: pack_socket(),
        Part.LOCAL: pack_inet(port=5000),
        Part.PEER: pack_inet(),
    }
    tracee.add(RawKind.FD, args=(5, Seen.INHERITED), parts=parts)
    assert recording.of("net") == []

    tracee.send(5, b"abc")
    tracee.close(5, 0, 0, 0, 1, 3, 0)

    opened, closed = recording.of("net")
    assert has(opened.data, op="sendto", **ENDS)
    assert "role" not in opened.data
    assert closed.data["net_bytes_sent"] == 3


def test_a_child_that_uses_a_connection_reports_its_own_bytes(tracee, recording):
    connected(tracee)
    tracee.fork(200)
    tracee.tally(3, 0, 0, 0, 1, 7, 0, pid=200)
    tracee.exit(pid=200)
    tracee.close(3, 0, 0, 0, 1, 2, 0)

    theirs, ours = recording.of("net.close")
    assert theirs.channel == ours.channel
    assert (theirs.data["net_bytes_sent"], theirs.data["op"]) == (7, "exit")
    assert (ours.data["net_bytes_sent"], ours.data["op"]) == (2, "close")


def test_who_only_holds_a_connection_that_was_hung_up_did_nothing_with_it(tracee, recording):
    connected(tracee)
    tracee.fork(200)
    hung_up = {Part.HANGUP: struct.pack("=I", POLLRDHUP)}
    tracee.add(RawKind.TALLY, args=(3, 1), pid=200, parts=hung_up)
    tracee.exit(pid=200)
    tracee.close(3)

    (closed,) = recording.of("net.close")
    assert recording.writer.processes[closed.process].pid == 100
    assert closed.data["net_close_reason"] == "remote"


def on_a_socket(*fds: int, kind: int = SOCK_STREAM) -> Tracee:
    """Return a program whose fds 0 to 2, or other ones, are one socket."""
    tracee = Tracee()
    tracee.inherit_socket(*(fds or range(3)), kind=kind)
    tracee.exec("/usr/bin/prog", "prog")
    return tracee


def said(recording: Recording) -> list[tuple[str, str]]:
    return [(event.source, event.data["message"]) for event in recording.of("console")]


def test_a_console_that_is_a_socket_is_the_console_and_a_flow(tmp_path):
    tracee = on_a_socket()
    recording = Recording(tracee, tmp_path, config="payload: {enable: true}\n")
    tracee.receive(0, b"in\n")
    tracee.write(1, b"out\n")
    tracee.write(2, b"err\n")
    tracee.tally(0, 1, 3, 1)
    tracee.tally(1, 0, 0, 0, 1, 4, 1)
    tracee.tally(2, 0, 0, 0, 1, 4, 1)
    tracee.exit()
    events = recording.finish()

    opened, closed = [event for event in events if event.sourcetype == "net"]
    assert (opened.source, opened.data["op"], opened.data["fd"]) == ("net.open", "recvfrom", 0)
    assert "role" not in opened.data
    assert has(closed.data, net_peer_port=6000, net_bytes_sent=8, net_bytes_recv=3)
    assert [(p.channel, p.outgoing, p.data) for p in recording.writer.payloads] == [
        (opened.channel, False, b"in\n"),
        (opened.channel, True, b"out\n"),
        (opened.channel, True, b"err\n"),
    ]
    console = [event for event in events if event.sourcetype == "console"]
    assert [(event.source, event.data["message"]) for event in console] == [
        ("stdout", "out\n"),
        ("stderr", "err\n"),
    ]
    assert not [event for event in events if event.sourcetype == "notice"]
    transferred = [s for s in recording.writer.samples if s.name in ("net.tx", "fs.write")]
    assert [(sample.name, sample.value) for sample in transferred] == [("net.tx", 8)]


@pytest.mark.parametrize("call", ["write", "writev", "sendto", "sendmsg", "sendmmsg"])
@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET])
def test_however_it_is_written_to(tmp_path, call, kind):
    tracee = on_a_socket(1, 2, kind=kind)
    recording = Recording(tracee, tmp_path, config="payload: {enable: true}\n")
    for data in (b"one\n", b"two\n"):
        tracee.call(call, 1, result=4, transferred=4, parts={Part.DATA: data})
    tracee.exit()

    assert said(recording) == [("stdout", "one\n"), ("stdout", "two\n")]
    assert [payload.data for payload in recording.writer.payloads] == [b"one\n", b"two\n"]


def test_the_console_of_a_socket_is_followed_through_its_fds(tmp_path):
    tracee = on_a_socket(0, 1, 2, 7)
    recording = Recording(tracee, tmp_path)
    tracee.call("dup", 1, result=9)
    tracee.call("dup2", 2, 1, result=1)
    tracee.fork(200)
    tracee.exec("/bin/next", pid=200, fds=[0, 1, 2, 9])
    tracee.write(1, b"err\n", pid=200)
    tracee.call("dup2", 0, 1, result=1)
    for fd in (0, 1, 7):
        tracee.write(fd, b"no console\n")
    tracee.write(9, b"out\n")
    tracee.close(9)
    tracee.accept(5, 9)
    tracee.write(9, b"another socket\n")
    tracee.exit(pid=200)
    tracee.exit()

    assert said(recording) == [("stderr", "err\n"), ("stdout", "out\n")]


def test_the_rest_of_a_console_that_is_a_socket_is_counted_where_it_went(tmp_path):
    tracee = on_a_socket()
    recording = Recording(tracee, tmp_path, config=None)
    tracee.open("/home/me/page", 4)
    tracee.write(1, b"page:\n")
    tracee.write(0, b"no console")
    tracee.call("sendfile", 1, 4, 0, 100, result=100, transferred=100)
    tracee.call("sendfile", 0, 4, 0, 50, result=50, transferred=50)
    tracee.tally(0, 0, 0, 0, 2, 60, 1)
    tracee.tally(1, 0, 0, 0, 2, 106, 1)
    tracee.exit()
    events = recording.finish()

    (closed,) = [event for event in events if event.source == "net.close"]
    assert closed.data["net_bytes_sent"] == 166
    (notice,) = [event for event in events if event.sourcetype == "notice"]
    assert (notice.data["reason"], notice.data["count"]) == ("unseen", 100)
    assert "stdout" in notice.data["message"]


def test_sendfile_transfers_bytes_of_a_flow_that_were_not_copied(tracee, tmp_path):
    recording = Recording(tracee, tmp_path, config="payload: {enable: true}\n")
    connected(tracee)
    tracee.open("/home/me/page", 4)
    tracee.call("sendfile", 3, 4, 0, 100, result=100, transferred=100)
    recording.go()

    (payload,) = recording.writer.payloads
    assert (payload.outgoing, payload.data, payload.missing) == (True, b"", 100)


def test_a_dup_is_the_same_connection(tracee, recording):
    connected(tracee)
    tracee.call("dup", 3, result=4)
    tracee.close(3)
    assert [event.source for event in recording.of("net")] == ["net.open"]

    tracee.close(4)
    assert [event.source for event in recording.of("net")] == ["net.close"]


def test_the_sums_of_metrics_are_those_of_events(tracee, recording):
    connected(tracee)
    tracee.close(3, 2, 30, 0, 1, 10, 0)
    tracee.socket(3, SOCK_DGRAM)
    tracee.send(3, b"12345", to=pack_inet("10.0.0.1", 53))
    tracee.close(3)
    tracee.exit()

    events = recording.finish()

    closed = [event.data for event in events if event.source == "net.close"]
    samples = recording.writer.samples
    for metric, field in (("net.tx", "net_bytes_sent"), ("net.rx", "net_bytes_recv")):
        total = sum(sample.value for sample in samples if sample.name == metric)
        assert total == sum(data[field] for data in closed)
    opened = sum(sample.value for sample in samples if sample.name == "net.open")
    assert opened == len(closed) == 2


@pytest.mark.parametrize(
    ("op", "result", "transferred", "what", "count"),
    [
        ("read", 3, 3, "3 bytes", 3),
        ("recvmsg", 3, 3, "3 bytes", 3),
        ("recvmmsg", 2, 0, "2 messages", 2),
    ],
)
def test_what_was_read_from_what_is_gone_is_counted(
    op, result, transferred, what, count, tracee, recording
):
    tracee.call(op, 2**64 - 1, result=result, transferred=transferred)

    (notice,) = recording.of("notice")
    assert (notice.data["reason"], notice.data["count"]) == ("unseen", count)
    assert f"read {what} from what another thread had closed" in notice.data["message"]
    assert recording.of("net") == []


def test_a_measure_of_bytes_says_of_which_domain_they_are(tracee, tmp_path):
    recording = Recording(tracee, tmp_path, "event: {watch: [{type: metric, name: net.tx}]}\n")
    connected(tracee)
    tracee.close(3, 0, 0, 0, 1, 10, 0)
    recording.finish()

    (sent,) = [e.data for e in recording.writer.events if e.source == "net.tx"]
    assert (sent["domain"], sent["class"], sent["_value"]) == ("inet", "inet_tcp", 10)
    assert "data" not in sent


def test_an_open_of_a_path_is_never_a_socket(tracee, recording):
    tracee.open("/home/me/x", 3, flags=os.O_RDONLY)
    tracee.receive(3, b"abc")

    assert recording.of("net") == []


def test_what_goes_through_a_long_connection_is_measured_before_its_end(tracee, recording):
    connected(tracee)
    tracee.tally(3, 2, 30, 0, 1, 10, 0, goes_on=True)
    tracee.fork(200)
    tracee.exit(pid=200)
    tracee.now += 20_000_000_000
    tracee.tally(3, 1, 5, 0, 1, 1, 0, goes_on=True)
    tracee.close(3, 1, 5, 0, 0, 0, 0)
    tracee.exit()
    (closed,) = [event for event in recording.finish() if event.source == "net.close"]

    values = {
        name: [s.value for s in recording.writer.samples if s.name == name]
        for name in ("net.rx", "net.tx")
    }
    assert values == {"net.rx": [30, 10], "net.tx": [10, 1]}
    assert (closed.data["net_bytes_recv"], closed.data["net_bytes_sent"]) == (40, 11)


@pytest.mark.parametrize(("fd", "about"), [(9, "fd 9"), (0, "/dev/pts/0"), (-1, "fd -1")])
def test_a_call_on_what_is_no_socket_names_it(fd, about, tracee, decoding):
    tracee.fail("listen", fd, 5, error=ENOTSOCK)

    failed = decoding.one(ProcessFailed)

    assert (failed.op, failed.what, failed.errno) == ("listen", about, ENOTSOCK)
