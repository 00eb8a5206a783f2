from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.prefix_pattern import PrefixPattern

GREETING = PrefixPattern(rb"\*[1-9][0-9]{0,6}\r\n\$[^\]]x{2}\x00.{1,3}[\]|]")
GREETED = b"*12\r\n$axx\x00...]"


@pytest.mark.parametrize(
    ("pattern", "data", "answer"),
    [
        (rb"ab", b"", None),
        (rb"ab", b"a", None),
        (rb"ab", b"ab", True),
        (rb"ab", b"abc", True),
        (rb"ab", b"b", False),
        (rb"a{2}b", b"a", None),
        (rb"a{2}b", b"aab", True),
        (rb"a{2}b", b"ab", False),
        (rb"a{2}b", b"aaa", False),
        (rb"[a-c]{1,3}\.", b"abc", None),
        (rb"[a-c]{1,3}\.", b"abca", False),
        (rb"[a-c]{1,3}\.", b"ab.", True),
        (rb"a{0,1}b", b"b", True),
        (rb"a{0,1}b", b"a", None),
        (rb"\x0a.{2}z", b"\n\n\n", None),
        (rb"\x0a.{2}z", b"\n\n\nz", True),
    ],
)
def test_a_pattern_says_yes_no_or_more(pattern, data, answer):
    assert PrefixPattern(pattern).matches(data) is answer


def test_every_beginning_of_a_match_may_become_one():
    assert GREETING.matches(GREETED) is True
    assert [GREETING.matches(GREETED[:size]) for size in range(len(GREETED))] == [None] * len(
        GREETED
    )


ALPHABET = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=8).map(b"".join)


@given(ALPHABET)
def test_whether_more_can_help_is_what_trying_all_would_say(data):
    pattern = rb"a{1,2}b{0,1}c{2}a"
    compiled = PrefixPattern(pattern)
    endings = [
        a + b + c + d + e + f
        for a in (b"", b"a")
        for b in (b"", b"a")
        for c in (b"", b"b")
        for d in (b"", b"c")
        for e in (b"", b"c")
        for f in (b"", b"a")
    ]

    if re.match(pattern, data):
        assert compiled.matches(data) is True
    else:
        could = any(re.match(pattern, data + ending) for ending in endings)
        assert compiled.matches(data) is (None if could else False)


@pytest.mark.parametrize(
    "signature", [rb"a{0,1}[b-d]", rb"\x12.", rb".a", rb"\*x", rb"[^a]", rb"c{0,2}"]
)
@given(data=st.binary(min_size=1, max_size=2))
def test_bytes_that_are_ruled_out_by_the_first_one_are_no_match(signature, data):
    pattern = PrefixPattern(signature)

    whole, beginning = pattern._compiled
    expected = True if whole.match(data) else None if beginning.fullmatch(data) else False

    assert pattern.matches(data) is expected


def test_a_pattern_is_not_compiled_for_bytes_that_begin_otherwise():
    pattern = PrefixPattern(rb"[A-Z]{3} /")

    assert pattern.matches(b"get /") is False
    assert "_compiled" not in vars(pattern)
    assert pattern.matches(b"GET /") is True
