from __future__ import annotations

import string
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.config.schema import Protocol
from scopetrace.protocols.signatures import LONGEST, SIGNATURES
from scopetrace.streams.detector import Detector, Refused
from support.flow_reading import cuts
from support.protocol_samples import (
    ANSWER,
    CLIENTS,
    QUERY,
    SAMPLES,
    SERVERS,
    client_hello,
    over_tcp,
)

KNOWN = Detector(())


def recognised(
    outgoing: bytes, incoming: bytes = b"", detector: Detector = KNOWN, **how: Any
) -> str | None:
    unanswered = None if outgoing and incoming else bool(outgoing)
    how = {"is_stream": True, "port": 9999, "role": "client", "unanswered": unanswered} | how
    found = detector.recognise(outgoing, incoming, **how)
    return None if found is None else found.name


def test_every_known_protocol_has_samples():
    assert {signature.name for signature in SIGNATURES} == CLIENTS.keys() | SERVERS.keys() | {
        "SOCKS"
    }


@pytest.mark.parametrize(
    ("client", "server", "found"),
    [
        (b"\5\1\0", b"\5\0", "SOCKS"),
        (b"\5\2\0\2", b"\5\2", "SOCKS"),
        (b"\5\1\0\5\1\0\3", b"\5\xff", "SOCKS"),
        (b"\5\1\0", b"\5\2", None),
        (b"\5\1\0", b"\1\0", None),
        (b"\5\0", b"\5\0", None),
        (b"\5\x0b" + bytes(11), b"\5\0", None),
        (b"\4\1\0\x50\1\1\1\1\0", b"\0\x5a" + bytes(6), "SOCKS"),
        (b"\4\2\0\x50\1\1\1\1me\0", b"\0\x5d" + bytes(6), "SOCKS"),
        (b"\4\3\0\x50\1\1\1\1\0", b"\0\x5a" + bytes(6), None),
        (b"\4\1\0\x50\1\1\1\1\0", b"\4\x5a" + bytes(6), None),
        (b"\4\1\0\x50\1\1\1\1\0", b"\0\x5e" + bytes(6), None),
    ],
)
def test_what_asks_a_proxy_is_known_by_the_answer(client, server, found):
    assert recognised(client) is None
    assert recognised(client, server) == found
    assert recognised(server, client, role="server") == found
    assert recognised(server, client, role="") == found


@pytest.mark.parametrize(("name", "data", "side"), SAMPLES)
def test_a_side_is_recognised_by_its_first_bytes(name, data, side):
    other = "server" if side == "client" else "client"

    assert recognised(data, role=side) == name
    assert recognised(b"", data, role=other) == name
    assert recognised(data, role="") == name
    assert recognised(b"", data, role="") == name


@pytest.mark.parametrize(("name", "data", "side"), SAMPLES)
def test_only_one_opening_takes_it(name, data, side):
    others = [
        signature.name
        for signature in SIGNATURES
        if signature.is_stream
        and signature.name != name
        and Detector((never(name),)).recognise(data, b"", is_stream=True, port=0, role="")
    ]

    assert others == []


def never(name: str) -> Protocol:
    """Return a rule that replaces a known protocol and matches nothing."""
    return Protocol(name=name, regex="(?!)", len=1)


@given(st.data(), st.sampled_from(SAMPLES), st.sampled_from([b"", b"more\n", b"\0" * 300]))
def test_the_cut_of_the_bytes_changes_nothing_but_not_yet(data, sample, more):
    name, start, side = sample
    so_far = b""
    answers = []
    refused: Refused = set()
    for piece in data.draw(cuts(start + more)):
        assert not KNOWN.exhausted(so_far, so_far, role=side)
        so_far += piece
        answers.append(recognised(so_far, role=side))
        assert recognised(so_far, role=side, refused=refused) == answers[-1]

    first = next(at for at, answer in enumerate(answers) if answer)
    assert set(answers[first:]) == {name}
    assert set(answers[:first]) <= {None}


def test_a_byte_that_makes_it_no_protocol_is_seen_at_once():
    assert not KNOWN.exhausted(b"GET / HTTP/1", b"")
    assert not KNOWN.exhausted(b"GET / HTTP/1", b"s")
    assert KNOWN.exhausted(b"some bytes\n", b"ok", role="client")
    assert KNOWN.exhausted(b"GET / HTTP/2", b"hello, world")


