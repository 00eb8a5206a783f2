from __future__ import annotations

import zlib

import pytest

from scopetrace.model.exchange import Content
from scopetrace.output.http_body import body_text


def gzipped(data):
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def content(body, coding=""):
    return Content((("Content-Encoding", coding),) if coding else (), body)


@pytest.mark.parametrize(
    ("body", "coding", "text"),
    [
        (b"hello", "", "hello"),
        (gzipped(b"hello"), "gzip", "hello"),
        (zlib.compress(b"hello"), "deflate", "hello"),
        (gzipped(b"hello " * 9)[:-8], "GZIP", "hello " * 9),
        (b"not compressed", "gzip", "not compressed"),
        ("naïve".encode()[:3], "", "na"),
        ("naïve".encode()[:4], "", "naï"),
        ("a€".encode()[:3], "", "a"),
    ],
)
def test_a_body_is_text_if_it_can_be(body, coding, text):
    assert body_text(content(body, coding)) == (text, False)


def test_other_bodies_are_base64():
    assert body_text(content(b"\xff\xfe\x00")) == ("//4A", True)
    assert body_text(content(b"\xff", "br")) == ("/w==", True)


def test_a_small_body_cannot_become_huge():
    bomb = zlib.compress(b"\0" * 10_000_000)

    assert len(body_text(content(bomb, "deflate")).text) <= 20 * len(bomb)


@pytest.mark.parametrize(
    "character", ["\x7f", "\x80", "\u07ff", "\u0800", "\uffff", "\U00010000", "\U0010ffff"]
)
def test_a_character_at_the_end_is_there_whole_or_not(character):
    data = character.encode()

    assert body_text(content(b"ab" + data)) == (f"ab{character}", False)
    for size in range(1, len(data)):
        assert body_text(content(b"ab" + data[:size])) == ("ab", False)


@pytest.mark.parametrize("data", [b"ab\xc1", b"ab\xf5", b"ab\x80", b"\xe2\x82\xacb\xff"])
def test_bytes_that_begin_no_character_are_not_left_out(data):
    assert body_text(content(data)).is_base64
