"""The rules of signatures; each protocol's is tested in tests/streams/test_detector.py."""

from __future__ import annotations

import pytest

from scopetrace.protocols.signatures import FirstBytes, Signature, any_of, either, never

HELLO = Signature("HELLO", True, any_of(rb"HELLO\r\n"), any_of(rb"WELCOME\r\n"))


def first(data: bytes, side: str, whole: bool = False) -> FirstBytes:
    return FirstBytes(data, whole, 0, side)


@pytest.mark.parametrize(
    ("data", "side", "verdict"),
    [
        (b"HELLO\r\n", "client", True),
        (b"HELLO\r\n", "server", False),
        (b"WELCOME\r\n", "client", False),
        (b"WELCOME\r\n", "server", True),
        (b"HELLO\r\n", "", True),
        (b"WELCOME\r\n", "", True),
        (b"HEL", "client", None),
        (b"WEL", "", None),
        (b"GO", "", False),
    ],
)
def test_a_side_that_is_known_begins_in_its_own_way(data, side, verdict):
    assert HELLO.test(first(data, side)) is verdict


def test_what_is_whole_and_not_enough_is_no():
    assert HELLO.test(first(b"HEL", "client", whole=True)) is False


def test_one_yes_is_enough_and_one_not_yet_keeps_a_no_open():
    assert either(False, None, True) is True
    assert either(False, None) is None
    assert either(False, False) is False
    assert never(first(b"x", "")) is False
