from __future__ import annotations

import random
from codecs import BOM_UTF16_BE, BOM_UTF16_LE

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.streams.utf16 import Wide, read_wide


def is_wide(character: str) -> bool:
    """Whether a character has a byte that no printable ASCII has, as nearly all have."""
    return any(byte == 0 or byte >= 0x80 for byte in character.encode("utf-16-le"))


CHARACTERS = st.characters(codec="utf-8", exclude_categories=["C", "Z"]).filter(is_wide)


@pytest.mark.parametrize(
    ("mark", "order"), [(BOM_UTF16_LE, "utf-16-le"), (BOM_UTF16_BE, "utf-16-be")]
)
def test_a_mark_says_that_text_is_utf16(mark, order):
    wide, text = read_wide(None, mark + "größer\n".encode(order))

    assert text.decode() == "größer\n"
    assert wide is not None
    assert wide.order == order
    assert read_wide(wide, "世界\n".encode(order)) == (wide, "世界\n".encode())


def test_without_a_mark_nothing_is_utf16():
    data = "größer\n".encode("utf-16-le")

    assert read_wide(None, data) == (None, data)


def test_a_mark_before_what_is_no_text_says_nothing():
    data = BOM_UTF16_LE + random.Random(1).randbytes(4000)

    assert read_wide(None, data) == (None, data)


@pytest.mark.parametrize("data", [b"ok 4\n", b"even ok\n", b"nul\0\n", b"\xe9t\xe9 \n"])
def test_other_text_amid_utf16_is_as_it_is(data):
    wide = Wide("utf-16-le")

    assert read_wide(wide, data) == (wide, data)
    assert read_wide(wide, "on\n".encode("utf-16-le")) == (wide, b"on\n")


def test_a_new_mark_begins_a_new_text():
    wide, _ = read_wide(None, BOM_UTF16_LE + b"\0")

    wide, text = read_wide(wide, BOM_UTF16_BE + "x\n".encode("utf-16-be"))

    assert text == b"x\n"


@given(st.text(CHARACTERS), st.lists(st.integers(1, 9), min_size=1))
def test_utf16_is_read_however_it_is_cut(text, sizes):
    data, wide, found, turn = text.encode("utf-16-le"), Wide("utf-16-le"), b"", 0
    while data:
        size = 2 * sizes[turn % len(sizes)]
        found += wide.read(data[:size]) or b""
        data, turn = data[size:], turn + 1

    assert found.decode() == text


def test_a_character_cut_in_two_waits():
    wide, text = read_wide(None, "a🎉".encode("utf-16")[:-1])

    assert text == b"a"
    assert wide is not None
    assert wide.unread == "🎉".encode("utf-16-le")[:-1]
    assert read_wide(wide, "🎉".encode("utf-16-le")[-1:]) == (wide, "🎉".encode())
