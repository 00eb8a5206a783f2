from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.http.heads import (
    LATER_REQUEST_LINE,
    LATER_STATUS_LINE,
    REQUEST_LINE,
    STATUS_LINE,
    read_fields,
)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"GET / HTTP/1.1\r\n", (b"GET", b"/", b"1.1")),
        (b"m-search * HTTP/1.0\n", (b"m-search", b"*", b"1.0")),
        (b"GET /\xc3\xa9 HTTP/1.1 \r\n", (b"GET", b"/\xc3\xa9", b"1.1")),
        (b"GET /\r\n", None),
        (b"GET  / HTTP/1.1\r\n", None),
        (b"GET /a b HTTP/1.1\r\n", None),
        (b"G(T / HTTP/1.1\r\n", None),
        (b"PRI * HTTP/2.0\r\n", None),
        (b"GET / HTTP/1.1", None),
    ],
)
def test_request_lines(line, parts):
    found = REQUEST_LINE.match(line)

    assert (found and found.groups()) == parts


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"HTTP/1.1 200 OK\r\n", (b"1.1", b"200", b"OK")),
        (b"HTTP/1.0 404 Not  Found \n", (b"1.0", b"404", b"Not  Found")),
        (b"HTTP/1.1 200\r\n", (b"1.1", b"200", None)),
        (b"HTTP/1.1 200 \r\n", (b"1.1", b"200", b"")),
        (b"HTTP/1.1 099 No\r\n", None),
        (b"HTTP/1.1 2000 No\r\n", None),
        (b"HTTP/2 200\r\n", None),
    ],
)
def test_status_lines(line, parts):
    found = STATUS_LINE.match(line)

    assert (found and found.groups()) == parts


LATER_LINES = [
    st.from_regex(line, fullmatch=True) for line in (LATER_REQUEST_LINE, LATER_STATUS_LINE)
]


@given(st.one_of(LATER_LINES))
def test_what_is_found_amid_other_bytes_is_a_first_line(line):
    assert REQUEST_LINE.fullmatch(line) or STATUS_LINE.fullmatch(line)


@pytest.mark.parametrize(
    ("block", "pairs"),
    [
        (b"\r\n", []),
        (b"\n", []),
        (b"A: b\r\nc:d \r\n\r\n", [(b"A", b"b"), (b"c", b"d")]),
        (b"A: b\n\tc\n\n", [(b"A", b"b\tc")]),
        (b"A:\r\nB: \x01\xff\r\n\r\n", [(b"A", b""), (b"B", b"\x01\xff")]),
        (
            b"Upgrade: h2c\r\nConnection: upgrade\r\n\r\n",
            [(b"Upgrade", b"h2c"), (b"Connection", b"upgrade")],
        ),
        (
            b"Content-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n",
            [(b"Content-Length", b"5"), (b"Transfer-Encoding", b"gzip")],
        ),
    ],
)
def test_fields(block, pairs):
    found = read_fields(block)

    assert found is not None
    assert found.pairs == pairs


@pytest.mark.parametrize(
    "block",
    [
        b"no colon\r\n\r\n",
        b": no name\r\n\r\n",
        b"A : b\r\n\r\n",
        b"A: b\r\n",
        b"",
        b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: x\r\n\r\n",
    ],
)
def test_what_has_a_flaw(block):
    assert read_fields(block, flawless=True) is None


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        (b"no colon", []),
        (b": no name", []),
        (b"A : b", []),
        (b"X@(y): z", []),
        (b"\xc3\xa9: b", []),
        (b"odd@:\r\n folded: away", []),
        (b"Content-Length: x\r\nB: c", [(b"Content-Length", b"x"), (b"B", b"c")]),
    ],
)
def test_of_fields_with_a_flaw_those_are_taken_that_make_sense(line, pairs):
    found = read_fields(b"Before: a \r\n\t b\r\n" + line + b"\r\nAfter: \xff\n\n")

    assert found is not None
    assert found.pairs == [(b"Before", b"a b"), *pairs, (b"After", b"\xff")]


@given(st.binary(max_size=200))
def test_any_bytes_are_fields_more_or_less(block):
    read_fields(block, flawless=True)
    assert read_fields(block) is not None
