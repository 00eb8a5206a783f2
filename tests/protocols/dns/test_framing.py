from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.dns.framing import Framing
from support.flow_reading import bytewise, cuts


def framed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


def fed(*steps: bytes | int) -> list[bytes | None] | None:
    """Feed bytes, and gaps of so many; return all messages, or None if the thread was lost."""
    framing = Framing()
    seen: list[bytes | None] = []
    for step in steps:
        found = framing.gap(step) if isinstance(step, int) else framing.feed(step)
        if found is None:
            return None
        seen += found
    return seen


@given(st.lists(st.binary(max_size=40)), st.data())
def test_messages_survive_any_cut(messages, data):
    stream = framed(*messages)

    assert fed(*data.draw(cuts(stream))) == messages
    assert fed(*bytewise(stream)) == messages


def test_a_gap_within_a_message_costs_that_message_alone():
    assert fed(b"\0\5ab", 2, b"e" + framed(b"next")) == [None, b"next"]
    assert fed(b"\0\5", 5, framed(b"next")) == [None, b"next"]
    assert fed(b"\0\5ab", 1, 2, framed(b"next")) == [None, b"next"]


@pytest.mark.parametrize("steps", [(1,), (b"\0", 1), (b"\0\5ab", 4), (framed(b"x"), 1)])
def test_a_gap_that_hides_a_length_loses_the_thread(steps):
    assert fed(*steps) is None


@given(st.lists(st.one_of(st.binary(max_size=90_000), st.integers(1, 70_000)), max_size=6))
def test_less_than_a_message_is_kept(steps):
    framing = Framing()
    for step in steps:
        found = framing.gap(step) if isinstance(step, int) else framing.feed(step)
        if found is None:
            break
        assert len(framing._pending) < 2 + 0xFFFF
