from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.http.bodies import Chunked, Fixed, UntilEnd
from scopetrace.protocols.http.messages import Unreadable


def test_a_fixed_body_takes_no_more_than_its_length():
    body = Fixed(5)

    assert body.take(b"xxabc", 2) == 5
    assert not body.ended
    assert body.take(b"defg", 0) == 2
    assert (body.ended, body.counted) == (True, 5)


def test_a_fixed_body_skips_no_more_than_its_length():
    body = Fixed(5)

    assert not body.skip(6)
    assert body.skip(4)
    assert (body.ended, body.counted) == (False, 4)
    assert body.skip(1)
    assert body.ended


def test_a_body_without_end_takes_and_skips_all():
    body = UntilEnd()

    assert body.take(b"abc", 1) == 3
    assert body.skip(1000)
    assert (body.ended, body.counted) == (False, 1002)


def test_chunks_end_after_their_trailer():
    data = b"3\r\nabc\r\n0A ; x=y\n0123456789\n0\r\nA: b\r\n\r\nnext"
    body = Chunked()

    assert data[body.take(data, 0) :] == b"next"
    assert (body.ended, body.counted) == (True, 13)


def test_missing_bytes_of_a_chunk_are_counted_and_no_others():
    body = Chunked()
    body.take(b"A\r\nab", 0)

    assert not body.skip(9)
    assert body.skip(8)
    assert not body.skip(1)
    body.take(b"\r\n0\r\n\r\n", 0)
    assert (body.ended, body.counted) == (True, 10)


def test_the_rest_of_a_chunk_may_be_missing_with_its_line_end():
    body = Chunked()
    assert not body.skip(2)
    body.take(b"A\r\nab", 0)

    assert not body.skip(11)
    assert body.skip(10)
    body.take(b"1\r\nx\r\n0\r\n\r\n", 0)
    assert (body.ended, body.counted) == (True, 11)


@pytest.mark.parametrize("size", [b"", b"-1", b"0x1", b"1_0", b"+1", b"1 1", b"\xb2", b"f" * 16])
def test_a_size_is_hexadecimal(size):
    with pytest.raises(Unreadable):
        Chunked().take(size + b"\r\n", 0)


@given(st.lists(st.binary(min_size=1, max_size=300)), st.lists(st.integers(0, 2000)), st.binary())
def test_any_chunks_cut_anywhere_are_counted(chunks, cuts, rest):
    stream = b"".join(b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    marks = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    body = Chunked()
    for start, end in pairwise(marks):
        part = stream[start:end]
        assert body.take(part + (rest if end == len(stream) else b""), 0) == len(part)
        if body.ended:
            break

    assert (body.ended, body.counted) == (True, sum(map(len, chunks)))
