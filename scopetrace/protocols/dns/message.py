r"""Messages of DNS, read: names as text, records as plain data (RFC 1035, section 4).

dnslib knows the types of records. Names are read here: they hold any bytes, may not be longer than
255 of them whatever a message does with pointers, and are written as in a zone file, without the
last dot. Importing this takes time (dnslib), so import it when there is a message to read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from socket import AF_INET6, inet_ntop
from typing import NamedTuple

from dnslib import (
    CAA,
    CLASS,
    OPCODE,
    QTYPE,
    RCODE,
    RD,
    RDMAP,
    TXT,
    DNSBuffer,
    DNSError,
    DNSLabel,
)

MOST_IN_NAME = 255
MOST_IN_LABEL = 63
MOST_POINTERS = 127
"""In one name: as many as it could have labels."""
POINTER = 0xC0

MORE_RCODES = {16: "BADVERS", 23: "BADCOOKIE"}
"""Those that need the extension (RFC 6891, RFC 7873)."""

CLASSES = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
"""RFC 6895, section 3.2."""

ERRORS = dict(
    enumerate((
        "Other Error", "Unsupported DNSKEY Algorithm", "Unsupported DS Digest Type", "Stale Answer",
        "Forged Answer", "DNSSEC Indeterminate", "DNSSEC Bogus", "Signature Expired",
        "Signature Not Yet Valid", "DNSKEY Missing", "RRSIGs Missing", "No Zone Key Bit Set",
        "NSEC Missing", "Cached Error", "Not Ready", "Blocked", "Censored", "Filtered",
        "Prohibited", "Stale NXDOMAIN Answer", "Not Authoritative", "Not Supported",
        "No Reachable Authority", "Network Error", "Invalid Data", "Signature Expired before Valid",
        "Too Early", "Unsupported NSEC3 Iterations Value", "Unable to conform to policy",
        "Synthesized",
    ))
)  # fmt: skip
"""Codes of extended errors (RFC 8914, and IANA's registry of them)."""

_OPT, _OPTION_HEADER = 41, 4
_EXTENDED_ERROR, _CODE = 15, 2
_AAAA = 28
_NAMES = (2, 5, 12, 39)
"""NS, CNAME, PTR, DNAME: records whose data is a name."""

_SPECIAL = re.compile(rb"[^!-~]|[.\\\"();@$]")
_SPECIAL_IN_QUOTES = re.compile(rb"[^ -~]|[\\\"]")


class Question(NamedTuple):
    """What is asked."""

    name: str
    type: str
    """A, AAAA, MX…; TYPE65280 if it has no name."""
    dns_class: str
    """Its class: IN, CH, HS…; CLASS65280 if it has no name (RFC 3597)."""
    known: bool
    """Type and class are ones that dnslib has names for."""


class Record(NamedTuple):
    """One record of an answer."""

    name: str
    type: str
    dns_class: str
    ttl: int
    data: str
    """As in a zone file; a name is without its last dot."""


class ExtendedError(NamedTuple):
    """Why an answer is as it is, besides its rcode (RFC 8914)."""

    code: int
    name: str
    """Empty if the code has none."""
    text: str


class Message(NamedTuple):
    """One message."""

    id: int
    is_answer: bool
    operation: str
    """QUERY, NOTIFY, UPDATE…"""
    truncated: bool
    """Not all of the answer fits (TC)."""
    rcode: str
    """NOERROR, NXDOMAIN…"""
    questions: tuple[Question, ...]
    answers: tuple[Record, ...]
    rest: int
    """Bytes after the last record."""
    errors: tuple[ExtendedError, ...] = ()


def read_message(data: bytes) -> Message | None:
    """Return the message that `data` is; None: it is none."""
    buffer = _Names(data)
    try:
        return _message(buffer)
    except (DNSError, ValueError):
        return None


def is_plain(message: Message) -> bool:
    """Return whether a message is one that a stub resolver or its server would send."""
    return (
        message.rest == 0
        and message.operation == "QUERY"
        and len(message.questions) == 1
        and message.questions[0].known
    )


class _Tail(NamedTuple):
    """What a name goes on with from one place of a message."""

    labels: tuple[bytes, ...]
    size: int
    """In bytes, with the length of each label."""
    jumps: int


class _Names(DNSBuffer):  # type: ignore[misc]
    """A buffer that reads names strictly; also those within records, for dnslib.

    The names of a message may all lead through the same pointers. So what is behind a pointer is
    read once, and each name is made text once.
    """

    offset: int

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._tails: dict[int, _Tail] = {}
        self._texts: dict[tuple[bytes, ...], str] = {}

    def get(self, length: int) -> bytes:
        if length > self.remaining():
            raise ValueError("cut short")
        return super().get(length)  # type: ignore[no-any-return]

    def decode_name(self, last: int = -1) -> DNSLabel:
        """Read a name; pointers lead backwards only (RFC 1035, section 4.1.4)."""
        return DNSLabel(list(self._labels()))

    def name(self) -> str:
        """Read a name as text."""
        labels = self._labels()
        text = self._texts.get(labels)
        if text is None:
            text = self._texts[labels] = text_of(labels)
        return text

    def _labels(self) -> tuple[bytes, ...]:
        """Read the labels of a name, and remember what is behind its pointers."""
        labels: list[bytes] = []
        size, after, earliest = 1, 0, self.offset
        jumped: list[tuple[int, int, int]] = []
        tail = _Tail((), 0, 0)
        while length := self.get(1)[0]:
            if length < POINTER:
                size += 1 + length
                _check_size(length, size)
                labels.append(self.get(length))
                continue
            target = (length - POINTER) << 8 | self.get(1)[0]
            after = after or self.offset
            if target >= earliest or len(jumped) == MOST_POINTERS:
                raise ValueError("a pointer that leads nowhere")
            self.offset = earliest = target
            jumped.append((target, len(labels), size))
            if target in self._tails:
                tail = self._tails[target]
                break
        whole, size = (*labels, *tail.labels), size + tail.size
        if len(jumped) + tail.jumps > MOST_POINTERS:
            raise ValueError("a pointer that leads nowhere")
        _check_size(0, size)
        for nth, (target, begin, before) in enumerate(jumped):
            jumps = len(jumped) - 1 - nth + tail.jumps
            self._tails[target] = _Tail(whole[begin:], size - before, jumps)
        self.offset = after or self.offset
        return whole


def _check_size(label: int, name: int) -> None:
    """Refuse a label, or a name up to there, that is longer than the standard lets it be."""
    if label > MOST_IN_LABEL or name > MOST_IN_NAME:
        raise ValueError("a name that is too long")


def _message(buffer: _Names) -> Message:
    serial, flags, *counts = buffer.unpack("!HHHHHH")
    questions = tuple(_question(buffer) for _ in range(counts[0]))
    answers = tuple(_record(buffer) for _ in range(counts[1]))
    rcode, errors = flags & 0x0F, []
    for _ in range(counts[2] + counts[3]):
        upper, found = _read_extension(buffer)
        rcode |= upper
        errors += found
    return Message(
        serial,
        bool(flags & 0x8000),
        OPCODE.get(flags >> 11 & 0x0F),
        bool(flags & 0x0200),
        MORE_RCODES.get(rcode) or RCODE.get(rcode),
        questions,
        answers,
        buffer.remaining(),
        tuple(errors),
    )


def _question(buffer: _Names) -> Question:
    name = buffer.name()
    kind, family = buffer.unpack("!HH")
    known = kind in QTYPE.forward and family in CLASS.forward
    return Question(name, QTYPE[kind], _class_name(family), known)


def _class_name(family: int) -> str:
    """Return the name of a class; in multicast, its highest bit means something else.

    It asks for an answer to the asker alone, or says that a record replaces all others (RFC 6762,
    sections 5.4 and 10.2).
    """
    family &= 0x7FFF
    return CLASSES.get(family) or f"CLASS{family}"


def _record(buffer: _Names) -> Record:
    name = buffer.name()
    kind, family, ttl, size = buffer.unpack("!HHIH")
    begin = buffer.offset
    raw = buffer.get(size)
    data = _data(buffer, kind, begin, raw)
    buffer.offset = begin + size
    return Record(name, QTYPE[kind], _class_name(family), ttl, data)


def _read_extension(buffer: _Names) -> tuple[int, list[ExtendedError]]:
    """Return the upper bits of the rcode, and errors, if a record has them (RFC 6891, 6.1)."""
    buffer.name()
    kind, _, ttl, size = buffer.unpack("!HHIH")
    data = buffer.get(size)
    return (ttl >> 24 << 4, list(_errors(data))) if kind == _OPT else (0, [])


def _errors(options: bytes) -> Iterator[ExtendedError]:
    at = 0
    while at + _OPTION_HEADER <= len(options):
        option, size = struct.unpack_from(">HH", options, at)
        data = options[at + _OPTION_HEADER : at + _OPTION_HEADER + size]
        at += _OPTION_HEADER + size
        if option == _EXTENDED_ERROR and len(data) >= _CODE:
            code, text = int.from_bytes(data[:_CODE], "big"), data[_CODE:].rstrip(b"\0")
            yield ExtendedError(
                code, ERRORS.get(code, ""), text.decode("utf-8", "backslashreplace")
            )


def _data(buffer: _Names, kind: int, begin: int, raw: bytes) -> str:
    """Return the data of a record as text; in hexadecimal digits if its type is not known."""
    if kind == _AAAA and len(raw) == 16:
        return inet_ntop(AF_INET6, raw)
    reader = RDMAP.get(QTYPE.get(kind))
    buffer.offset = begin
    with suppress(Exception):  # whatever comes of data that is not what its type demands
        text = buffer.name() if kind in _NAMES else _zone(reader.parse(buffer, len(raw)))
        if buffer.offset == begin + len(raw):
            return str(text)
    return f"\\# {len(raw)} {raw.hex()}".rstrip()


def _zone(data: RD) -> str:
    """Return data as in a zone file; strings are written here, as dnslib makes others of them."""
    if isinstance(data, TXT):
        return " ".join(map(_quoted, data.data))
    if isinstance(data, CAA):
        return f"{data.flags} {data.tag} {_quoted(data.value.encode())}"
    return str(data.toZone())


def _quoted(string: bytes) -> str:
    """Return a string that means its bytes alone (RFC 1035, section 5.1)."""
    return '"' + _SPECIAL_IN_QUOTES.sub(_escape, string).decode("ascii") + '"'


def text_of(labels: tuple[bytes, ...]) -> str:
    r"""Return a name as text; bytes that do not stand for themselves are escaped (RFC 4343)."""
    return ".".join(_SPECIAL.sub(_escape, label).decode("ascii") for label in labels) or "."


def _escape(found: re.Match[bytes]) -> bytes:
    byte = found[0]
    return b"\\" + byte if b"!" <= byte <= b"~" else b"\\%03d" % byte[0]
