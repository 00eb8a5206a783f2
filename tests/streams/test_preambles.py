"""Connections that begin with something else, seen from both sides and cut anywhere."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.operation import FlowTransferred
from scopetrace.protocols.starttls import UPGRADES
from scopetrace.streams.preambles import KINDS, MOST_BYTES
from scopetrace.streams.recognition import MOST_LAYERS
from support.flow_reading import bytewise, pieces, rules
from support.flow_run import FlowRun, whole
from support.protocol_samples import GREETING, PRELOGIN, STARTUP, client_hello

C, S = True, False
Talk = list[tuple[bool, bytes]]

TLS: Talk = [
    (C, client_hello("db.example.com")),
    (S, b"\x16\x03\x03\0\x04\2\0\0\0"),
    (C, b"secret"),
]
HTTP: Talk = [
    (C, b"GET /page HTTP/1.1\r\nHost: here\r\n\r\n"),
    (S, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
]
SSH: Talk = [(S, b"SSH-2.0-OpenSSH_9.2p1\r\n"), (C, b"SSH-2.0-Go\r\n")]
FOLLOWING = {"TLS": TLS, "HTTP": HTTP, "SSH": SSH}

SSL_REQUEST, GSS_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f", b"\0\0\0\x08\x04\xd2\x16\x30"
MYSQL_SSL_REQUEST = b"\x20\0\0\x01" + struct.pack("<IIB23x", 0xAA8DAE, 1 << 24, 45)


def binary_proxy(family: int, addresses: bytes, command: int = 0x21) -> bytes:
    size = struct.pack(">BBH", command, family, len(addresses))
    return b"\r\n\r\n\0\r\nQUIT\n" + size + addresses


CLIENT_4 = {"net_client_ip": "192.0.2.1", "net_client_port": 56324}
CLIENT_6 = {"net_client_ip": "2001:db8::1", "net_client_port": 56324}
TARGET_4 = {"net_target_host": "198.51.100.7", "net_target_port": 443}
TARGET_6 = {"net_target_host": "2001:db8::2", "net_target_port": 443}
TARGET = {"net_target_host": "db.example.com", "net_target_port": 443}
NAME = b"\3\x0edb.example.com\1\xbb"
V4 = bytes((192, 0, 2, 1, 198, 51, 100, 7)) + struct.pack(">HH", 56324, 443)
V6 = bytes.fromhex("20010db8" + "00" * 11 + "01" + "20010db8" + "00" * 11 + "02") + V4[8:]
GRANTED = b"\5\0\0\1" + bytes(6)

GREETING_WHOLE = GREETING + bytes(4 + GREETING[0] - len(GREETING))

CONNECT = b"CONNECT db.example.com:443 HTTP/1.1\r\nHost: db.example.com:443\r\n\r\n"
WHO = b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n"
YES = b"HTTP/1.1 200 Connection established\r\n\r\n"

ANY = tuple(FOLLOWING)

PREAMBLES: dict[str, tuple[str, Talk, tuple[str, ...], dict[str, Any]]] = {
    "PROXY v1": (
        "PROXY",
        [(C, b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n")],
        ANY,
        CLIENT_4 | TARGET_4,
    ),
    "PROXY v1 of IPv6": (
        "PROXY",
        [(C, b"PROXY TCP6 2001:db8:0::1 2001:db8::2 56324 443\r\n")],
        ANY,
        CLIENT_6 | TARGET_6,
    ),
    "PROXY v1 unknown": ("PROXY", [(C, b"PROXY UNKNOWN\r\n")], ANY, {}),
    "PROXY v2": ("PROXY", [(C, binary_proxy(0x11, V4))], ANY, CLIENT_4 | TARGET_4),
    "PROXY v2 of IPv6 with more": (
        "PROXY",
        [(C, binary_proxy(0x21, V6 + b"\2\0\6a.test"))],
        ANY,
        CLIENT_6 | TARGET_6,
    ),
    "PROXY v2 of a unix socket": ("PROXY", [(C, binary_proxy(0x31, bytes(216)))], ANY, {}),
    "PROXY v2 for itself": ("PROXY", [(C, binary_proxy(0, b"", 0x20))], ANY, {}),
    "SOCKS 4": (
        "SOCKS",
        [(C, b"\4\1\1\xbb\xc6\x33\x64\7me\0"), (S, b"\0\x5a" + bytes(6))],
        ANY,
        TARGET_4,
    ),
    "SOCKS 4a": (
        "SOCKS",
        [(C, b"\4\1\1\xbb\0\0\0\1\0db.example.com\0"), (S, b"\0\x5a" + bytes(6))],
        ANY,
        TARGET,
    ),
    "SOCKS 5": (
        "SOCKS",
        [(C, b"\5\1\0"), (S, b"\5\0"), (C, b"\5\1\0" + NAME), (S, GRANTED)],
        ANY,
        TARGET,
    ),
    "SOCKS 5 with a password": (
        "SOCKS",
        [
            (C, b"\5\2\0\2"),
            (S, b"\5\2"),
            (C, b"\1\2me\3abc"),
            (S, b"\1\0"),
            (C, b"\5\1\0\1\xc6\x33\x64\7\1\xbb"),
            (S, b"\5\0\0\4" + bytes(18)),
        ],
        ANY,
        TARGET_4,
    ),
    "CONNECT": ("HTTP", [(C, CONNECT), (S, YES)], ANY, TARGET),
    "CONNECT to an address": (
        "HTTP",
        [(C, b"CONNECT [2001:db8::2]:443 HTTP/1.1\r\n\r\n"), (S, YES)],
        ANY,
        TARGET_6,
    ),
    "CONNECT after a question": (
        "HTTP",
        [
            (C, CONNECT),
            (S, WHO + b"Content-Length: 4\r\n\r\nwho?"),
            (C, CONNECT),
            (S, WHO + b"Transfer-Encoding: chunked\r\n\r\n4\r\nwho?\r\n0\r\n\r\n"),
            (C, CONNECT),
            (S, b"HTTP/1.1 100 Wait\r\n\r\n" + YES),
        ],
        ANY,
        TARGET,
    ),
    "PostgreSQL": ("PostgreSQL", [(C, SSL_REQUEST), (S, b"S")], ("TLS",), {}),
    "PostgreSQL without GSS": (
        "PostgreSQL",
        [(C, GSS_REQUEST), (S, b"N"), (C, SSL_REQUEST), (S, b"S")],
        ("TLS",),
        {},
    ),
    "MySQL": ("MySQL", [(S, GREETING_WHOLE), (C, MYSQL_SSL_REQUEST)], ("TLS",), {}),
    "TDS": (
        "TDS",
        [(C, PRELOGIN), (S, b"\4" + PRELOGIN[1:]), (C, b"\x12\1\2\0\0\0\0\0")],
        ("TLS",),
        {},
    ),
    "SMTP": (
        "SMTP",
        [
            (S, b"220 mx ESMTP\r\n"),
            (C, b"EHLO me\r\n"),
            (S, b"250-mx\r\n250 STARTTLS\r\n"),
            (C, b"STARTTLS\r\n"),
            (S, b"220 go\r\n"),
        ],
        ("TLS",),
        {},
    ),
    "LMTP": (
        "SMTP",
        [
            (S, b"220 mx LMTP\r\n"),
            (C, b"LHLO me\r\nSTARTTLS\r\n"),
            (S, b"250 mx\r\n220 go\r\n"),
        ],
        ("TLS",),
        {},
    ),
    "IMAP": (
        "IMAP",
        [
            (S, b"* OK [CAPABILITY IMAP4rev1] ready\r\n"),
            (C, b"a1 CAPABILITY\r\n"),
            (S, b"* CAPABILITY STARTTLS\r\na1 OK\r\n"),
            (C, b"a2 STARTTLS\r\n"),
            (S, b"a2 OK\r\n"),
        ],
        ("TLS",),
        {},
    ),
    "POP3": ("POP3", [(S, b"+OK ready\r\n"), (C, b"STLS\r\n"), (S, b"+OK go\r\n")], ("TLS",), {}),
    "FTP": ("FTP", [(S, b"220 ftp\r\n"), (C, b"AUTH TLS\r\n"), (S, b"234 go\r\n")], ("TLS",), {}),
    "Sieve": (
        "Sieve",
        [(S, b'"IMPLEMENTATION" "x"\r\nOK\r\n'), (C, b"STARTTLS\r\n"), (S, b"OK\r\n")],
        ("TLS",),
        {},
    ),
    "XMPP": (
        "XMPP",
        [
            (C, b"<?xml version='1.0'?><stream:stream to='a.test'>"),
            (S, b"<?xml version='1.0'?><stream:stream><stream:features><starttls/>"),
            (C, b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            (S, b"<proceed/>"),
        ],
        ("TLS",),
        {},
    ),
    "AMQP": ("AMQP", [(C, b"AMQP\2\1\0\0"), (S, b"AMQP\2\1\0\0")], ("TLS",), {}),
    "LDAP": (
        "LDAP",
        [
            (C, b"0\x1d\2\1\1w\x18\x80\x161.3.6.1.4.1.1466.20037"),
            (S, b"0\x0c\2\1\1x\x07\n\1\0\4\0\4\0"),
        ],
        ("TLS",),
        {},
    ),
    "NNTP": (
        "",
        [
            (S, b"200 news.example ready\r\n"),
            (C, b"CAPABILITIES\r\n"),
            (S, b"101 they are\r\nSTARTTLS\r\n.\r\n"),
            (C, b"STARTTLS\r\n"),
            (S, b"382 go\r\n"),
        ],
        ("TLS",),
        {},
    ),
    "a proxy of its own kind": (
        "",
        [(C, b"TUNNEL 52\n"), (S, b"OK 1073741824\n")],
        ("TLS", "HTTP"),
        {},
    ),
    "TLS where HTTP is expected": (
        "TLS",
        TLS[:1],
        ("HTTP",),
        {},
    ),
}
CASES = [
    (name, following)
    for name, (_, _, followings, _) in PREAMBLES.items()
    for following in followings
]
ROLES = ["client", "server", ""]
CHOSEN = rules("event: {watch: [{type: net}, {type: http}]}\nmetric: {enable: false}\n")


def heard(role: str, talk: Talk, cut: Any = whole, chosen: Any = CHOSEN) -> FlowRun:
    """Return what is made of a talk by one side of it."""
    flow = FlowRun(chosen, role)
    for client, data in talk:
        for piece in cut(data):
            flow.transfer(client == (role != "server"), piece)
    flow.close()
    return flow


def words(flow: FlowRun) -> list[str]:
    """Return a word for each event."""
    return [
        data.get("protocol") or str(data.get("http_status_code") or data["http_target"])
        for source, data in flow.outlet.events
        if source != "net.close"
    ]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("name", "following"), CASES)
def test_what_follows_is_recognised_and_read(name, following, role):
    protocol, preamble, _, facts = PREAMBLES[name]
    said = FOLLOWING[following]
    if name.startswith("TLS"):
        said = [(S, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")]

    flow = heard(role, preamble + said)

    layers = [protocol, following] if protocol else [following]
    assert flow.flow.protocol == ",".join(layers)
    assert flow.flow.facts == facts
    assert [word for word in words(flow) if word in layers] == layers
    *_, last = flow.outlet.of("net.app")
    assert {field: last.get(field) for field in facts} == facts
    if following == "TLS":
        assert last["tls_server_name"] == "db.example.com"
    if following == "HTTP":
        assert words(flow)[-2:] == (["HTTP", "400"] if name.startswith("TLS") else ["/page", "200"])
    assert flow.outlet.notices == []
    cut = heard(role, preamble + said, bytewise)
    assert cut.outlet.events == flow.outlet.events
    assert cut.outlet.notices == []


@pytest.mark.parametrize("role", ROLES)
def test_the_net_app_of_a_preamble_has_its_facts(role):
    (proxy, http) = heard(role, [*PREAMBLES["PROXY v1"][1], *HTTP]).outlet.of("net.app")

    assert proxy.items() >= {"protocol": "PROXY", **CLIENT_4, **TARGET_4}.items()
    assert http.items() >= {"protocol": "HTTP", **CLIENT_4, **TARGET_4}.items()


def test_preambles_may_follow_one_another():
    proxy, socks, connect = (PREAMBLES[name][1] for name in ("PROXY v2", "SOCKS 5", "CONNECT"))

    flow = heard("server", [*proxy, *socks, *connect, *PREAMBLES["SMTP"][1], *TLS])

    assert flow.flow.protocol == "PROXY,SOCKS,HTTP,SMTP,TLS"
    assert flow.flow.facts == CLIENT_4 | TARGET


def test_they_do_not_follow_one_another_for_ever():
    flow = heard("server", PREAMBLES["PROXY v1"][1] * 5000)

    assert flow.flow.protocol == ",".join(["PROXY"] * MOST_LAYERS)
    assert flow.muted == [3]


def test_what_is_sent_ahead_belongs_to_what_follows():
    talk = [(C, b"\5\1\0\5\1\0" + NAME + HTTP[0][1]), (S, b"\5\0" + GRANTED + HTTP[1][1])]

    for role in ROLES:
        for cut in whole, bytewise:
            assert words(heard(role, talk, cut)) == ["SOCKS", "HTTP", "/page", "200"]


REFUSED: dict[str, tuple[str, Talk]] = {
    "SOCKS 4": ("SOCKS", [(C, b"\4\1\1\xbb\xc6\x33\x64\7\0"), (S, b"\0\x5b" + bytes(6))]),
    "SOCKS 5": ("SOCKS", [(C, b"\5\1\0"), (S, b"\5\xff")]),
    "SOCKS 5 asked": (
        "SOCKS",
        [(C, b"\5\1\0"), (S, b"\5\0"), (C, b"\5\1\0" + NAME), (S, b"\5\5\0\1" + bytes(6))],
    ),
    "SOCKS 5 for datagrams": (
        "SOCKS",
        [(C, b"\5\1\0"), (S, b"\5\0"), (C, b"\5\3\0" + NAME), (S, GRANTED)],
    ),
    "PostgreSQL": ("PostgreSQL", [(C, SSL_REQUEST), (S, b"N"), (C, STARTUP)]),
    "PostgreSQL, old": ("PostgreSQL", [(C, SSL_REQUEST), (S, b"E")]),
    "PostgreSQL, encrypted": ("PostgreSQL", [(C, GSS_REQUEST), (S, b"G")]),
    "MySQL": ("MySQL", [(S, GREETING_WHOLE), (C, b"\x20\0\0\1" + bytes(32))]),
    "MySQL, plain": ("MySQL", [(S, GREETING_WHOLE), (C, b"\x50\0\0\1" + bytes(80))]),
    "TDS": ("TDS", [(C, PRELOGIN), (S, b"\4" + PRELOGIN[1:]), (C, b"\x10\1\0\x90\0\0\1\0")]),
    "CONNECT": ("HTTP", [(C, CONNECT), (S, b"HTTP/1.1 502 No\r\n\r\nuntil the end")]),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", REFUSED)
def test_where_no_protocol_follows_none_is_looked_for(name, role):
    protocol, talk = REFUSED[name]
    for cut in whole, bytewise:
        flow = heard(role, [*talk, *TLS], cut)

        assert flow.flow.protocol == protocol
        assert [w for w in words(flow) if w in (protocol, "TLS")] == [protocol]


def test_whom_a_proxy_would_not_reach_is_known():
    flow = heard("client", REFUSED["SOCKS 5 asked"][1])

    assert flow.outlet.of("net.app")[0].items() >= TARGET.items()


def test_a_preamble_that_never_ends_is_emitted_when_the_flow_ends():
    flow = heard("client", [(C, b"\5\1\0"), (S, b"\5\0"), (C, b"\5\1\0" + NAME)])

    assert words(flow) == ["SOCKS"]
    assert flow.outlet.of("net.app")[0].items() >= TARGET.items()


def test_a_tunnel_is_found_where_http_is_not_read():
    chosen = rules("event: {watch: [{type: net}]}\nmetric: {enable: false}\n")
    flow = heard("server", [*PREAMBLES["CONNECT"][1], *TLS], chosen=chosen)

    assert words(flow) == ["HTTP", "TLS"]
    assert flow.muted == [3]


@pytest.mark.parametrize("name", [name for name in UPGRADES if name != "TLS"])
def test_no_flow_is_watched_for_ever(name):
    talk = next(talk for protocol, talk, *_ in PREAMBLES.values() if protocol == name)
    flow = FlowRun(CHOSEN, "client")
    for client, data in talk[:-1]:
        flow.transfer(client, data)
    for _ in range(UPGRADES[name].turns):
        flow.transfer(S, b"no\r\n")
        flow.transfer(C, b"please\r\n")

    assert flow.muted == [3]


def test_a_flow_that_says_much_is_not_watched():
    flow = FlowRun(CHOSEN, "client")
    flow.transfer(S, b"220 mx ESMTP\r\n")
    flow.transfer(C, b"EHLO me\r\n")
    for _ in range(70):
        assert flow.muted == []
        flow.transfer(S, b"x" * 940)
    flow.transfer(S, b"x" * 940)

    assert flow.muted == [3]


def test_what_is_not_known_ends_a_preamble():
    flow = FlowRun(CHOSEN, "client")
    flow.transfer(C, SSL_REQUEST)
    flow.transfer(S, b"", 1)
    flow.transfer(S, b"S")
    flow.transfer(C, TLS[0][1])

    assert flow.flow.protocol == "PostgreSQL"
    assert flow.muted == [3]


@pytest.mark.parametrize(("interim", "following"), [(100, ",TLS"), (4000, "")])
def test_a_negotiation_is_bounded(interim, following):
    more = b"HTTP/1.1 102 Wait\r\n\r\n"
    assert 100 * len(more) < MOST_BYTES < 4000 * len(more)

    flow = heard("server", [(C, CONNECT), *[(S, more)] * interim, (S, YES), *TLS])

    assert flow.flow.protocol == "HTTP" + following


def test_what_comes_early_waits_for_its_turn():
    """A thread received the answer before another one was seen to have asked."""
    flow, talk = FlowRun(CHOSEN, "client"), [*PREAMBLES["SOCKS 5"][1], *HTTP]
    for (_, asked), (_, answer) in zip(talk[::2], talk[1::2], strict=True):
        program, size = flow.image, len(answer)
        early = FlowTransferred(program, 71, 0, flow.flow, False, answer, size, 3, early=True)
        flow.handlers[FlowTransferred](early)
        flow.transfer(C, asked)

    assert words(flow) == ["SOCKS", "HTTP", "/page", "200"]


@given(
    st.sampled_from(CASES),
    st.sampled_from(ROLES),
    st.sets(st.integers(1, 300), max_size=6),
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(
                [
                    b"",
                    b"\0",
                    b"x\r\n",
                    b"\n" * 9,
                    *(data for _, talk, *_ in PREAMBLES.values() for _, data in talk),
                ]
            ),
        ),
        max_size=3,
    ),
)
def test_anything_may_come_in_between(case, role, places, noise):
    name, following = case
    _, preamble, *_ = PREAMBLES[name]
    talk = [*preamble[:1], *noise, *preamble[1:], *FOLLOWING[following]]

    def cut(data: bytes) -> list[bytes]:
        return pieces(data, [place for place in places if place < len(data)])

    said = heard(role, [step for step in talk if step[1]])
    assert heard(role, [step for step in talk if step[1]], cut).outlet.events == said.outlet.events


def test_a_kind_is_a_preamble_or_a_switch():
    assert not {kind.protocol for kind in KINDS} & UPGRADES.keys()
