from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.http.receive_buffer import Unread


def test_what_is_not_read_is_joined_to_what_follows():
    unread = Unread()
    unread.keep(unread.joined(1, b"abc"), 1)

    assert unread.joined(2, b"de") == b"bcde"
    assert unread.old == 2
    assert [unread.time_of(position) for position in range(4)] == [1, 1, 2, 2]


def test_what_is_left_of_one_feed_keeps_its_time():
    unread = Unread()
    unread.keep(unread.joined(1, b"a"), 0)
    unread.keep(unread.joined(2, b"b"), 0)
    assert unread.time_of(0) == 1

    unread.keep(unread.joined(3, b"c"), 2)
    assert (unread.joined(4, b""), unread.time_of(0)) == (b"c", 3)


def test_taking_it_leaves_nothing():
    unread = Unread()
    unread.keep(unread.joined(1, b"abc"), 1)

    assert unread.take() == b"bc"
    assert unread.joined(2, b"x") == b"x"


@given(st.lists(st.binary(max_size=9)), st.data())
def test_no_byte_is_lost_or_read_twice(feeds, data):
    unread, read = Unread(), b""
    for feed in feeds:
        buffer = unread.joined(0, feed)
        taken = data.draw(st.integers(0, len(buffer)))
        read += buffer[:taken]
        unread.keep(buffer, taken)

    assert read + unread.take() == b"".join(feeds)
