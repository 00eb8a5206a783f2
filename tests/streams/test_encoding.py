from __future__ import annotations

import gzip
import random
import struct
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.streams.encoding import LOOKED_AT, is_binary, unfinished_character


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text\r\n\tand \x1b[1mcolour\x1b[0m\f\v",
        "Grüße, 世界 🎉".encode(),
        "é".encode()[1:] + b" starts inside a character",
        b"ends inside one: " + "世".encode()[:2],
        b"x" * 255 + "世".encode(),
        b"text with \x07 a bell",
        b"N\bNA\bAM\bME\bE\n",
        b"del\x7f",
        "C1: \x9b31m".encode(),
        b"latin \xe9 one",
        "gr\xfcn\n".encode("latin-1"),
        "Élève à l'école, été\n".encode("cp1252"),
        "Привет, мир\n".encode("koi8-r"),
        "Привет, мир\n".encode("cp1251"),
        "世界, 你好\n".encode("gbk"),
        "こんにちは 世界\n".encode("shift-jis"),
        "こんにちは 世界\n".encode("euc-jp"),
        b"\xe9",
        b"\x80",
        b"\a",
        b"nul\0\n",
        b"x" * 256 + b"\0 is looked at",
        b"\0" * 5 + b"some padding before a long line of text that is none",
        "🎉".encode()[:3],
        "🎉".encode()[3:],
    ],
)
def test_text_is_text(data):
    assert not is_binary(data)


def image(width: int = 64) -> bytes:
    """A PNG (RFC 2083) with random colours, so that they do not compress."""
    rows = b"".join(b"\0" + random.Random(row).randbytes(3 * width) for row in range(width))
    chunks = (
        (b"IHDR", struct.pack("!2I5B", width, width, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))
        for name, data in chunks
    )


WORDS = " ".join(sys.stdlib_module_names).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"\0\1",
        b"\x7fELF\2\1\1\0\0\0\0\0\0\0\0\0",
        Path(sys.executable).resolve().read_bytes()[:65536],
        Path(sys.executable).resolve().read_bytes()[:4096],
        gzip.compress(WORDS),
        zlib.compress(WORDS),
        image(),
        random.Random(1).randbytes(100_000),
        random.Random(2).randbytes(4096),
        random.Random(3).randbytes(256),
        bytes(range(256)),
        b"\xff" * 4096,
        b"\0" * 512,
        struct.pack("<100I", *range(100)),
        struct.pack("<100d", *range(100)),
        "without a mark\n".encode("utf-16-le"),
        b"a text of some length, then\n" + random.Random(4).randbytes(400),
        b"#!/bin/sh\nexec tail -c +30 $0\n" * 20 + random.Random(5).randbytes(20_000),
    ],
)
def test_what_is_no_text_is_binary(data):
    assert is_binary(data)


@given(st.integers(), st.integers(256, 20_000))
def test_random_bytes_are_binary(seed, size):
    assert is_binary(random.Random(seed).randbytes(size))


def test_a_long_write_is_judged_by_its_end_too():
    assert not is_binary(b"x" * LOOKED_AT + b"\0" * 9)
    assert is_binary(b"x" * 6000 + random.Random(6).randbytes(6000))
    assert is_binary(b"x" * 1000 + random.Random(7).randbytes(100_000))


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])), st.integers(0), st.integers(0))
def test_text_cut_anywhere_is_text(text, start, end):
    data = text.encode()
    length = len(data) or 1

    assert not is_binary(data[start % length :])
    assert not is_binary(data[: end % length])


@given(st.text(st.characters(exclude_categories=["Cs"])), st.characters(exclude_categories=["Cs"]))
def test_what_is_missing_of_the_last_character_is_found(text, last):
    whole, character = text.encode(), last.encode()

    assert unfinished_character(whole) == 0
    for size in range(1, len(character)):
        assert unfinished_character(whole + character[:size]) == size


@given(st.binary(max_size=8))
def test_bytes_that_are_no_characters_are_not_waited_for(data):
    size = unfinished_character(data)

    assert 0 <= size <= min(3, len(data))
    if size:
        assert 0xC2 <= data[-size] <= 0xF4
