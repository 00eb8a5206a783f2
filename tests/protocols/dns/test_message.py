from __future__ import annotations

import pytest
from dnslib import (
    AAAA,
    CAA,
    CNAME,
    EDNS0,
    MX,
    NS,
    QTYPE,
    RR,
    SOA,
    SRV,
    TXT,
    A,
    DNSHeader,
    DNSQuestion,
    DNSRecord,
)
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.dns.message import Question, is_plain, read_message, text_of


def answer(*records: RR, name: str = "example.test", kind: str = "A", rcode: int = 0) -> bytes:
    header = DNSHeader(id=7, qr=1, rd=1, ra=1, rcode=rcode)
    question = DNSQuestion(name, getattr(QTYPE, kind))
    return bytes(DNSRecord(header, q=question, rr=list(records)).pack())


def record(kind: str, data: object, name: str = "example.test", ttl: int = 60) -> RR:
    return RR(name, getattr(QTYPE, kind), ttl=ttl, rdata=data)


def raw_record(kind: int, data: bytes, name: bytes = b"\1a\0") -> bytes:
    head = name + kind.to_bytes(2, "big") + b"\0\1" + (5).to_bytes(4, "big")
    return head + len(data).to_bytes(2, "big") + data


def raw_answer(*records: bytes) -> bytes:
    return b"\0\7\x80\0" + b"\0\0" + len(records).to_bytes(2, "big") + bytes(4) + b"".join(records)


def test_a_question():
    found = read_message(bytes(DNSRecord.question("Example.test", "MX").pack()))

    assert found is not None
    assert found.questions == (Question("Example.test", "MX", "IN", True),)
    assert (found.is_answer, found.operation, found.rest) == (False, "QUERY", 0)
    assert is_plain(found)


def test_an_answer_with_records_of_many_types():
    found = read_message(
        answer(
            record("A", A("192.0.2.1"), ttl=300),
            record("AAAA", AAAA("2001:db8::1")),
            record("CNAME", CNAME("other.test")),
            record("NS", NS("ns.example.test")),
            record("MX", MX("mail.test", 10)),
            record("TXT", TXT(["a b", "c"])),
            record("SRV", SRV(1, 2, 443, "srv.test")),
            record("CAA", CAA(0, "issue", "ca.test")),
        )
    )

    assert found is not None
    assert [(each.type, each.ttl, each.data) for each in found.answers] == [
        ("A", 300, "192.0.2.1"),
        ("AAAA", 60, "2001:db8::1"),
        ("CNAME", 60, "other.test"),
        ("NS", 60, "ns.example.test"),
        ("MX", 60, "10 mail.test."),
        ("TXT", 60, '"a b" "c"'),
        ("SRV", 60, "1 2 443 srv.test."),
        ("CAA", 60, '0 issue "ca.test"'),
    ]
    assert {each.name for each in found.answers} == {"example.test"}


