from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scopetrace.forward.queue import LINE_BYTES, Outbox


def test_what_there_is_no_room_for_is_not_even_encoded():
    outbox = Outbox(100)
    encoded = []

    def encode(item: bytes) -> bytes:
        encoded.append(item)
        return item

    assert outbox.offer([b"a" * 20, b"b" * 20, b"c", b"d"], encode) == 2
    assert encoded == [b"a" * 20, b"b" * 20]
    assert outbox.offer([b"e"], encode) == 0


def test_room_comes_back_when_lines_are_taken():
    outbox = Outbox(50)
    outbox.offer([b"a\n"], bytes)

    assert outbox.offer([b"b\n"], bytes) == 0
    assert outbox.take(1) == b"a\n"
    assert outbox.offer([b"c\n"], bytes) == 1
    assert outbox.take(1) == b"c\n"
    assert (outbox.take(1), outbox.size) == (b"", 0)


STEPS = st.lists(st.lists(st.binary(max_size=30)) | st.integers(0, 100))


@given(STEPS, st.integers(1, 500))
def test_lines_come_out_in_order_and_never_take_more_room_than_there_is(steps, most):
    outbox = Outbox(most)
    taken_in, given_out = [], []

    for step in steps:
        if isinstance(step, int):
            given_out.append(outbox.take(step))
        else:
            taken_in += step[: outbox.offer(step, bytes)]
        assert outbox.size <= most + 30 + LINE_BYTES
    given_out.append(outbox.take(1 << 30))

    assert b"".join(given_out) == b"".join(taken_in)
    assert outbox.size == 0
