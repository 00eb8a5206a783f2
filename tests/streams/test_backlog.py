from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.flow import Address
from scopetrace.model.operation import FlowTransferred
from scopetrace.streams.backlog import MARK_WEIGHT, RUN_WEIGHT, Backlog
from support.flow_reading import image, rules, tcp_flow

IMAGE = image(rules(""))
FLOW = tcp_flow(Address("inet", "10.0.0.2", 80))


def transferred(data: bytes, outgoing: bool = True, time_ns: int = 1, missing: int = 0):
    return FlowTransferred(IMAGE, 71, time_ns, FLOW, outgoing, data, len(data) + missing, 3)


PIECES = st.builds(
    transferred,
    st.binary(max_size=8) | st.just(b"x" * RUN_WEIGHT),
    st.booleans(),
    st.integers(0, 9),
    st.sampled_from([0, 0, 0, 5]),
)


@given(st.lists(PIECES, max_size=20))
def test_each_piece_comes_out_as_it_went_in(pieces):
    backlog = Backlog()
    for piece in pieces:
        backlog.add(piece)

    assert list(backlog) == pieces
    assert backlog.weight >= sum(len(piece.data) for piece in pieces)


def test_small_pieces_of_one_direction_share_a_run():
    backlog = Backlog()
    for _ in range(3):
        backlog.add(transferred(b"x"))
    assert backlog.weight == RUN_WEIGHT + 3 + 2 * MARK_WEIGHT

    backlog.add(transferred(b"x", outgoing=False))
    assert backlog.weight == 2 * RUN_WEIGHT + 4 + 2 * MARK_WEIGHT