@pytest.mark.parametrize(
    ("code", "name"), [(0, "NOERROR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (13, "13")]
)
def test_the_code_of_an_answer_has_a_name(code, name):
    found = read_message(answer(rcode=code))

    assert found is not None
    assert found.rcode == name


def test_the_code_is_extended_by_edns():
    message = DNSRecord.parse(answer())
    message.add_ar(EDNS0(ext_rcode=1))

    found = read_message(bytes(message.pack()))

    assert found is not None
    assert found.rcode == "BADVERS"


def test_records_of_authority_are_skipped():
    message = DNSRecord.parse(answer(rcode=3))
    message.add_auth(record("SOA", SOA("ns.test", "me.test")))

    found = read_message(bytes(message.pack()))

    assert found is not None
    assert (found.rcode, found.answers, found.rest) == ("NXDOMAIN", (), 0)


@pytest.mark.parametrize(
    ("kind", "data", "name", "text"),
    [
        (1, b"\x01\x02\x03", "A", r"\# 3 010203"),
        (1, b"", "A", r"\# 0"),
        (1, b"\x01\x02\x03\x04\x05", "A", r"\# 5 0102030405"),
        (28, b"\x01", "AAAA", r"\# 1 01"),
        (65280, b"\xab", "TYPE65280", r"\# 1 ab"),
        (39, b"\1b\1c\0", "DNAME", "b.c"),
        (5, b"\1b", "CNAME", r"\# 2 0162"),
        (16, b"\xff", "TXT", r"\# 1 ff"),
    ],
)
def test_data_that_is_not_what_its_type_says_is_hexadecimal(kind, data, name, text):
    found = read_message(raw_answer(raw_record(kind, data), raw_record(1, b"\1\2\3\4")))

    assert found is not None
    assert [(each.type, each.data) for each in found.answers] == [(name, text), ("A", "1.2.3.4")]


@pytest.mark.parametrize(
    ("strings", "text"),
    [
        ([b""], '""'),
        ([b"v=spf1 -all"], '"v=spf1 -all"'),
        ([b'say "x" "y"', b"\\"], r'"say \"x\" \"y\"" "\\"'),
        ([b"\n\xff"], r'"\010\255"'),
        (["\u00fc".encode()], r'"\195\188"'),
    ],
)
def test_strings_are_text_that_means_them_alone(strings, text):
    packed = b"".join(bytes([len(each)]) + each for each in strings)
    found = read_message(raw_answer(raw_record(16, packed)))

    assert found is not None
    assert found.answers[0].data == text


def test_the_value_of_a_caa_record_is_such_a_string():
    found = read_message(raw_answer(raw_record(257, b'\x80\5issueca "x"')))

    assert found is not None
    assert found.answers[0].data == r'128 issue "ca \"x\""'


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ((), "."),
        ((b"a", b"b"), "a.b"),
        ((b"a.b", b"c"), r"a\.b.c"),
        ((b"b\xc3\xbc \\",), r"b\195\188\032\\"),
        ((b"_x-1*",), "_x-1*"),
    ],
)
def test_a_name_is_text_that_means_it_alone(labels, text):
    assert text_of(labels) == text


def test_names_with_any_bytes_are_read():
    found = read_message(raw_answer(raw_record(1, b"\1\2\3\4", b"\2\xff\xfe\0")))

    assert found is not None
    assert found.answers[0].name == r"\255\254"


LONG = (b"\x3f" + b"x" * 63) * 3


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",
        b"\xc0\xff",
        b"\x40" + b"x" * 64 + b"\0",
        LONG + b"\x3f" + b"x" * 63 + b"\0",
        b"\1a",
    ],
    ids=["itself", "forwards", "long label", "long name", "cut"],
)
def test_a_name_that_cannot_be_makes_it_no_message(name):
    assert read_message(raw_answer(raw_record(1, b"\1\2\3\4", name))) is None


def test_the_longest_name_is_read():
    longest = LONG + b"\x3d" + b"x" * 61 + b"\0"
    assert len(longest) == 255

    assert read_message(raw_answer(raw_record(1, b"\1\2\3\4", longest))) is not None


def test_pointers_cannot_make_a_small_message_large():
    first = raw_record(1, b"\1\2\3\4", LONG + b"\0")
    longer = raw_record(1, b"\1\2\3\4", LONG + b"\xc0\x0c")

    assert read_message(raw_answer(first, longer)) is None


@pytest.mark.parametrize(("jumps", "is_read"), [(127, True), (128, False), (8000, False)])
def test_pointers_that_lead_to_pointers_are_few(jumps, is_read):
    places = [12, *range(23, 23 + 2 * jumps, 2)]
    chain = b"".join((0xC000 | place).to_bytes(2, "big") for place in places[: jumps - 1])
    first = raw_record(1, bytes(len(chain)), b"\0")[: -len(chain)] if chain else b""
    last = raw_record(1, b"\1\2\3\4", (0xC000 | places[jumps - 1]).to_bytes(2, "big"))
    message = raw_answer(first + chain, last)

    assert (read_message(message) is not None) is is_read


@pytest.mark.parametrize("size", range(0, 29))
def test_a_message_that_is_cut_is_none(size):
    whole = bytes(DNSRecord.question("example.test").pack())
    assert len(whole) == 30

    assert read_message(whole[:size]) is None


@given(st.binary(max_size=200), st.integers(0, 3), st.integers(0, 3))
def test_no_bytes_raise(data, questions, answers):
    read_message(data)
    counts = b"\0%c\0%c\0\0\0\0" % (questions, answers)
    read_message(b"\0\1\x80\0" + counts + data)


@given(st.integers(0, 120), st.binary(min_size=1, max_size=3))
def test_no_damage_to_a_message_raises(at, other):
    whole = answer(
        record("CNAME", CNAME("other.test")), record("TXT", TXT("x")), record("A", A("1.2.3.4"))
    )
    read_message(whole[:at] + other + whole[at + len(other) :])
