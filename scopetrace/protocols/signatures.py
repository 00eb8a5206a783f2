"""Signatures: what the first bytes of a client or a server look like in each protocol.

A test is given the bytes of one direction so far and answers yes, no, or not yet. It errs towards
no: what is not surely a protocol is none. However the bytes are cut, the answer is the same but for
"not yet", and no test looks at more than `LONGEST` bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scopetrace.protocols import tls
from scopetrace.protocols.prefix_pattern import PrefixPattern

LONGEST = tls.LONGEST
"""Bytes of one direction that a test may ask for: a line of HTTP or a hello of TLS may be long."""

DNS_PORTS = frozenset({53, 5353, 5355})
"""DNS, multicast DNS (RFC 6762) and LLMNR (RFC 4795)."""

NETBIOS_PORT = 137
"""Its messages look like those of DNS (RFC 1002)."""

Verdict = bool | None
"""None: more bytes are needed."""


class FirstBytes(NamedTuple):
    """The first bytes of one direction of a flow, or one datagram."""

    data: bytes
    whole: bool
    """No more bytes will come, or it is a datagram."""
    port: int
    side: str
    """The role of the sender: client, server, or empty if it is not known."""
    other: bytes = b""
    """The first bytes of the other direction."""


Test = Callable[[FirstBytes], Verdict]


class Signature(NamedTuple):
    """How the first bytes of one protocol look."""

    name: str
    is_stream: bool
    """Over streams, or else in datagrams."""
    client: Test
    """Whether a client would begin so."""
    server: Test
    """Whether a server would begin so."""

    def test(self, first: FirstBytes) -> Verdict:
        """Return whether a direction begins in this protocol."""
        if first.side:
            verdict = self.client(first) if first.side == "client" else self.server(first)
        else:
            verdict = either(self.client(first), self.server(first))
        return False if verdict is None and first.whole else verdict


def either(*verdicts: Verdict) -> Verdict:
    """Return yes if any is, no if all are, and else None."""
    if True in verdicts:
        return True
    return None if None in verdicts else False


def never(first: FirstBytes) -> Verdict:
    """Return no: this side has no signature."""
    return False


def any_of(*patterns: bytes) -> Test:
    """Return a test for bytes that begin as any of these patterns says (see `PrefixPattern`)."""
    compiled = [PrefixPattern(pattern) for pattern in patterns]

    def test(first: FirstBytes) -> Verdict:
        verdict = either(*(pattern.matches(first.data[:LONGEST]) for pattern in compiled))
        return False if verdict is None and len(first.data) >= LONGEST else verdict

    return test


# RFC 9112, sections 3 and 4: a request line, after an empty line at most, however long its target
# is, or a status line; and RFC 9113, section 3.4.
_http_client = any_of(
    rb"\r{0,1}\n{0,1}[A-Z][A-Z-]{0,23} [!-\xff]{1,8100} HTTP/1\.[01]\r{0,1}\n",
    rb"[A-Z][A-Z-]{0,23} /[!-\xff]{8000}",
    rb"[A-Z][A-Z-]{0,23} https{0,1}://[!-\xff]{8000}",
    rb"PRI \* HTTP/2\.0\r\n\r\nSM\r\n\r\n",
)
_http_server = any_of(rb"HTTP/1\.[01] [1-5][0-9]{2}[ \r\n]")


def _tls_client(first: FirstBytes) -> Verdict:
    return either(_hello(first, tls.CLIENT_HELLO), tls.begins_old_hello(first.data))


def _tls_server(first: FirstBytes) -> Verdict:
    return _hello(first, tls.SERVER_HELLO)


def _hello(first: FirstBytes, kind: int) -> Verdict:
    """Look for a hello, and wait for all of it: its fields are wanted, too."""
    begins = tls.begins_hello(first.data, kind)
    return None if begins and is_growing_hello(first) else begins


def is_growing_hello(first: FirstBytes) -> bool:
    """Return whether more of a message of TLS is still to come."""
    return not (first.whole or len(first.data) >= LONGEST or tls.is_whole(first.data))


_ssh = any_of(rb"SSH-2\.0-", rb"SSH-1\.99-")  # RFC 4253, section 4.2

# RFC 5321, sections 4.1.1.1 and 4.2, and RFC 2033. Other protocols greet with 220 too.
_smtp_client = any_of(
    rb"[EeLl][Hh][Ll][Oo] [!-~]{1,255}\r{0,1}\n", rb"[Hh][Ee][Ll][Oo] [!-~]{1,255}\r\n"
)
_smtp_server = any_of(
    rb"220[ -][!-~]{1,255} E{0,1}SMTP[ \r\n]", rb"220[ -][!-~]{1,255} LMTP[ \r\n]"
)

# Other protocols of mail: RFC 3501, RFC 1939, RFC 5804. Redis says +OK too, but no more after it.
_imap_client = any_of(
    rb"[A-Za-z0-9.]{1,20} CAPABILITY\r\n",
    rb"[A-Za-z0-9.]{1,20} STARTTLS\r\n",
    rb"[A-Za-z0-9.]{1,20} LOGIN [!-~]",
    rb"[A-Za-z0-9.]{1,20} AUTHENTICATE [A-Z]",
)
_imap_server = any_of(rb"\* OK[ \r]", rb"\* PREAUTH ")
_pop3_client = any_of(rb"STLS\r\n", rb"CAPA\r\n")
_pop3_server = any_of(rb"\+OK [!-~]")
_sieve_server = any_of(rb"\x22IMPLEMENTATION\x22 \x22")
_ftp_client = any_of(rb"AUTH TLS\r\n", rb"AUTH SSL\r\n")  # RFC 4217

# RFC 6120, section 4.2.
_xmpp = any_of(rb"<stream:stream ", rb"<\?xml [^>]{1,100}>[ \r\n]{0,4}<stream:stream ")

# RFC 4511: a message with a bind of version 2 or 3, or with an extended request. The lengths of BER
# are one byte, or as many as implementations write.
_ldap_client = any_of(
    *(
        rb"0%b\x02[\x01-\x04][\x00-\x7f]{1,4}%b" % (length, operation)
        for length in (rb"[\x05-\x7f]", rb"\x81.", rb"\x82..", rb"\x84....")
        for operation in (
            rb"\x60[\x00-\x7f]\x02\x01[\x02\x03]\x04",
            rb"\x60\x84....\x02\x01[\x02\x03]\x04",
            rb"\x77[\x00-\x7f]\x80[\x00-\x7f][0-9]\.[0-9]",
            rb"\x77\x84....\x80[\x00-\x7f][0-9]\.[0-9]",
        )
    )
)

# Before the true protocol: the header of a proxy (the PROXY protocol, versions 1 and 2), and what
# asks one for a connection (SOCKS 4 and RFC 1928), which is known by its answer only.
_proxy_client = any_of(
    rb"PROXY TCP[46] [0-9a-fA-F:.]{2,45} [0-9a-fA-F:.]{2,45} [0-9]{1,5} [0-9]{1,5}\r\n",
    rb"PROXY UNKNOWN[ -~]{0,90}\r\n",
    rb"\r\n\r\n\x00\r\nQUIT\n[\x20\x21][\x00\x11\x12\x21\x22\x31\x32]",
)
_SOCKS4, _SOCKS5 = 4, 5
_SOCKS4_HEADER, _SOCKS4_ANSWER = 9, 8
_MOST_METHODS, _REFUSED = 9, 0xFF


def _socks_client(first: FirstBytes) -> Verdict:
    if first.data[0] == _SOCKS4:
        return _socks4(first.data, first.other)
    return _socks5(first.data, first.other) if first.data[0] == _SOCKS5 else False


def _socks4(data: bytes, answer: bytes) -> Verdict:
    if data[1:2] not in (b"", b"\1", b"\2"):
        return False
    if answer and (answer[0] or (len(answer) > 1 and not 90 <= answer[1] <= 93)):
        return False
    whole = len(data) >= _SOCKS4_HEADER and len(answer) >= _SOCKS4_ANSWER
    return True if whole else None


def _socks5(data: bytes, answer: bytes) -> Verdict:
    if data[1:2] > bytes((_MOST_METHODS,)) or data[1:2] == b"\0":
        return False
    if answer[:1] not in (b"", b"\5"):
        return False
    if len(data) < 2 or len(data) < 2 + data[1] or len(answer) < 2:
        return None
    return answer[1] == _REFUSED or answer[1] in data[2 : 2 + data[1]]


_redis_client = any_of(rb"\*[1-9][0-9]{0,6}\r\n\$[1-9][0-9]{0,8}\r\n[A-Za-z]")
_redis_server = any_of(
    rb"\+PONG\r\n",
    rb"-NOAUTH ",
    rb"-WRONGPASS ",
    rb"-DENIED Redis",
    rb"-LOADING Redis",
    rb"-ERR unknown command",
    rb"%[1-9][0-9]{0,2}\r\n\$6\r\nserver\r\n",
)

# StartupMessage, SSLRequest, GSSENCRequest, CancelRequest; Authentication… and ErrorResponse.
_postgresql_client = any_of(
    rb"\x00\x00[\x00-\x27].\x00\x03[\x00\x27].[a-z_]",
    rb"\x00\x00\x00\x08\x04\xd2\x16[\x2f\x30]",
    rb"\x00\x00\x00\x10\x04\xd2\x16\x2e",
)
_postgresql_server = any_of(
    rb"R\x00\x00\x00\x08\x00\x00\x00[\x00\x02\x03\x07\x09]",
    rb"R\x00\x00\x00\x0c\x00\x00\x00\x05",
    rb"R\x00\x00\x00[\x0b-\xff]\x00\x00\x00\x0a[A-Z]{5}",
    rb"E\x00\x00..S[A-Z]{5}\x00[A-Z]",
)

# The initial handshake, version 10.
_mysql_server = any_of(
    rb"[\x1e-\xff]\x00\x00\x00\x0a[0-9]{1,2}\.[0-9]{1,3}\.[!-~]{1,80}\x00.{12}\x00"
)

# PRELOGIN of SQL Server (MS-TDS, section 2.2.6.5): its header, and VERSION, the first option.
_tds_client = any_of(rb"\x12\x01\x00[\x14-\xff]\x00\x00[\x00\x01]\x00\x00\x00[\x06-\x60]\x00\x06")

# OP_MSG, OP_QUERY, and OP_COMPRESSED of either: length below 48 MB, two ids, code.
_mongodb_client = any_of(
    rb".{3}[\x00-\x02].{8}\xdd\x07\x00\x00[\x00-\x03]\x00[\x00\x01]\x00\x00.{3}[\x00-\x02]"
    rb"[\x01-\x13][A-Za-z$_]",
    rb".{3}[\x00-\x02].{8}\xd4\x07\x00\x00.\x00\x00\x00[A-Za-z0-9_-]{1,64}\.[$a-z]",
    rb".{3}[\x00-\x02].{8}\xdc\x07\x00\x00[\xd4\xdd]\x07\x00\x00.{3}[\x00-\x02][\x00-\x03]",
)

# Protocol headers of 0-9-1, 0-9, 0-8, 0-10, and of 1.0 bare, within TLS and with SASL.
_amqp_client = any_of(
    rb"AMQP\x00\x00\x09\x01",
    rb"AMQP\x01\x01\x00[\x09\x0a]",
    rb"AMQP\x01\x01\x08\x00",
    rb"AMQP[\x00\x02\x03]\x01\x00\x00",
)

_KAFKA_HEADER = 14
_KAFKA_KEYS = 92
_KAFKA_VERSIONS = 20
_MOST_IN_KAFKA = 100 * 2**20


def _kafka_client(first: FirstBytes) -> Verdict:
    """Look for a request header: size, key and version of the API, correlation id, client id."""
    data = first.data
    for place, most in enumerate((_MOST_IN_KAFKA >> 24, 255, 255, 255, 0, _KAFKA_KEYS, 0)):
        if place < len(data) and data[place] > most:
            return False
    if len(data) < _KAFKA_HEADER:
        return None
    size, version, named = (
        int.from_bytes(data[at:end], "big") for at, end in ((0, 4), (6, 8), (12, 14))
    )
    if not (version <= _KAFKA_VERSIONS and 0 < named <= 255 and 10 + named <= size):
        return False
    client = data[_KAFKA_HEADER : _KAFKA_HEADER + named]
    if not all(0x21 <= byte <= 0x7E for byte in client):
        return False
    return True if len(client) == named else None


_statsd_line = any_of(
    rb"[!-9;-?A-{}~\x80-\xff]{1,200}:[0-9.+-][0-9.:+eE-]{0,200}\|[cghd][|\n\r]",
    rb"[!-9;-?A-{}~\x80-\xff]{1,200}:[0-9.+-][0-9.:+eE-]{0,200}\|ms[|\n\r]",
    rb"[!-9;-?A-{}~\x80-\xff]{1,200}:[!-{}~\x80-\xff]{1,200}\|s[|\n\r]",
    rb"_e\{[0-9]{1,6},[0-9]{1,6}\}:",
    rb"_sc\|[!-{}~]{1,200}\|[0-3][|\n\r]",
)


def _statsd_client(first: FirstBytes) -> Verdict:
    return _statsd_line(first._replace(data=first.data + b"\n") if first.whole else first)


_DNS_HEADER = 12
_MOST_IN_QUERY = 4096
_MOST_MESSAGES = 8
"""Of a stream, among which there is a query."""


def _dns_datagram(first: FirstBytes) -> Verdict:
    return _is_dns(first.data, first.port)


def _dns_client(first: FirstBytes) -> Verdict:
    """Look for a query after its length (RFC 1035, section 4.2.2)."""
    if first.port in DNS_PORTS:
        return _dns_among_others(first)
    size = int.from_bytes(first.data[:2], "big")
    if len(first.data) < 2 + _DNS_HEADER:
        return None if len(first.data) < 2 or _DNS_HEADER < size <= _MOST_IN_QUERY else False
    if not _DNS_HEADER < size <= _MOST_IN_QUERY or first.data[4] & 0x80:
        return False
    message = first.data[2 : 2 + size]
    if not _may_be_dns(message, first.port):
        return False
    return _is_dns(message, first.port) if len(message) == size else None


def _dns_among_others(first: FirstBytes) -> Verdict:
    """Look for a query where one is expected, also after messages that are none."""
    data, at = first.data[:LONGEST], 0
    for _ in range(_MOST_MESSAGES):
        begin = at + 2
        at = begin + int.from_bytes(data[at:begin], "big")
        if max(begin, at) > len(data):
            return False if max(len(data), at) >= LONGEST else None
        message = data[begin:at]
        if len(message) > _DNS_HEADER and not message[2] & 0x80 and _is_dns(message, first.port):
            return True
    return False


def _is_dns(message: bytes, port: int) -> bool:
    """Return whether a message is one of DNS, down to its last byte where none is expected."""
    if not _may_be_dns(message, port):
        return False
    # Takes time to import, which only flows that look like DNS should cost.
    from scopetrace.protocols.dns.message import is_plain, read_message

    found = read_message(message)
    return found is not None and (port in DNS_PORTS or is_plain(found))


def _may_be_dns(message: bytes, port: int) -> bool:
    """Return whether a header makes sense: the operation, the unused bit, how many of each."""
    if len(message) < _DNS_HEADER or port == NETBIOS_PORT:
        return False
    operation = message[2] >> 3 & 15
    questions, answers, authorities, more = (
        int.from_bytes(message[at : at + 2], "big") for at in range(4, 12, 2)
    )
    if port in DNS_PORTS:
        return operation <= 6 and questions + answers + authorities > 0
    if operation or message[3] & 0x40 or questions != 1:
        return False
    is_answer = message[2] & 0x80
    return bool(is_answer) or not (answers or authorities or more > 2)


SIGNATURES = (
    Signature("HTTP", True, _http_client, _http_server),
    Signature("TLS", True, _tls_client, _tls_server),
    Signature("DNS", False, _dns_datagram, _dns_datagram),
    Signature("DNS", True, _dns_client, never),
    Signature("STATSD", False, _statsd_client, never),
    Signature("STATSD", True, _statsd_client, never),
    Signature("Redis", True, _redis_client, _redis_server),
    Signature("PostgreSQL", True, _postgresql_client, _postgresql_server),
    Signature("MySQL", True, never, _mysql_server),
    Signature("TDS", True, _tds_client, never),
    Signature("MongoDB", True, _mongodb_client, never),
    Signature("AMQP", True, _amqp_client, never),
    Signature("Kafka", True, _kafka_client, never),
    Signature("SSH", True, _ssh, _ssh),
    Signature("SMTP", True, _smtp_client, _smtp_server),
    Signature("IMAP", True, _imap_client, _imap_server),
    Signature("POP3", True, _pop3_client, _pop3_server),
    Signature("Sieve", True, never, _sieve_server),
    Signature("FTP", True, _ftp_client, never),
    Signature("XMPP", True, _xmpp, _xmpp),
    Signature("LDAP", True, _ldap_client, never),
    Signature("PROXY", True, _proxy_client, never),
    Signature("SOCKS", True, _socks_client, never),
)
"""The protocols that are known without being configured. No two look alike."""
