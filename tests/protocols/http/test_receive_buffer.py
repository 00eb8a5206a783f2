from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.http.receive_buffer import ReceiveBuffer


def test_what_is_not_read_is_joined_to_what_follows():
    buffer = ReceiveBuffer()
    buffer.keep(buffer.joined(1, b"abc"), 1)

    assert buffer.joined(2, b"de") == b"bcde"
    assert buffer.old == 2
    assert [buffer.time_of(position) for position in range(4)] == [1, 1, 2, 2]


def test_what_is_left_of_one_feed_keeps_its_time():
    buffer = ReceiveBuffer()
    buffer.keep(buffer.joined(1, b"a"), 0)
    buffer.keep(buffer.joined(2, b"b"), 0)
    assert buffer.time_of(0) == 1

    buffer.keep(buffer.joined(3, b"c"), 2)
    assert (buffer.joined(4, b""), buffer.time_of(0)) == (b"c", 3)


def test_taking_it_leaves_nothing():
    buffer = ReceiveBuffer()
    buffer.keep(buffer.joined(1, b"abc"), 1)

    assert buffer.take() == b"bc"
    assert buffer.joined(2, b"x") == b"x"


@given(st.lists(st.binary(max_size=9)), st.data())
def test_no_byte_is_lost_or_read_twice(feeds, data):
    buffer, read = ReceiveBuffer(), b""
    for feed in feeds:
        joined = buffer.joined(0, feed)
        taken = data.draw(st.integers(0, len(joined)))
        read += joined[:taken]
        buffer.keep(joined, taken)

    assert read + buffer.take() == b"".join(feeds)
