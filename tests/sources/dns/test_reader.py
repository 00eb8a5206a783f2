from __future__ import annotations

import struct
from typing import Any

import pytest
from dnslib import (
    AAAA,
    CNAME,
    EDNS0,
    QTYPE,
    RR,
    A,
    DNSHeader,
    DNSQuestion,
    DNSRecord,
    EDNSOption,
)
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.flow import Address, Flow
from scopetrace.model.image import Image
from scopetrace.protocols.dns.message import Record
from scopetrace.protocols.dns.questions import LEAST_WEIGHT, PendingQuestions
from scopetrace.sources.dns.reader import DnsReader
from support.flow_reading import (
    CLIENT,
    MS,
    KeepingOutlet,
    bytewise,
    cuts,
    image,
    rules,
    tcp_flow,
    udp_flow,
)

RULES = rules("event:\n  watch: [{type: dns}]\n")
SERVER = Address("inet", "10.0.0.53", 53)
GROUP = Address("inet", "224.0.0.251", 5353)
ENDS = {
    "net_transport": "IP.UDP",
    "net_peer_ip": "10.0.0.53",
    "net_peer_port": 53,
    "net_host_ip": "10.0.0.1",
    "net_host_port": 40000,
}
OUT, IN = True, False


def question(name: str = "example.test", kind: str = "A", serial: int = 7) -> bytes:
    header = DNSHeader(id=serial, rd=1)
    return bytes(DNSRecord(header, q=DNSQuestion(name, getattr(QTYPE, kind))).pack())


def answer(
    *records: RR,
    name: str = "example.test",
    kind: str = "A",
    serial: int = 7,
    rcode: int = 0,
    asks: bool = True,
    tc: int = 0,
) -> bytes:
    header = DNSHeader(id=serial, qr=1, ra=1, rcode=rcode, tc=tc)
    asked = {"q": DNSQuestion(name, getattr(QTYPE, kind))} if asks else {}
    return bytes(DNSRecord(header, rr=list(records), **asked).pack())


def record(kind: str, data: object, name: str = "example.test", ttl: int = 60) -> RR:
    return RR(name, getattr(QTYPE, kind), ttl=ttl, rdata=data)


ADDRESS = record("A", A("192.0.2.1"), ttl=300)


