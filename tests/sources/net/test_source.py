from __future__ import annotations

import struct
from socket import AF_UNIX, SHUT_RDWR, SHUT_WR, SOCK_DGRAM, SOCK_SEQPACKET

import pytest

from scopetrace.model.evidence import Evidence
from scopetrace.model.flow import Address, Flow, FlowUsage
from scopetrace.model.image import Image
from scopetrace.model.operation import (
    FlowClosed,
    FlowFailed,
    FlowOpened,
    FlowUsed,
    ImageEnded,
    ImageStarted,
    Operation,
)
from scopetrace.model.peer_names import learn_names
from scopetrace.model.raw import Part, RawKind, Seen
from scopetrace.sources.net.source import NetSource
from support.http_talk import Emitted, image_of
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


PEER, LOCAL = Address("inet", "10.0.0.2", 80), Address("inet6", "::1", 5000)
ALL = "metric: {enable: true, format: {verbosity: 9}, watch: [{type: net}]}\n"
MS = 1_000_000


@pytest.fixture
def image() -> Image:
    image = image_of(ALL)
    learn_names(image, "web.test", [PEER.host])
    return image


def flow_to(role: str = "client", **values: object) -> Flow:
    """Return a flow that was opened at 5 ms."""
    flow = Flow("IP.TCP", LOCAL, PEER, role, 5 * MS)
    for name, value in values.items():
        setattr(flow, name, value)
    return flow


def used(opened: bool = True) -> FlowUsage:
    """Return a usage with two messages of 7 bytes in and one of 3 out."""
    usage = FlowUsage(opened)
    for outgoing, size in ((False, 4), (False, 3), (True, 3)):
        usage.add(outgoing, size)
    return usage


def taken(*operations: Operation) -> Emitted:
    """Give operations to a source; return what it emitted."""
    outlet = Emitted()
    handlers = NetSource(outlet).handlers()
    for operation in operations:
        handlers[type(operation)](operation)
    return outlet


def values_of(outlet: Emitted, name: str) -> list[float]:
    return [value for each, value, _ in outlet.samples if each == name]


@pytest.mark.parametrize(
    ("role", "named", "port"), [("client", True, 80), ("", True, 80), ("server", False, 5000)]
)
def test_the_far_end_is_named_unless_it_came_to_us_and_the_service_has_the_port(
    role, named, port, image
):
    found = taken(FlowOpened(image, 71, 5 * MS, "connect", flow_to(role), 3))

    (event,) = found.events
    assert (event.channel, event.data["op"], event.data["fd"]) == (5 * MS, "connect", 3)
    assert event.data.get("net_peer_name") == ("web.test" if named else None)
    assert event.data.get("role", "") == role
    assert found.samples == [
        ("net.open", 1, {"proto": "TCP", "port": port, "op": "connect"}),
        ("net.tcp", 1, {"proto": "TCP", "port": port}),
    ]


def test_a_close_says_what_went_through_and_how_it_ended(image):
    flow = flow_to(reason="reset", error="ECONNRESET", layers=("SMTP", "TLS"))
    (event,) = taken(FlowClosed(image, 71, 12 * MS, "exit", flow, used())).events

    assert event.data == {
        "op": "exit",
        "net_transport": "IP.TCP",
        "net_peer_ip": PEER.host,
        "net_peer_port": 80,
        "net_host_ip": LOCAL.host,
        "net_host_port": 5000,
        "net_bytes_sent": 3,
        "net_bytes_recv": 7,
        "duration": 7,
        "net_close_reason": "reset",
        "net_protocol": "SMTP,TLS",
        "error": "ECONNRESET",
    }


@pytest.mark.parametrize(
    ("op", "reason", "said"),
    [("close", "local", "local"), ("stop", "local", "stop"), ("stop", "remote", "remote")],
)
def test_the_end_of_the_recording_ends_no_connection(op, reason, said, image):
    flow = flow_to(reason=reason)
    closed = FlowClosed(image, 71, 12 * MS, op, flow, used())
    found = taken(FlowOpened(image, 71, 5 * MS, "connect", flow, 3), closed)

    assert found.events[1].data["net_close_reason"] == said
    assert values_of(found, "net.tcp") == ([1] if op == "stop" else [1, 0])


