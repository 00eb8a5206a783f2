"""Quoting as strace does it."""

from __future__ import annotations

import pytest

from scopetrace.syscalls.quote import permissions, quoted, quoted_up_to, signed


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", '""'),
        (b"plain text", '"plain text"'),
        (b"\0", r'"\0"'),
        (b"\0" + b"7", r'"\0007"'),
        (b"\0" + b"8", r'"\08"'),
        (b"\x1b[m", r'"\33[m"'),
        ("é".encode(), r'"\303\251"'),
    ],
)
def test_octal_is_as_short_as_the_next_character_allows(data: bytes, text: str) -> None:
    assert quoted(data) == text


def test_what_is_longer_than_the_limit_ends_with_dots() -> None:
    assert quoted_up_to(b"abc", 3) == '"abc"'
    assert quoted_up_to(b"abcd", 3) == '"abc"...'


def test_permissions_have_three_digits() -> None:
    assert [permissions(mode) for mode in (0, 7, 0o644, 0o1777)] == ["000", "007", "0644", "01777"]


def test_the_lowest_bits_of_a_register_are_a_signed_number() -> None:
    assert signed(0xFFFFFF9C, 32) == -100
    assert signed(-100, 32) == -100