def over_tcp(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


class Session:
    """A flow that is read."""

    def __init__(self, flow: Flow | None = None, chosen: Any = RULES, memory: int = 65_536) -> None:
        self.outlet = KeepingOutlet()
        self.image = image(chosen)
        self.flow = flow or udp_flow(SERVER)
        self.asking: list[Image] = []
        self.reader = DnsReader(
            self.outlet, self.flow, PendingQuestions(memory), self.asking.append
        )

    def feed(self, ms: float, outgoing: bool, data: bytes, by: Image | None = None) -> None:
        if not self.reader.done:
            self.reader.feed(by or self.image, 71, int(ms * MS), outgoing, data)

    def gap(self, ms: int, outgoing: bool, size: int) -> None:
        self.reader.gap(self.image, 71, ms * MS, outgoing, size)

    def close(self, ms: int, by: Image | None = None) -> KeepingOutlet:
        self.reader.close(by or self.image, 71, ms * MS)
        return self.outlet


def test_a_question_and_its_answer():
    session = Session()

    session.feed(100, OUT, question())
    session.feed(125.5, IN, answer(ADDRESS))

    assert session.close(200).events == [
        ("dns.req", {"domain": "example.test", "type": "A", **ENDS}),
        (
            "dns.resp",
            {
                "domain": "example.test",
                "type": "A",
                "duration": 25,
                "duration_us": 25_500,
                "rcode": "NOERROR",
                "addrs": ["192.0.2.1"],
                "answers": [{"name": "example.test", "type": "A", "ttl": 300, "data": "192.0.2.1"}],
                **ENDS,
            },
        ),
    ]
    assert session.outlet.heads == [
        (session.image, 100 * MS, 71, "dns", 5),
        (session.image, 125_500_000, 71, "dns", 5),
    ]
    assert session.outlet.notices == []
    assert session.asking == [session.image]


def test_a_chain_of_aliases_is_followed_whatever_their_order():
    session = Session()
    session.feed(1, OUT, question("www.test"))
    session.feed(
        2,
        IN,
        answer(
            record("A", A("192.0.2.9"), "unrelated.test"),
            record("A", A("192.0.2.2"), "end.test"),
            record("CNAME", CNAME("END.test"), "middle.test"),
            record("CNAME", CNAME("middle.test"), "WWW.test"),
            record("A", A("192.0.2.3"), "end.test"),
            name="www.test",
        ),
    )

    (found,) = session.outlet.of("dns.resp")
    assert found["cname"] == ["middle.test", "END.test"]
    assert found["addrs"] == ["192.0.2.2", "192.0.2.3"]
    assert len(found["answers"]) == 5


def test_aliases_in_a_circle_end():
    session = Session()
    loop = [record("CNAME", CNAME("b.test"), "a.test"), record("CNAME", CNAME("a.test"), "b.test")]

    session.feed(1, IN, answer(*loop, name="a.test"))

    assert session.outlet.of("dns.resp")[0]["cname"] == ["b.test", "a.test"]


def test_a_name_that_does_not_exist_is_an_answer():
    session = Session()
    session.feed(1, OUT, question())
    session.feed(2, IN, answer(rcode=3))

    outlet = session.close(9)
    (found,) = outlet.of("dns.resp")
    assert (found["rcode"], found["addrs"], found["answers"]) == ("NXDOMAIN", [], [])
    assert outlet.of("dns.error") == []


def test_both_questions_of_a_lookup_find_their_answers():
    session = Session()
    session.feed(0, OUT, question(serial=1))
    session.feed(0, OUT, question(kind="AAAA", serial=2))
    session.feed(5, IN, answer(record("AAAA", AAAA("::1")), kind="AAAA", serial=2))
    session.feed(8, IN, answer(ADDRESS, serial=1))

    found = [
        (each["type"], each["addrs"], each["duration"]) for each in session.outlet.of("dns.resp")
    ]
    assert found == [("AAAA", ["::1"], 5), ("A", ["192.0.2.1"], 8)]


def test_a_question_without_an_answer_is_an_error_when_the_flow_closes():
    session = Session()
    session.feed(1, OUT, question())

    outlet = session.close(5001)
    session.close(5002)

    assert outlet.of("dns.error") == [
        {"domain": "example.test", "type": "A", "error": "timeout", "duration": 5000, **ENDS}
    ]


def test_the_error_of_a_flow_says_why_there_was_no_answer_to_what_was_asked_before_it():
    session = Session()
    session.feed(0, OUT, question(serial=1))
    session.flow.error = "ECONNREFUSED"
    session.feed(1, OUT, question("other.test", serial=2))

    found = {each["domain"]: each["error"] for each in session.close(2).of("dns.error")}
    assert found == {"example.test": "ECONNREFUSED", "other.test": "timeout"}


def test_a_question_that_is_asked_again_had_no_answer_before():
    session = Session()
    session.feed(0, OUT, question())
    session.feed(5000, OUT, question())
    session.feed(5010, IN, answer(ADDRESS))

    session.close(6000)
    assert [name for name, _ in session.outlet.events] == [
        "dns.req",
        "dns.error",
        "dns.req",
        "dns.resp",
    ]
    assert session.outlet.of("dns.error")[0]["duration"] == 5000
    assert session.outlet.of("dns.resp")[0]["duration"] == 10


def test_a_server_is_asked_and_answers():
    session = Session(udp_flow(CLIENT, SERVER, role="server"))
    session.feed(0, IN, question())
    session.feed(3, OUT, answer(ADDRESS))
    session.feed(4, IN, question(serial=8))

    outlet = session.close(9)
    assert [name for name, _ in outlet.events] == ["dns.req", "dns.resp", "dns.req", "dns.error"]
    assert outlet.of("dns.resp")[0]["duration"] == 3


def test_an_answer_without_a_question_has_no_duration():
    session = Session()
    session.feed(0, OUT, question(serial=1))
    session.feed(1, IN, answer(ADDRESS, serial=2))
    session.feed(2, OUT, answer(ADDRESS, serial=1))

    assert all("duration" not in each for each in session.outlet.of("dns.resp"))
    assert len(session.close(3).of("dns.error")) == 1


def test_an_answer_without_its_question_belongs_to_the_only_one_of_its_id():
    session = Session()
    session.feed(0, OUT, question())
    session.feed(4, IN, answer(asks=False, rcode=1))

    (found,) = session.close(5).of("dns.resp")
    assert (found["domain"], found["rcode"], found["duration"]) == ("example.test", "FORMERR", 4)


def test_an_answer_that_was_truncated_says_so():
    session = Session()
    session.feed(0, IN, answer(tc=1))

    assert session.outlet.of("dns.resp")[0]["truncated"] is True


def test_who_goes_to_tcp_after_a_truncated_answer_does_not_wait_for_the_others():
    session = Session()
    session.feed(0, OUT, question(serial=1))
    session.feed(0, OUT, question(kind="AAAA", serial=2))
    session.feed(0, OUT, question("other.test", serial=3))
    session.feed(1, IN, answer(tc=1, serial=1))
    session.feed(2, OUT, question(kind="MX", serial=4))

    failed = [(each["domain"], each["type"]) for each in session.close(3).of("dns.error")]
    assert failed == [("other.test", "A"), ("example.test", "MX")]


def test_an_operation_that_is_no_query_is_named():
    session = Session()
    update = bytearray(question(kind="SOA"))
    update[2] = 5 << 3

    session.feed(0, OUT, bytes(update))

    assert session.outlet.of("dns.req")[0]["op"] == "UPDATE"


@pytest.mark.parametrize(
    "flow",
    [
        udp_flow(GROUP),
        udp_flow(Address("inet6", "ff02::fb", 5353)),
        udp_flow(Address("inet", "10.0.0.9", 5353), CLIENT._replace(port=5353)),
        udp_flow(CLIENT, Address("inet", "0.0.0.0", 5355), role=""),
    ],
)
def test_a_question_to_a_group_need_not_be_answered_here(flow):
    session = Session(flow)
    session.feed(0, OUT, question("printer.local", serial=0))

    outlet = session.close(10)
    assert [name for name, _ in outlet.events] == ["dns.req"]


def test_a_server_by_a_mapped_address_is_no_group():
    session = Session(udp_flow(Address("inet6", "::ffff:239.0.0.53", 53)))
    session.feed(0, OUT, question())

    assert [name for name, _ in session.close(10).events] == ["dns.req", "dns.error"]


def test_a_group_is_asked_several_things_at_once():
    session = Session(udp_flow(GROUP))
    several = DNSRecord(DNSHeader(id=0))
    several.add_question(DNSQuestion("a.local"), DNSQuestion("b.local", QTYPE.PTR))

    session.feed(0, OUT, bytes(several.pack()))

    found = [(each["domain"], each["type"]) for each in session.outlet.of("dns.req")]
    assert found == [("a.local", "A"), ("b.local", "PTR")]


def test_an_answer_from_a_group_is_about_its_first_record():
    session = Session(udp_flow(Address("inet", "10.0.0.9", 5353), CLIENT._replace(port=5353)))
    records = [
        record("A", A("10.0.0.9"), "printer.local"),
        record("AAAA", AAAA("fe80::9"), "printer.local"),
    ]

    session.feed(0, IN, answer(*records, asks=False, serial=0))

    (found,) = session.outlet.of("dns.resp")
    assert (found["domain"], found["type"]) == ("printer.local", "A")
    assert found["addrs"] == ["10.0.0.9", "fe80::9"]
    assert "duration" not in found


def test_a_server_on_the_port_of_multicast_is_asked_as_any_other():
    session = Session(udp_flow(Address("inet", "127.0.0.1", 5353)))
    session.feed(0, OUT, question())
    session.feed(2, IN, answer(ADDRESS))

    assert session.outlet.of("dns.resp")[0]["duration"] == 2


def test_what_cannot_be_read_is_counted_once():
    session = Session()
    session.feed(0, OUT, b"nonsense")
    session.feed(1, OUT, question()[:-1])
    session.feed(2, OUT, b"")

    session.close(3)
    session.close(4)
    assert session.outlet.notices == [
        ("malformed", 2, "2 DNS messages of dig (70) could not be read")
    ]
    assert session.outlet.events == []


def test_several_questions_in_one_message_are_malformed_where_no_group_is_asked():
    session = Session()
    several = DNSRecord(DNSHeader(id=0))
    several.add_question(DNSQuestion("a.test"), DNSQuestion("b.test"))

    session.feed(0, OUT, bytes(several.pack()))

    assert session.close(1).notices[0][:2] == ("malformed", 1)


def test_a_question_whose_answer_may_be_what_was_not_seen_is_no_error():
    session = Session()
    session.feed(0, OUT, question(serial=1))
    session.feed(0, OUT, question(serial=2))
    session.feed(1, IN, answer(ADDRESS, serial=1)[:-1])
    session.gap(1, IN, 1)

    outlet = session.close(2)
    assert len(outlet.of("dns.error")) == 1
    assert outlet.notices[0][:2] == ("malformed", 1)


def test_after_a_datagram_that_was_not_seen_no_question_is_an_error():
    session = Session()
    session.feed(0, OUT, question())
    session.gap(1, IN, 100)

    outlet = session.close(2)
    assert outlet.of("dns.error") == []
    assert outlet.notices[0][:2] == ("malformed", 1)


def test_each_process_says_what_it_asked():
    session = Session()
    child = image(RULES, 80)
    session.feed(0, OUT, question(serial=1))
    session.feed(0, OUT, question(serial=2), by=child)

    session.close(5, by=child)
    assert len(session.outlet.of("dns.error")) == 1
    session.feed(6, IN, answer(ADDRESS, serial=1))
    session.close(9)
    assert len(session.outlet.of("dns.error")) == 1
    assert session.outlet.of("dns.resp")[0]["duration"] == 6


def test_too_many_questions_are_forgotten_and_counted():
    session = Session(memory=10 * (LEAST_WEIGHT + 2 * len("example.test")))
    for serial in range(12):
        session.feed(0, OUT, question(serial=serial))

    outlet = session.close(1)
    assert len(outlet.of("dns.req")) == 12
    assert len(outlet.of("dns.error")) == 10
    assert outlet.notices == [
        ("forgotten", 2, "2 DNS questions of dig (70) had to be forgotten: too many waited")
    ]


LONG_NAME = ".".join(3 * [63 * "x"])
POINTER = b"\xc0\x0c"
"""To the name that the first question of a message has."""


def pointing(questions: int, records: int) -> bytes:
    """Return a message in which all names but the first are pointers to that one, a long one."""
    name = 3 * (b"\x3f" + 63 * b"x") + b"\0"
    kind = struct.pack("!HH", QTYPE.CNAME, 1)
    record = POINTER + kind + struct.pack("!IH", 60, len(POINTER)) + POINTER
    header = struct.pack("!HHHHHH", 7, 0x8000 if records else 0, questions, records, 0, 0)
    return header + name + kind + (questions - 1) * (POINTER + kind) + records * record


@pytest.mark.parametrize(("records", "kept"), [(1, 1), (20, 15), (4000, 599)])
def test_records_are_left_out_where_pointers_make_much_text_of_few_bytes(records, kept):
    session = Session()

    session.feed(0, IN, pointing(1, records))

    (found,) = session.outlet.of("dns.resp")
    assert len(found["answers"]) == kept
    assert found.get("answers_missing", 0) == records - kept
    assert found["answers"][-1]["name"] == LONG_NAME


def test_aliases_are_left_out_with_their_records():
    session = Session()
    aliases = [
        record("CNAME", CNAME(f"{n}.{LONG_NAME}"), f"{n - 1}.{LONG_NAME}") for n in range(1, 90)
    ]

    session.feed(0, IN, answer(*aliases, name=f"0.{LONG_NAME}"))

    (found,) = session.outlet.of("dns.resp")
    assert found["cname"][0] == f"1.{LONG_NAME}"
    assert len(found["answers"]) < len(found["cname"]) < 89
    assert len(found["answers"]) + found["answers_missing"] == 89


def test_an_answer_with_many_addresses_is_kept_whole():
    session = Session()
    name = f"{60 * 'a'}.example.test"
    records = [record("A", A(f"192.0.2.{n}"), name) for n in range(200)]

    session.feed(0, IN, answer(*records, name=name))

    (found,) = session.outlet.of("dns.resp")
    assert len(found["addrs"]) == len(found["answers"]) == 200
    assert "answers_missing" not in found


def test_questions_are_left_out_where_pointers_make_many_of_few_bytes():
    session = Session(udp_flow(GROUP))

    session.feed(0, OUT, pointing(1000, 0))

    asked = len(session.close(1).of("dns.req"))
    assert asked == 99
    message = f"{1000 - asked} DNS questions of dig (70) got no event: too many in a message"
    assert session.outlet.notices == [("left-out", 1000 - asked, message)]


def test_only_what_is_wanted_is_emitted():
    session = Session(chosen=rules("event:\n  watch: [{type: dns, name: dns.resp}]\n"))
    session.feed(0, OUT, question())
    session.feed(1, IN, answer(ADDRESS))
    session.feed(2, OUT, question())

    assert [name for name, _ in session.close(3).events] == ["dns.resp"]


def test_questions_and_durations_are_measured():
    session = Session()
    session.feed(0, OUT, question())
    session.feed(7.9, IN, answer(ADDRESS))
    session.feed(9, IN, answer(ADDRESS))

    assert session.outlet.measures == [
        ("dns.req", 1, {"domain": "example.test"}),
        ("dns.duration", 7, {"domain": "example.test"}),
    ]


def test_no_metric_is_measured_if_none_is_wanted():
    chosen = rules("event:\n  watch: [{type: dns}]\nmetric:\n  watch: [{type: fs}]\n")
    session = Session(chosen=chosen)
    session.feed(0, OUT, question())
    session.feed(1, IN, answer(ADDRESS))

    assert session.outlet.measures == []
    assert len(session.outlet.events) == 2


ASKED = over_tcp(question(serial=1), question("b.test", "AAAA", serial=2), question(serial=3))
ANSWERED = over_tcp(
    answer(record("AAAA", AAAA("::1"), "b.test"), name="b.test", kind="AAAA", serial=2),
    answer(ADDRESS, serial=1),
    b"nonsense",
)


def over_stream(asked: list[bytes], answered: list[bytes]) -> KeepingOutlet:
    session = Session(tcp_flow(SERVER))
    for piece in asked:
        session.feed(1, OUT, piece)
    for piece in answered:
        session.feed(2, IN, piece)
    return session.close(3)


WHOLE = over_stream([ASKED], [ANSWERED])


def test_messages_over_a_stream():
    assert [name for name, _ in WHOLE.events] == ["dns.req"] * 3 + ["dns.resp"] * 2 + ["dns.error"]
    assert WHOLE.notices[0][:2] == ("malformed", 1)


@given(st.data())
def test_the_cut_of_a_stream_changes_no_event(data):
    cut = over_stream(data.draw(cuts(ASKED)), data.draw(cuts(ANSWERED)))

    assert cut.events == WHOLE.events
    assert over_stream(bytewise(ASKED), bytewise(ANSWERED)).events == WHOLE.events


def test_a_gap_in_a_message_of_a_stream_costs_that_message():
    session = Session(tcp_flow(SERVER))
    session.feed(0, OUT, over_tcp(question(serial=1)))
    reply = over_tcp(answer(ADDRESS, serial=9))
    session.feed(1, IN, reply[:10])
    session.gap(1, IN, len(reply) - 10)
    session.feed(2, OUT, over_tcp(question(serial=2)))
    session.feed(3, IN, over_tcp(answer(ADDRESS, serial=2)))

    outlet = session.close(4)
    assert not session.reader.done
    assert [name for name, _ in outlet.events] == ["dns.req", "dns.req", "dns.resp"]
    assert outlet.notices[0][:2] == ("malformed", 1)


def test_a_stream_without_known_message_boundaries_is_given_up():
    session = Session(tcp_flow(SERVER))
    session.feed(0, OUT, over_tcp(question()))
    session.gap(1, IN, 1000)

    assert session.reader.done
    outlet = session.close(4)
    assert [name for name, _ in outlet.events] == ["dns.req"]
    assert outlet.notices == [
        (
            "malformed",
            1,
            "1 DNS message of dig (70) could not be read, nor what followed them",
        )
    ]


PIECES = st.lists(
    st.tuples(
        st.booleans(),
        st.one_of(
            st.binary(max_size=60),
            st.integers(1, 400),
            st.sampled_from([question(), answer(ADDRESS), ASKED, ANSWERED]),
        ),
    ),
    max_size=12,
)


@given(PIECES, st.booleans())
def test_no_bytes_raise_and_no_end_is_invented(pieces, stream):
    session = Session((tcp_flow if stream else udp_flow)(SERVER))
    for outgoing, piece in pieces:
        if session.reader.done:
            break
        if isinstance(piece, int):
            session.gap(1, outgoing, piece)
        else:
            session.feed(1, outgoing, piece)
    session.reader.end(session.image, 71, 2 * MS, True)
    outlet = session.close(3)

    ended = len(outlet.of("dns.error")) + sum("duration" in e for e in outlet.of("dns.resp"))
    assert ended <= len(outlet.of("dns.req"))


def test_a_record_has_all_its_fields():
    assert Record._fields == ("name", "type", "dns_class", "ttl", "data")


def chaos(number: int = 3) -> tuple[bytes, bytes]:
    """Return the question for a server's version, in a class, and an answer."""
    about = b"\7version\4bind\0\0\x10" + number.to_bytes(2, "big")
    record = b"\xc0\x0c" + about[14:] + bytes(4) + b"\0\4\3abc"
    return b"\0\7\1\0\0\1" + bytes(6) + about, b"\0\7\x81\0\0\1\0\1" + bytes(4) + about + record


@pytest.mark.parametrize(
    ("number", "name"), [(3, "CH"), (4, "HS"), (255, "ANY"), (0x8003, "CH"), (9, "CLASS9")]
)
def test_a_class_that_is_not_the_internets_is_a_field(number, name):
    session = Session()
    for way, message in zip((OUT, IN), chaos(number), strict=True):
        session.feed(1, way, message)

    asked, answered = (data for _, data in session.close(2).events)
    assert (asked["domain"], asked["type"], asked["class"]) == ("version.bind", "TXT", name)
    assert (answered["type"], answered["class"]) == ("TXT", name)
    assert answered["answers"] == [
        {"name": "version.bind", "type": "TXT", "class": name, "ttl": 0, "data": '"abc"'}
    ]
    assert "duration" in answered


def test_an_answer_in_another_class_is_to_another_question():
    session = Session()
    session.feed(1, OUT, chaos()[0])
    session.feed(2, IN, chaos(1)[1])

    _, answered, failed = (data for _, data in session.close(3).events)
    assert ("class" in answered, "duration" in answered) == (False, False)
    assert (failed["class"], failed["error"]) == ("CH", "timeout")


def test_why_an_answer_is_as_it_is_stands_in_its_event():
    session = Session()
    session.feed(1, OUT, question())
    message = DNSRecord.parse(answer(rcode=2))
    message.add_ar(EDNS0(opts=[EDNSOption(15, b"\0\x06bad"), EDNSOption(15, b"\0\x16")]))
    session.feed(2, IN, bytes(message.pack()))

    assert session.outlet.events[1][1]["extended_errors"] == [
        {"code": 6, "name": "DNSSEC Bogus", "text": "bad"},
        {"code": 22, "name": "No Reachable Authority", "text": ""},
    ]


@pytest.mark.parametrize(("outgoing", "known"), [(IN, {"192.0.2.1": "example.test"}), (OUT, {})])
def test_only_who_is_answered_learns_a_name(outgoing, known):
    """The names that a server answers are not those of its own peers."""
    session = Session()
    session.feed(1, not outgoing, question())
    session.feed(2, outgoing, answer(ADDRESS))

    assert len(session.outlet.of("dns.resp")) == 1
    assert session.image.peer_names == known
