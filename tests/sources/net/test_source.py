from __future__ import annotations

import struct
from socket import AF_UNIX, SHUT_RDWR, SHUT_WR, SOCK_DGRAM, SOCK_SEQPACKET

import pytest

from scopetrace.model.raw import Part, RawKind, Seen
from support.raw_builder import Tracee, pack_inet, pack_socket, started_program, status_text
from support.recording import Recording

CONFIG = """
metric: {enable: true, format: {verbosity: 7}, watch: [{type: net}]}
libscope: {summaryperiod: 1}
"""
SECOND = 1_000_000_000
LISTENING = {Part.SOCKET: pack_socket(listening=1), Part.LOCAL: pack_inet()}


@pytest.fixture
def tracee() -> Tracee:
    return started_program()


@pytest.fixture
def recording(tracee: Tracee, tmp_path) -> Recording:
    recording = Recording(tracee, tmp_path, CONFIG)
    gauges(recording)
    return recording


def gauges(recording: Recording) -> list[tuple[str, float]]:
    """Let a period pass; return the gauges that were measured, with their values."""
    before = len(recording.writer.samples)
    recording.go()
    recording.tracee.now += SECOND
    recording.pipeline.tick(recording.tracee.now)
    return [(s.name, s.value) for s in recording.writer.samples[before:] if s.type == "gauge"]


def listen(tracee: Tracee, fd: int = 3) -> None:
    tracee.socket(fd)
    tracee.call("listen", fd, 8, parts=LISTENING)


def test_a_port_is_open_until_its_last_fd_goes(tracee, recording):
    listen(tracee)
    tracee.call("listen", 3, 16, parts=LISTENING)
    assert gauges(recording) == [("net.port", 1)]
    (sample,) = [s for s in recording.writer.samples if s.name == "net.port"]
    assert sample.tags == {"proto": "TCP", "port": 80, "fd": 3}

    tracee.call("dup", 3, result=4)
    tracee.close(3)
    assert gauges(recording) == [("net.port", 1)]
    tracee.close(4)
    assert gauges(recording) == [("net.port", 0)]
    assert gauges(recording) == []


def test_only_the_process_that_called_listen_is_counted(tracee, recording):
    listen(tracee)
    tracee.fork(200)
    tracee.close(3, pid=200)
    tracee.exit(pid=200)

    assert gauges(recording) == [("net.port", 1)]


def test_a_socket_that_is_shut_waits_no_more(tracee, recording):
    listen(tracee)
    tracee.call("shutdown", 3, SHUT_WR)
    assert gauges(recording) == [("net.port", 1)]

    tracee.call("shutdown", 3, SHUT_RDWR)
    assert gauges(recording) == [("net.port", 0)]
    tracee.close(3)
    assert gauges(recording) == []


def test_a_socket_of_datagrams_waits_from_its_bind_on_one_of_connections_does_not(
    tracee, recording
):
    for fd, kind, domain in ((3, SOCK_DGRAM, 2), (4, SOCK_SEQPACKET, AF_UNIX)):
        tracee.socket(fd, kind, domain=domain)
        tracee.call("bind", fd, parts={Part.ADDRESS: pack_inet()})

    assert gauges(recording) == [("net.port", 1)]
    tracee.close(3)
    assert gauges(recording) == [("net.port", 0)]


def test_a_socket_that_listened_before_is_counted_when_it_is_used(tracee, recording):
    parts = {Part.LINK: b"socket:[77]", Part.STAT: tracee.socket_stat(), **LISTENING}
    tracee.add(RawKind.FD, args=(3, Seen.INHERITED), parts=parts)
    for fd in (4, 5):
        tracee.accept(3, fd)

    listened, *opened = recording.of("net.listen", "net.open")
    assert (listened.source, listened.data["op"], listened.data["fd"]) == (
        "net.listen",
        "accept4",
        3,
    )
    assert len(opened) == 2
    tracee.close(3)
    assert gauges(recording) == [("net.tcp", 2)]


def test_connections_are_counted_until_they_are_closed(tracee, recording):
    listen(tracee)
    for fd in (4, 5):
        tracee.accept(3, fd)
    tracee.socket(6)
    tracee.connect(6)
    assert gauges(recording) == [("net.port", 1), ("net.tcp", 3)]

    tracee.close(4)
    tracee.close(6)
    assert gauges(recording) == [("net.port", 1), ("net.tcp", 1)]
    tracee.exit()
    recording.finish()
    last = {s.name: s.value for s in recording.writer.samples}
    assert (last["net.port"], last["net.tcp"]) == (0, 0)


def test_what_is_open_goes_on_where_a_process_becomes_another(tracee, recording):
    listen(tracee)
    tracee.accept(3, 4)
    assert gauges(recording) == [("net.port", 1), ("net.tcp", 1)]

    tracee.call("setuid", 7, parts={Part.STATUS: status_text(uid=7)})
    tracee.exec("/usr/bin/other", fds=(0, 1, 2, 3))
    assert gauges(recording) == [("net.port", 0), ("net.tcp", 0), ("net.port", 1)]
    tracee.close(3)
    assert gauges(recording) == [("net.port", 0)]
    owners = {s.process for s in recording.writer.samples if s.name == "net.port" and s.value}
    assert len(owners) == 2


def test_a_connection_counts_for_who_made_it(tracee, recording):
    tracee.socket(3)
    tracee.fork(200)
    tracee.connect(3, pid=200)
    assert gauges(recording) == [("net.tcp", 1)]

    tracee.close(3)
    assert gauges(recording) == [("net.tcp", 1)]
    tracee.close(3, pid=200)
    assert gauges(recording) == [("net.tcp", 0)]


def test_pairs_are_counted_by_what_they_are(tracee, recording):
    for kind, fds in ((1, (3, 4)), (SOCK_DGRAM, (5, 6)), (SOCK_SEQPACKET, (7, 8))):
        tracee.call("socketpair", AF_UNIX, kind, 0, 0, parts={Part.PAIR: struct.pack("=ii", *fds)})

    assert gauges(recording) == [("net.tcp", 2), ("net.udp", 2), ("net.other", 2)]