def test_only_who_opened_a_flow_measures_how_long_it_was(image):
    for opened, lasted in ((True, [7]), (False, [])):
        found = taken(FlowClosed(image, 71, 12 * MS, "close", flow_to(), used(opened)))

        assert values_of(found, "net.duration") == lasted
        assert ("net.close", 1, {"proto": "TCP", "port": 80, "op": "close"}) in found.samples


def test_no_flow_takes_less_than_no_time(image):
    found = taken(FlowClosed(image, 71, 4 * MS, "close", flow_to(), used()))

    assert found.events[0].data["duration"] == 0
    assert values_of(found, "net.duration") == [0]


TCP = {"class": "inet_tcp", "proto": "TCP"}
HERE = {"localip": LOCAL.host, "localp": 5000}
THERE = {"remoteip": PEER.host, "remotep": 80}


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        ({}, {**TCP, "domain": "inet6", **HERE, **THERE}),
        ({"layers": ("HTTP",)}, {**TCP, "domain": "inet6", **HERE, **THERE}),
        ({"layers": ("TLS", "HTTP")}, {**TCP, "domain": "inet6", **HERE, **THERE, "data": "ssl"}),
        ({"local": None}, {**TCP, "domain": "inet", **THERE}),
        ({"peer": None}, {**TCP, "domain": "inet6", **HERE}),
        ({"local": None, "peer": None}, TCP),
        (
            {"transport": "IP.RAW", "local": None},
            {"class": "other", "proto": "RAW", "domain": "inet", **THERE},
        ),
    ],
)
def test_bytes_are_measured_once_with_both_ends(values, tags, image):
    flow, usage = flow_to(**values), used()
    found = taken(*(FlowUsed(image, 71, 9 * MS, flow, usage) for _ in range(2)))

    assert found.samples == [("net.tx", 3, tags), ("net.rx", 7, tags)]
    assert found.numops == [1, 2]


def test_a_failure_has_the_name_of_the_peer_and_what_is_known_of_the_reason(image):
    ends = ("IP.TCP", LOCAL, PEER)
    evidence = Evidence(needs="CAP_NET_RAW")
    failed = FlowFailed(image, 71, 9 * MS, "send", "rx_tx", *ends, 104, 5 * MS, evidence)
    found = taken(failed)

    (event,) = found.events
    assert (event.source, event.channel, event.data["needs"]) == (
        "net.error", 5 * MS, "CAP_NET_RAW",
    )  # fmt: skip
    assert {name: event.data[name] for name in ("op", "class", "error", "net_peer_name")} == {
        "op": "send", "class": "rx_tx", "error": "ECONNRESET", "net_peer_name": "web.test",
    }  # fmt: skip
    assert found.samples == [("net.error", 1, {"class": "rx_tx", "op": "send"})]


def test_what_another_process_opened_is_not_counted_below_none(image):
    closed = FlowClosed(image, 71, 12 * MS, "close", flow_to(), used())

    assert values_of(taken(closed), "net.tcp") == []


def test_only_the_program_that_replaces_another_has_its_connections(image):
    opened = FlowOpened(image, 71, 5 * MS, "connect", flow_to(), 3)
    replaced = ImageEnded(image, 9 * MS, None, None, True)
    stranger, heir, second = (Image(number, 70, 1, 0) for number in (2, 3, 4))
    for each in (stranger, heir, second):
        each.rules, each.parent = image.rules, image.id
    stranger.parent = 7
    starts = [ImageStarted(each, 9 * MS, True) for each in (stranger, heir, second)]

    closed = FlowClosed(heir, 70, 12 * MS, "close", flow_to(), used())
    assert values_of(taken(opened, replaced, *starts, closed), "net.tcp") == [1, 0, 1, 0]
