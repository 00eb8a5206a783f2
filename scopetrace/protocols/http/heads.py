"""The head of an HTTP/1 message: its first line, and the fields under it.

First lines are matched here, with RFC 9112's own rule names, since llhttp knows only some of the
methods. Fields are parsed by llhttp, set to be as lenient as servers and clients are: what a client
and a server accept from each other is to be read here, too. If llhttp still refuses a head, those
of its fields that make sense are taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from scopetrace.protocols.http.headers import Headers

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}"
_VERSION = rb"HTTP/(1\.[0-9])"
_END = rb"[ \t]*+\r?\n"
_REASON = rb"(?: ([^\r\n]{0,1024}?))?"
_KNOWN = rb"GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH"

REQUEST_LINE = re.compile(rb"(%b) ([^\x00- \x7f]+) %b%b" % (_TOKEN, _VERSION, _END))
"""method SP request-target SP HTTP-version (RFC 9112, 3)."""
STATUS_LINE = re.compile(rb"%b ([1-9][0-9][0-9])%b%b" % (_VERSION, _REASON, _END))
"""HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112, 4)."""

LATER_REQUEST_LINE = re.compile(
    rb"(?m)^(?:%b) [^\x00- \x7f]{1,8192} %b%b" % (_KNOWN, _VERSION, rb"\r?\n")
)
"""One after bytes that are not known: of the methods of RFC 9110, and of no odd length."""
BEGUN_REQUEST_LINE = re.compile(rb"[A-Z]{1,7}(?: [^\x00- \x7f]{0,8192}(?: [HTP/1.0-9]{0,8}\r?)?)?")
"""What may become one with more bytes."""
LATER_STATUS_LINE = re.compile(
    rb"(?m)^%b [1-9][0-9][0-9](?: [^\r\n]{0,1024})?%b" % (_VERSION, rb"\r?\n")
)

LONG_REQUEST_LINE = re.compile(rb"%b [^\x00- \x7f]{8000}" % _TOKEN)
"""The beginning of one that is longer than any that is read."""
LONG_STATUS_LINE = re.compile(rb"%b [1-9][0-9][0-9] " % _VERSION)

HEAD_END = re.compile(rb"\n\r?\n")
"""The end of the last line and the empty line; a bare LF ends a line, too (RFC 9112, 2.2)."""
BLANK = re.compile(rb"[\r\n]*")
"""What is ignored before a message (RFC 9112, 2.2)."""

_LINE = re.compile(rb"[^\n]*(?:\n[ \t][^\n]*)*\n")
"""A field with the lines that continue it (obs-fold, RFC 9112, 5.2)."""
_NAME = re.compile(_TOKEN)

_FIRST_LINE = b"GET / HTTP/1.1\r\n"
"""Given to llhttp in place of the true one."""


Pairs = list[tuple[bytes, bytes]]


class _Fields:
    """The callbacks of llhttp."""

    __slots__ = ("complete", "pairs")

    def __init__(self) -> None:
        self.pairs: Pairs = []
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field."""
        self.pairs.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Take the empty line."""
        self.complete = True


MOST_REMEMBERED, LONGEST_REMEMBERED = 256, 4096
"""Heads that are remembered of each kind, and the bytes that one of them may have."""


class Head(NamedTuple):
    """A whole head, as it was read."""

    start: re.Match[bytes]
    """Its first line."""
    headers: Headers


@cache
def head_reader(first_line: re.Pattern[bytes]) -> Callable[[bytes], Head | None]:
    """Return what reads whole heads that begin with such a line; None: this one does not.

    Programs send the same heads over and over: so it remembers those that it has read.
    """
    return lru_cache(maxsize=MOST_REMEMBERED)(partial(_read_head, first_line))


def _read_head(first_line: re.Pattern[bytes], head: bytes) -> Head | None:
    start = first_line.match(head)
    headers = read_fields(head[start.end() :]) if start else None
    return Head(start, headers) if start and headers else None


def read_fields(block: bytes | bytearray, *, flawless: bool = False) -> Headers | None:
    """Return the fields of a head, given without its first line and with its empty one.

    Fields that make no sense are left out; if `flawless` is asked for, None is returned for them.
    """
    pairs = _parsed(block)
    if pairs is None and not flawless:
        pairs = _sensible(block)
    return None if pairs is None else Headers(pairs)


def _parsed(block: bytes | bytearray) -> Pairs | None:
    fields = _Fields()
    parser = HttpRequestParser(fields)
    parser.set_dangerous_leniencies(
        lenient_headers=True,
        lenient_chunked_length=True,
        lenient_transfer_encoding=True,
        lenient_optional_cr_before_lf=True,
    )
    try:
        parser.feed_data(_FIRST_LINE + block)
    except HttpParserUpgrade:
        pass
    except HttpParserError:
        return None
    return fields.pairs if fields.complete else None


def _sensible(block: bytes | bytearray) -> Pairs:
    parted = (bytes(line).partition(b":") for line in _LINE.findall(block))
    return [
        (name, b" ".join(part.strip() for part in value.strip().split(b"\n")))
        for name, colon, value in parted
        if colon and _NAME.fullmatch(name)
    ]
