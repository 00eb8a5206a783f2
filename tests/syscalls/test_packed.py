"""Unpacking calls: what the engine packs, and what a damaged file may have instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.syscalls.call import Abi, Phase, Piece
from scopetrace.syscalls.packed import unpack_call, unpack_signal, without_memory
from support.packed_builder import pack_call, pack_piece


@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=6),
    st.lists(
        st.tuples(
            st.integers(0, 13),
            st.sampled_from(Phase),
            st.integers(0, 2**64 - 1),
            st.binary(max_size=300),
            st.booleans(),
        ),
        max_size=4,
    ),
)
def test_what_was_packed_is_unpacked(args, pieces):
    memory = tuple(Piece(*piece) for piece in pieces)

    call = unpack_call(Abi.X86_64, 1, 5, pack_call(args, memory))

    assert call.args == (*args, *[0] * (6 - len(args)))
    assert (call.memory, call.number, call.result) == (memory, 1, 5)


def test_a_piece_at_the_address_of_its_argument_does_not_repeat_it():
    data = bytes([1, 0x80, 0x02]) + bytes([0x00, 0x06]) + b"abc"

    call = unpack_call(Abi.X86_64, 1, 3, data)

    assert call.memory == (Piece(0, Phase.ENTRY, 128, b"abc"),)


def test_registers_of_a_32_bit_call_have_32_bits():
    assert unpack_call(Abi.I386, 1, 0, pack_call([2**64 - 100])).args[0] == 2**32 - 100


def test_structures_are_packed_as_runs():
    data = bytes([1, 0x06]) + bytes([0x80, 0x18, 0x23]) + b"ab" + bytes([0x07])

    assert unpack_call(Abi.X86_64, 1, 3, data).memory[0].data == b"ab" + bytes(10)


@pytest.mark.parametrize("runs", [b"", b"\x00", b"\x23", b"\x2fab\x0f"])
def test_runs_that_do_not_fit_are_a_value_error(runs):
    with pytest.raises(ValueError, match="packed call"):
        unpack_call(Abi.X86_64, 1, 3, bytes([1, 0x06, 0x80, 0x18]) + runs)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_call_or_a_value_error(data):
    try:
        unpack_call(Abi.X86_64, 0, 0, data)
    except ValueError:
        return
    assert without_memory(data)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x60x"])
def test_a_damaged_signal_is_empty(data):
    assert unpack_signal(data) == b""


def test_a_signal_is_its_siginfo():
    assert unpack_signal(pack_call([], [Piece(0, 0, 0, b"info")])) == b"info"


def test_without_memory_the_arguments_stay():
    data = pack_call([3, 7], [Piece(1, 0, 7, b"secret")])

    assert without_memory(data) == pack_call([3, 7])
    assert without_memory(b"") == b"\x00"


def test_a_piece_is_no_longer_than_the_call():
    with pytest.raises(ValueError, match="longer"):
        unpack_call(Abi.X86_64, 1, 0, pack_call([0]) + pack_piece(Piece(0, 0, 0, b"abcd"))[:-1])
