from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.sources.text import is_binary, whole_characters


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text\r\n\tand \x1b[1mcolour\x1b[0m\f\v",
        "Grüße, 世界 🎉".encode(),
        "é".encode()[1:] + b" starts inside a character",
        b"ends inside one: " + "世".encode()[:2],
        b"x" * 256 + b"\0 is not looked at",
        b"x" * 255 + "世".encode(),
    ],
)
def test_text_is_text(data):
    assert not is_binary(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"text with \x07 a bell",
        b"\x7fELF",
        b"latin \xe9 one",
        b"\xff\xfe",
        b"x\x80\x80\x80y",
    ],
)
def test_what_is_no_text_is_binary(data):
    assert is_binary(data)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])), st.integers(0), st.integers(0))
def test_text_cut_anywhere_is_text(text, start, end):
    data = text.encode()
    length = len(data) or 1

    assert not is_binary(data[start % length :])
    assert not is_binary(data[: end % length])


@given(st.text(min_size=1), st.integers(0, 40))
def test_a_place_between_characters_is_found_just_before(text, end):
    data = text.encode("utf-8", "surrogatepass")
    end = min(end, len(data))

    place = whole_characters(data, end)

    assert end - 3 <= place <= end
    if place < end or place == len(data):
        data[:place].decode("utf-8", "surrogatepass")


def test_bytes_that_are_no_characters_are_cut_where_asked():
    assert whole_characters(b"\x80" * 20, 10) == 10
