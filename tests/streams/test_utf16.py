from __future__ import annotations

import random
from codecs import BOM_UTF16_BE, BOM_UTF16_LE

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.streams.utf16 import Utf16Reader, read_utf16


def is_wide(character: str) -> bool:
    """Whether a character has a byte that no printable ASCII has, as nearly all have."""
    return any(byte == 0 or byte >= 0x80 for byte in character.encode("utf-16-le"))


CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\ufffd"
).filter(is_wide)
"""U+FFFD stands for what is no UTF-16, so a text that is made of it is none."""


@pytest.mark.parametrize(
    ("mark", "order"), [(BOM_UTF16_LE, "utf-16-le"), (BOM_UTF16_BE, "utf-16-be")]
)
def test_a_mark_says_that_text_is_utf16(mark, order):
    reader, text = read_utf16(None, mark + "größer\n".encode(order))

    assert text.decode() == "größer\n"
    assert reader is not None
    assert reader.order == order
    assert read_utf16(reader, "世界\n".encode(order)) == (reader, "世界\n".encode())


def test_without_a_mark_nothing_is_utf16():
    data = "größer\n".encode("utf-16-le")

    assert read_utf16(None, data) == (None, data)


def test_a_mark_before_what_is_no_text_does_not_count():
    data = BOM_UTF16_LE + random.Random(1).randbytes(4000)

    assert read_utf16(None, data) == (None, data)


@pytest.mark.parametrize("data", [b"ok 4\n", b"even ok\n", b"nul\0\n", b"\xe9t\xe9 \n"])
def test_other_text_amid_utf16_is_as_it_is(data):
    reader = Utf16Reader("utf-16-le")

    assert read_utf16(reader, data) == (reader, data)
    assert read_utf16(reader, "on\n".encode("utf-16-le")) == (reader, b"on\n")


def test_a_new_mark_begins_a_new_text():
    reader, _ = read_utf16(None, BOM_UTF16_LE + b"\0")

    reader, text = read_utf16(reader, BOM_UTF16_BE + "x\n".encode("utf-16-be"))

    assert text == b"x\n"


@given(st.text(CHARACTERS), st.lists(st.integers(1, 9), min_size=1))
def test_utf16_is_read_however_it_is_cut(text, sizes):
    data, reader, found, turn = text.encode("utf-16-le"), Utf16Reader("utf-16-le"), b"", 0
    while data:
        size = 2 * sizes[turn % len(sizes)]
        found += reader.read(data[:size]) or b""
        data, turn = data[size:], turn + 1

    assert found.decode() == text


@pytest.mark.parametrize("size", [3, 5, 7])
def test_utf16_of_ascii_is_read_if_it_is_cut_inside_a_pair_too(size):
    text, reader = "one\nline two 🎉\n", Utf16Reader("utf-16-le")
    data = text.encode("utf-16-le")
    pieces = [data[at : at + size] for at in range(0, len(data), size)]

    assert b"".join(read_utf16(reader, piece)[1] for piece in pieces).decode() == text


def test_a_character_cut_in_two_waits():
    reader, text = read_utf16(None, "a🎉".encode("utf-16")[:-1])

    assert text == b"a"
    assert reader is not None
    assert reader.unfinished == "🎉".encode("utf-16-le")[:-1]
    assert read_utf16(reader, "🎉".encode("utf-16-le")[-1:]) == (reader, "🎉".encode())
