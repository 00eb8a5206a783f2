"""Whatever the registers hold and the memory says, a call has a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.render import render
from scopetrace.syscalls.rows import Row, rows

ADDRESSES = st.sampled_from([0, 1, 2, 3, 8, 16, 0x1000, 0x2000, (1 << 32) - 1])
WORDS = st.one_of(ADDRESSES, st.integers(0, (1 << 64) - 1))
DATA = st.one_of(st.binary(max_size=200), st.builds(lambda n: bytes(n), st.integers(0, 200)))
RESULTS = st.one_of(st.none(), st.integers(-600, 4096), st.integers(-(1 << 63), (1 << 63) - 1))
PHASES = st.sampled_from(list(Phase))


def pieces(args: tuple[int, ...]) -> st.SearchStrategy[list[Piece]]:
    """Return memory at the addresses that the arguments are."""
    one = st.builds(Piece, st.integers(0, 5), PHASES, st.sampled_from(args), DATA, st.booleans())
    return st.lists(one, max_size=8)


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.name)
@given(data=st.data())
def test_a_call_has_a_line(row: Row, data: st.DataObject) -> None:
    abi = next(abi for abi in Abi if row.numbers[abi] is not None)
    args = data.draw(st.tuples(*[WORDS] * 6))
    args = tuple(value & (1 << (32 if abi is Abi.I386 else 64)) - 1 for value in args)
    memory = tuple(data.draw(pieces(args)))
    call = Call(abi, row.numbers[abi] or 0, args, data.draw(RESULTS), memory)  # type: ignore[arg-type]
    line = render(call, verbose=data.draw(st.booleans()))
    assert " = " in line and "\n" not in line