NO_PROTOCOL = [
    b"some bytes\n",
    b"#!/bin/sh\necho hello\n",
    b"\x7fELF\x02\x01\x01" + bytes(60),
    b"PK\x03\x04" + bytes(60),
    b"\x1f\x8b\x08" + bytes(60),
    b"%PDF-1.7\n%\xe2\xe3\n",
    b'{"a": 1}\n',
    b"<?xml version='1.0'?><html/>\n",
    b"HTTP is a protocol\n",
    b"GET THE THING\n",
    b"220 ftp.example.test FTP server ready\r\n",
    b"+OK\r\n",
    b"* BYE\r\n",
    b"AUTH me\r\n",
    b"PROXY TCP5 192.0.2.1 198.51.100.7 56324 443\r\n",
    b"PROXY the request\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x31\x11",
    b"0\x0c\2\1\1\x60\x07\2\1\4\4\0\x80\0",
    b"NOTE: this is 5|7\n",
    b"AMQPLAIN\n",
    bytes(400),
    b"\xff" * 400,
    b"A" * 20_000,
]


@pytest.mark.parametrize("data", NO_PROTOCOL)
@pytest.mark.parametrize("role", ["client", "server", ""])
def test_other_things_are_no_protocol(data, role):
    assert recognised(data, role=role) is None
    assert recognised(data, role=role, ended=True) is None
    assert recognised(b"", data, role=role) is None
    assert recognised(data, role=role, is_stream=False) is None
    assert KNOWN.exhausted(data, data, role=role)


NOISE = st.builds(
    lambda seed, size: Random(seed).randbytes(size), st.integers(0, 2**32), st.integers(0, 600)
)
"""Bytes of no meaning: st.binary() would try what it finds in our own source."""


@given(NOISE, NOISE, st.booleans())
def test_random_bytes_are_no_protocol(outgoing, incoming, stream):
    assert recognised(outgoing, incoming, role="", is_stream=stream) is None


WORDS = st.text(string.ascii_letters + string.digits + " .,-\n\t", max_size=400)


@given(WORDS, WORDS)
def test_text_is_no_protocol(outgoing, incoming):
    assert recognised(outgoing.encode(), incoming.encode(), role="") is None


def test_a_name_looked_up_in_a_datagram_is_dns_on_any_port():
    assert recognised(QUERY, is_stream=False) == "DNS"
    assert recognised(b"", ANSWER, is_stream=False) == "DNS"
    assert recognised(QUERY, is_stream=False, port=137) is None
    assert recognised(QUERY[:-1], is_stream=False) is None
    assert recognised(QUERY + b"x", is_stream=False) is None


def test_a_less_plain_message_is_dns_only_where_dns_is_spoken():
    update = bytearray(QUERY)
    update[2] = 5 << 3
    several = QUERY[:4] + b"\0\2" + QUERY[6:] + QUERY[12:]

    for message in (bytes(update), several):
        assert recognised(message, is_stream=False) is None
        assert recognised(message, is_stream=False, port=5353) == "DNS"
        assert recognised(message, is_stream=False, port=53) == "DNS"


def test_a_query_over_tcp_is_waited_for():
    data = over_tcp(QUERY)

    assert recognised(data[:-1]) is None
    assert not KNOWN.exhausted(data[:-1], b"x", role="client")
    assert recognised(data) == "DNS"


@pytest.mark.parametrize(
    "before",
    [b"", over_tcp(b""), over_tcp(b"hello"), over_tcp(ANSWER) + over_tcp(b"\1" * 300)],
)
def test_a_query_is_found_where_it_is_expected_whatever_came_before(before):
    sent = before + over_tcp(QUERY)

    assert recognised(sent[:-1], port=53) is None
    assert not KNOWN.exhausted(sent[:-1], b"", port=53)
    assert recognised(sent, port=53) == "DNS"
    assert recognised(b"", sent, port=53, role="server") == "DNS"
    assert recognised(sent) == (None if before else "DNS")


@pytest.mark.parametrize("data", [b"\xff\xff", over_tcp(b"\1" * 300) * 60, b"GET /\r\n" * 20])
def test_it_is_not_looked_for_for_ever(data):
    assert recognised(data, port=53) is None
    assert recognised(data, port=53, ended=True) is None


def test_lines_of_statsd_in_a_datagram_need_no_end():
    assert recognised(b"a:1|c", is_stream=False) == "STATSD"
    assert recognised(b"a:1:2|ms|#x:y", is_stream=False) == "STATSD"
    assert recognised(b"a:1|c") is None
    assert recognised(b"a:1|c", ended=True) == "STATSD"


def test_datagrams_are_no_streams():
    assert recognised(b"GET / HTTP/1.1\r\n", is_stream=False) is None
    assert recognised(client_hello(), is_stream=False) is None


def test_tls_has_the_fields_of_the_clients_hello():
    found = KNOWN.recognise(
        client_hello("a.test", ("h2", "x")), b"", is_stream=True, port=443, role="client"
    )

    assert found == (
        "TLS",
        True,
        False,
        {"tls_server_name": "a.test", "tls_alpn": ["h2", "x"], "tls_version": "TLSv1.3"},
    )


