from __future__ import annotations

from socket import SOCK_DGRAM

import pytest
from dnslib import DNSRecord

from scopetrace.model.flow import Address, Flow
from scopetrace.model.image import Image
from scopetrace.model.open_file import OpenFile
from scopetrace.model.operation import FlowOpened, ImageEnded, Opened
from scopetrace.source import Mode
from scopetrace.sources.dns import SOURCE
from support.flow_reading import KeepingOutlet, image, rules, tcp_flow, udp_flow
from support.raw_builder import pack_inet

DNS = rules("event:\n  watch: [{type: dns}]\n")
NOTHING = rules("event:\n  watch: [{type: fs}]\nmetric:\n  watch: [{type: fs}]\n")
SERVER = Address("inet", "10.0.0.53", 53)
RESOLVED = "/run/systemd/resolve/io.systemd.Resolve"
QUERY = bytes.fromhex("000701000001000000000000016104746573740000010001")


class Session:
    """A source, and what it says."""

    def __init__(self) -> None:
        self.outlet = KeepingOutlet()
        self.source = SOURCE(self.outlet)

    def take(self, *operations: object) -> None:
        for operation in operations:
            self.source.handlers()[type(operation)](operation)


def opened_file(process: Image, path: str) -> Opened:
    return Opened(process, 71, 10, "openat", OpenFile(path, None, 10), 3, 0, "", False)


def opened_flow(process: Image, peer: Address | None) -> FlowOpened:
    flow = Flow("Unix.TCP", Address("unix", "", 0), peer, "client", 5)
    return FlowOpened(process, 71, 10, "connect", flow, 3)


def ended(process: Image) -> ImageEnded:
    return ImageEnded(process, 99, 0, None, False)


def unix(path: str) -> Address:
    return Address("unix", path, 0)


@pytest.mark.parametrize("protocol", ["HTTP", "TLS", ""])
def test_other_protocols_are_not_read(protocol):
    assert Session().source.reader(image(DNS), tcp_flow(SERVER), protocol) is None


@pytest.mark.parametrize(
    ("chosen", "is_read"),
    [
        (DNS, True),
        (NOTHING, False),
        (rules("event:\n  watch: [{type: dns, name: dns.error}]\nmetric:\n  watch: []\n"), True),
        (rules("event:\n  watch: []\nmetric:\n  watch: [{type: dns}]\n"), True),
    ],
)
def test_a_flow_is_read_if_anything_of_it_is_wanted(chosen, is_read):
    reader = Session().source.reader(image(chosen), udp_flow(SERVER), "DNS")

    assert (reader is not None) is is_read


def test_what_goes_through_sockets_is_needed():
    for groups in SOURCE.needs.values():
        assert all(groups[group] is Mode.ALL for group in ("net", "read", "write", "close", "fd"))
    assert set(SOURCE.needs) == {"dns.req", "dns.resp", "dns.error"}


@pytest.mark.parametrize(
    ("path", "service"),
    [
        (RESOLVED, "systemd-resolved"),
        ("/var/run/nscd/socket", "nscd"),
        ("/run/nscd/socket", "nscd"),
        ("/run/avahi-daemon/socket", "avahi"),
    ],
)
def test_a_service_that_resolves_names_is_noticed_once(path, service):
    session, process = Session(), image(DNS)

    session.take(opened_flow(process, unix(path)), opened_flow(process, unix(path)))

    ((reason, count, message),) = session.outlet.notices
    assert (reason, count) == ("resolved-elsewhere", 1)
    assert message == (
        f"dig (70) asked {service} at {path}: names that it resolves there are resolved elsewhere"
        " and leave no dns events"
    )


def test_each_process_and_each_service_has_its_notice():
    session = Session()
    first, second = image(DNS), image(DNS, 80)

    session.take(
        opened_flow(first, unix(RESOLVED)),
        opened_flow(first, unix("/run/nscd/socket")),
        opened_flow(second, unix(RESOLVED)),
        ended(first),
    )

    assert len(session.outlet.notices) == 3


@pytest.mark.parametrize("peer", [None, SERVER, unix("/run/other"), unix(""), unix("@" + RESOLVED)])
def test_other_peers_are_not_noticed(peer):
    session = Session()

    session.take(opened_flow(image(DNS), peer))

    assert session.outlet.notices == []


