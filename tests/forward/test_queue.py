from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scopetrace.forward.queue import LINE_OVERHEAD_BYTES, SendQueue


def test_what_there_is_no_room_for_is_not_even_encoded():
    queue = SendQueue(100)
    encoded = []

    def encode(item: bytes) -> bytes:
        encoded.append(item)
        return item

    assert queue.offer([b"a" * 20, b"b" * 20, b"c", b"d"], encode) == 2
    assert encoded == [b"a" * 20, b"b" * 20]
    assert queue.offer([b"e"], encode) == 0


def test_room_comes_back_when_lines_are_taken():
    queue = SendQueue(50)
    queue.offer([b"a\n"], bytes)

    assert queue.offer([b"b\n"], bytes) == 0
    assert queue.take(1) == b"a\n"
    assert queue.offer([b"c\n"], bytes) == 1
    assert queue.take(1) == b"c\n"
    assert (queue.take(1), queue.size) == (b"", 0)


STEPS = st.lists(st.lists(st.binary(max_size=30)) | st.integers(0, 100))


@given(STEPS, st.integers(1, 500))
def test_lines_come_out_in_order_and_never_take_more_room_than_there_is(steps, most):
    queue = SendQueue(most)
    taken_in, given_out = [], []

    for step in steps:
        if isinstance(step, int):
            given_out.append(queue.take(step))
        else:
            taken_in += step[: queue.offer(step, bytes)]
        assert queue.size <= most + 30 + LINE_OVERHEAD_BYTES
    given_out.append(queue.take(1 << 30))

    assert b"".join(given_out) == b"".join(taken_in)
    assert queue.size == 0
