from __future__ import annotations

import pytest

from scopetrace.protocols.http.long_head import MOST_LINE, LongHead
from scopetrace.protocols.http.messages import MOST_HEAD, Unreadable
from support.flow_reading import pieces


def read(head: bytes, every: int = 100) -> LongHead:
    """Return a head that has come in such pieces."""
    found = LongHead(5)
    for piece in pieces(head, range(every, len(head), every)):
        assert found.take(piece, 0) == len(piece)
    assert found.ended
    assert found.size == len(head)
    return found


@pytest.mark.parametrize("every", [1, 100, 100_000])
def test_a_request_line_is_cut_before_its_version(every):
    head = read(b"GET /" + b"x" * 30_000 + b" HTTP/1.1\r\nA: b\r\n\r\n", every)

    assert head.kept == b"GET /" + b"x" * (MOST_LINE - 5) + b" HTTP/1.1\r\nA: b\r\n\r\n"


@pytest.mark.parametrize("every", [1, 100, 100_000])
def test_a_reason_is_cut(every):
    head = read(b"HTTP/1.1 200 " + b"x" * 30_000 + b"\r\nA: b\n\n", every)

    assert head.kept == b"HTTP/1.1 200 " + b"x" * 987 + b"\r\nA: b\n\r\n"


@pytest.mark.parametrize("every", [7, 100_000])
def test_long_fields_are_forgotten_and_so_is_what_continues_them(every):
    long = b"B: " + b"x" * MOST_LINE + b"\r\n"
    head = read(b"GET / HTTP/1.1\r\nA: b\r\n c\r\n" + long + b" d\r\nC: d\r\n\r\n", every)

    assert head.kept == b"GET / HTTP/1.1\r\nA: b\r\n c\r\nC: d\r\n\r\n"


@pytest.mark.parametrize(("size", "is_kept"), [(MOST_LINE, True), (MOST_LINE + 1, False)])
@pytest.mark.parametrize("before", [b"", b"A: b\r\n"])
def test_a_field_is_kept_up_to_its_limit(before, size, is_kept):
    first, field = b"GET / HTTP/1.1\r\n", b"B: " + b"x" * (size - 5) + b"\r\n"
    head = read(first + before + field + b"\r\n")

    assert head.kept == first + before + field * is_kept + b"\r\n"


def test_the_length_of_the_body_is_kept_wherever_it_stands():
    many = b"A: b\r\n" * 20_000
    head = read(b"PUT / HTTP/1.1\r\n" + many + b"content-Length: 3\r\n" + many + b"\r\n")

    assert head.kept.endswith(b"A: b\r\ncontent-Length: 3\r\n\r\n")
    assert len(head.kept) < MOST_HEAD


def test_there_is_an_end_to_what_is_kept():
    head = LongHead(5)
    with pytest.raises(Unreadable, match="too long"):
        head.take(b"PUT / HTTP/1.1\r\n" + b"Content-Length: 3\r\n" * 4000, 0)
