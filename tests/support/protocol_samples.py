"""The first bytes of protocols, as clients and servers send them."""

from __future__ import annotations

import ssl

import pytest
from dnslib import QTYPE, RR, A, DNSHeader, DNSQuestion, DNSRecord
from h2.connection import H2Connection


def client_hello(name: str = "example.test", alpn: tuple[str, ...] = ("h2",)) -> bytes:
    context = ssl.create_default_context()
    context.set_alpn_protocols(list(alpn))
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def h2_preface() -> bytes:
    connection = H2Connection()
    connection.initiate_connection()
    return connection.data_to_send()


def over_tcp(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


QUERY = bytes(DNSRecord(DNSHeader(id=7, rd=1), q=DNSQuestion("example.test")).pack())
REPLY = DNSRecord.parse(QUERY).reply()
REPLY.add_answer(RR("example.test", QTYPE.A, rdata=A("192.0.2.1")))
ANSWER = bytes(REPLY.pack())
STARTUP = b"\0\0\0\x29\0\x03\0\0user\0me\0database\0postgres\0\0\0\0"
GREETING = (
    b"\x4a\0\0\0\x0a8.0.36\0" + b"\x0b\0\0\0" + b"abcdefgh" + b"\0\xff\xff\xff\x02\0\xff\xdf\x15"
)
OP_MSG = (
    b"\x2a\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0" + b"\0\0\0\0\0" + b"\x15\0\0\0\x10hello\0\x01\0\0\0"
)
OP_QUERY = (
    b"\x3a\0\0\0\x01\0\0\0\0\0\0\0\xd4\x07\0\0"
    + b"\x04\0\0\0admin.$cmd\0"
    + bytes(8)
    + b"\x13\0\0\0"
)
PRELOGIN = b"\x12\1\0\x1a\0\0\1\0" + b"\0\0\x0b\0\6\1\0\x11\0\1\xff" + b"\x10\0\0\0\0\0\0"
KAFKA = b"\0\0\0\x1c\0\x12\0\x03\0\0\0\x01\0\x07rdkafka\0\x05lib\x041\x2e0\0"

CLIENTS = {
    "HTTP": [
        b"GET / HTTP/1.1\r\n",
        b"POST /" + b"x" * 3000 + b" HTTP/1.0\r\n",
        b"\r\nVERSION-CONTROL /a HTTP/1.1\r\n",
        b"CONNECT example.test:443 HTTP/1.1\n",
        h2_preface(),
    ],
    "TLS": [client_hello(), client_hello("a.test", ("x" * 200,) * 60)],
    "DNS": [over_tcp(QUERY)],
    "STATSD": [b"a.b:1|c\n", b"lat:3.5|ms|@0.1\n", b"g:-5|g\n", b"u:bob|s\n", b"_e{1,1}:a|b"],
    "Redis": [b"*1\r\n$4\r\nPING\r\n", b"*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\nb\r\n"],
    "PostgreSQL": [STARTUP, b"\0\0\0\x08\x04\xd2\x16\x2f", b"\0\0\0\x08\x04\xd2\x16\x30"],
    "TDS": [PRELOGIN],
    "MongoDB": [OP_MSG, OP_QUERY],
    "AMQP": [b"AMQP\0\0\x09\x01", b"AMQP\0\x01\0\0", b"AMQP\x03\x01\0\0"],
    "Kafka": [KAFKA],
    "SSH": [b"SSH-2.0-OpenSSH_9.2p1\r\n"],
    "SMTP": [b"EHLO me.test\r\n", b"helo [192.0.2.1]\r\n", b"LHLO me\r\n"],
    "IMAP": [b"a1 CAPABILITY\r\n", b"A.2 LOGIN me x\r\n", b"1 STARTTLS\r\n"],
    "POP3": [b"CAPA\r\n", b"STLS\r\n"],
    "FTP": [b"AUTH TLS\r\n", b"AUTH SSL\r\n"],
    "XMPP": [
        b"<stream:stream xmlns='jabber:client'>",
        b"<?xml version='1.0' encoding='UTF-8'?>\n<stream:stream to='a.test'>",
    ],
    "LDAP": [
        b"0\x0c\2\1\1\x60\x07\2\1\3\4\0\x80\0",
        b"0\x84\0\0\0\x10\2\1\1\x60\x84\0\0\0\x07\2\1\3\4\0\x80\0",
        b"0\x1d\2\1\1w\x18\x80\x161.3.6.1.4.1.1466.20037",
    ],
    "PROXY": [
        b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n",
        b"PROXY UNKNOWN\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12),
    ],
}
SERVERS = {
    "HTTP": [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404 \r\n"],
    "Redis": [b"+PONG\r\n", b"-NOAUTH Authentication required.\r\n"],
    "PostgreSQL": [
        b"R\0\0\0\x08\0\0\0\0",
        b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0",
        b"E\0\0\0\x60SFATAL\0VFATAL\0C28000\0",
    ],
    "MySQL": [GREETING, b"\x5b\0\0\0\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\0" + bytes(60)],
    "SSH": [b"SSH-2.0-dropbear\r\n", b"SSH-1.99-x\r\n"],
    "SMTP": [b"220 mail.example.test ESMTP Postfix\r\n", b"220-a SMTP\r\n", b"220 a LMTP\r\n"],
    "IMAP": [b"* OK IMAP4rev1 ready\r\n", b"* PREAUTH hello\r\n"],
    "POP3": [b"+OK POP3 ready\r\n"],
    "Sieve": [b'"IMPLEMENTATION" "Dovecot"\r\n'],
    "XMPP": [b"<?xml version='1.0'?><stream:stream from='a.test'>"],
}
SAMPLES = [(name, data, "client") for name, all_of in CLIENTS.items() for data in all_of] + [
    (name, data, "server") for name, all_of in SERVERS.items() for data in all_of
]