def test_a_hello_that_ends_early_is_tls_without_details():
    found = KNOWN.recognise(
        client_hello()[:100], b"", is_stream=True, port=443, role="client", ended=True
    )

    assert found == ("TLS", True, False, {})


def test_a_hello_without_end_is_given_up():
    endless = b"\x16\x03\x01\x40\x00\x01\x00\xff\xff\x03\x03" + bytes(LONGEST - 12)

    assert recognised(endless) is None
    assert not KNOWN.exhausted(endless, b"x", role="client")
    assert recognised(endless + b"\0") == "TLS"


REDIS = Protocol(name="Redis", regex=r"^[*]\d+|^[+]\w+")
MONGO = Protocol(name="Mongo", regex="^DD07", binary=True, len=14, detect=False, payload=True)


def test_a_rule_says_what_becomes_of_its_flows():
    detector = Detector((MONGO,))

    found = detector.recognise(b"\xdd\x07", b"", is_stream=True, port=1, role="")

    assert found == ("Mongo", False, True, {})


def test_a_rule_replaces_the_known_protocol_of_its_name():
    detector = Detector((Protocol(name="HTTP", regex="^SPECIAL", len=10),))

    assert recognised(b"SPECIAL 1\n", detector=detector) == "HTTP"
    assert recognised(b"GET / HTTP/1.1\r\n", detector=detector) is None


def test_rules_come_first_and_in_their_order():
    one = Protocol(name="One", regex="/one", len=8)
    two = Protocol(name="Two", regex="^GET", len=8)

    assert recognised(b"GET /one HTTP/1.1\r\n", detector=Detector((one, two))) == "One"
    assert recognised(b"GET /one HTTP/1.1\r\n", detector=Detector((two, one))) == "Two"
    assert recognised(b"GET /two HTTP/1.1\r\n", detector=Detector((one,))) == "HTTP"


def test_a_rule_looks_at_no_more_than_its_bytes():
    short = Detector((Protocol(name="Short", regex="needle", len=8),))

    assert recognised(b"a needle", detector=short) == "Short"
    assert recognised(b"a  needle", detector=short) is None


def test_while_a_rule_may_match_those_after_it_wait():
    detector = Detector((Protocol(name="Late", regex="late", len=40),))
    request = b"GET / HTTP/1.1\r\n"

    assert recognised(request, detector=detector) is None
    assert recognised(request + b"late", detector=detector) == "Late"
    assert recognised(request + b"x" * 40, detector=detector) == "HTTP"
    assert recognised(request, b"H", detector=detector) == "HTTP"
    assert recognised(request, detector=detector, ended=True) == "HTTP"
    assert not detector.exhausted(b" " * 39, b" " * 40)
    assert detector.exhausted(b" " * 40, b" " * 40)


def test_a_rule_waits_for_both_directions_until_they_are_answered():
    detector = Detector((Protocol(name="Late", regex="late", len=40),))
    request = b"GET / HTTP/1.1\r\n"

    assert recognised(request, b"hello", detector=detector, unanswered=True) is None
    assert recognised(request + b"late", b"hello", detector=detector, unanswered=True) == "Late"
    assert recognised(request, b"hello", detector=detector) == "HTTP"


def test_what_was_refused_once_is_not_asked_again():
    refused: Refused = set()
    assert recognised(b"GET /", b"+PONG", role="client", refused=refused) is None
    before = set(refused)
    assert recognised(b"GET / HTTP/1.1\r\n", b"+PONG", refused=refused) == "HTTP"

    assert len(before) == 2 * sum(signature.is_stream for signature in SIGNATURES) - 2
    assert refused == before


@pytest.mark.parametrize("size", [5, 6, 50])
def test_a_rule_for_tls_waits_for_the_details_too(size):
    detector = Detector((Protocol(name="TLS", regex="^16030[0-3].{4}", binary=True, len=5),))
    data = client_hello("b.test")

    assert recognised(data[:size], detector=detector) is None
    found = detector.recognise(data, b"", is_stream=True, port=443, role="client")
    assert found is not None
    assert found.details["tls_server_name"] == "b.test"


def test_bytes_of_any_value_can_be_named_in_a_rule():
    detector = Detector((Protocol(name="Odd", regex=r"^\xff\x00\xe9"),))

    assert recognised(b"\xff\x00\xe9", detector=detector) == "Odd"


@given(st.binary(max_size=40), st.binary(max_size=40), st.booleans())
def test_rules_raise_for_no_bytes(outgoing, incoming, stream):
    detector = Detector((REDIS, MONGO))
    detector.recognise(outgoing, incoming, is_stream=stream, port=53, role="server")
    detector.exhausted(outgoing, incoming, is_stream=stream, port=53, role="server")