def test_without_interest_in_dns_there_is_no_notice():
    session, process = Session(), image(NOTHING)

    session.take(
        opened_flow(process, unix(RESOLVED)), opened_file(process, "/etc/hosts"), ended(process)
    )

    assert session.outlet.notices == []


def test_a_process_that_read_the_hosts_and_sent_no_question_has_a_notice_at_its_end():
    session, process = Session(), image(DNS)

    session.take(opened_file(process, "/etc/hosts"), opened_file(process, "/etc/passwd"))
    assert session.outlet.notices == []
    session.take(ended(process))
    session.take(ended(process))

    assert session.outlet.notices == [
        (
            "resolved-elsewhere",
            1,
            "dig (70) read /etc/hosts and asked no DNS server after that: names that it found there"
            " leave no dns events",
        )
    ]


def test_who_asked_after_reading_the_hosts_is_not_noticed():
    session, process = Session(), image(DNS)
    reader = session.source.reader(process, udp_flow(SERVER), "DNS")
    assert reader is not None

    session.take(opened_file(process, "/etc/hosts"))
    reader.feed(process, 71, 20, True, QUERY)
    session.take(ended(process))

    assert session.outlet.notices == []
    assert len(session.outlet.of("dns.req")) == 1


def test_who_asked_a_service_after_reading_the_hosts_is_noticed_for_that_alone():
    session, process = Session(), image(DNS)

    session.take(
        opened_file(process, "/etc/hosts"), opened_flow(process, unix(RESOLVED)), ended(process)
    )

    ((_, _, message),) = session.outlet.notices
    assert "systemd-resolved" in message


ONE, OTHER = pack_inet("10.0.0.53", 53), pack_inet("10.0.0.54", 53)


def reply(query: bytes) -> bytes:
    return bytes(DNSRecord.parse(query).reply().pack())


@pytest.fixture
def asking(tracee, recording):
    """A program with a datagram socket that is not connected."""
    tracee.socket(3, SOCK_DGRAM)
    return tracee


class TestAnAnswerFromNobodyKnowsWhom:
    """What is received without asking from whom is of a flow of its own."""

    def test_answers_the_question_of_its_socket(self, asking, recording):
        asking.send(3, QUERY, to=ONE)
        asking.receive(3, reply(QUERY))
        asking.close(3)
        events = recording.of("dns", "net.close")

        assert [event.source for event in events[:2]] == ["dns.req", "dns.resp"]
        assert events[1].data["duration_us"] == 1000
        assert "net_peer_ip" not in events[1].data, "it is not known who answered"
        assert [
            (e.data["net_bytes_sent"], e.data["net_bytes_recv"], e.data.get("net_peer_ip"))
            for e in events[2:]
        ] == [(len(QUERY), 0, "10.0.0.53"), (0, len(QUERY), None)]

    def test_is_no_answer_to_what_another_socket_asked(self, asking, recording):
        asking.socket(4, SOCK_DGRAM)
        asking.send(3, QUERY, to=ONE)
        asking.send(4, b"\1" + QUERY[1:], to=ONE)
        asking.receive(4, reply(QUERY))
        asking.close(3)
        asking.close(4)

        assert len(recording.of("dns.error")) == 2

    def test_leaves_what_it_does_not_answer_without_an_answer(self, asking, recording):
        for query in (QUERY, b"\1" + QUERY[1:]):
            asking.send(3, query, to=ONE)
        asking.receive(3, reply(QUERY))
        asking.close(3)

        assert [e.source for e in recording.of("dns")] == [
            "dns.req",
            "dns.req",
            "dns.resp",
            "dns.error",
        ]

    def test_is_of_any_of_those_who_were_asked(self, asking, recording):
        for server in (ONE, OTHER):
            asking.send(3, QUERY, to=server)
        for _ in range(2):
            asking.receive(3, reply(QUERY))
        asking.close(3)
        events = recording.of("dns")

        assert [event.source for event in events] == ["dns.req"] * 2 + ["dns.resp"] * 2
        assert all("duration" not in event.data for event in events)

    @pytest.mark.parametrize("transferred", [5, 500])
    def test_may_be_what_could_not_be_read(self, asking, recording, transferred):
        asking.send(3, QUERY, to=ONE)
        asking.receive(3, b"what?", transferred=transferred)
        asking.close(3)

        assert [event.source for event in recording.of("dns")] == ["dns.req"]
