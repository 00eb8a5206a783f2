from __future__ import annotations

import array
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.decode.control import received_fds


def message(fds: list[int], *, word: str = "Q", level: int = 1, kind: int = 1) -> bytes:
    data = struct.pack(f"={len(fds)}i", *fds)
    head = struct.calcsize(f"={word}ii")
    packed = struct.pack(f"={word}ii", head + len(data), level, kind) + data
    return packed + bytes(-len(packed) % struct.calcsize(f"={word}"))


@pytest.mark.parametrize("word", ["Q", "I"])
@pytest.mark.parametrize("fds", [[5], [5, 6], [5, 6, 7]])
def test_fds_are_found_in_the_layout_of_either_word_size(word, fds):
    assert received_fds(message(fds, word=word)) == fds


@pytest.mark.parametrize("word", ["Q", "I"])
def test_all_messages_are_walked_and_only_rights_count(word):
    credentials = message([1, 2, 3], word=word, kind=2)
    other_level = message([9], word=word, level=41)

    control = credentials + message([5], word=word) + other_level + message([6], word=word)

    assert received_fds(control) == [5, 6]


def test_a_message_cut_short_is_no_message():
    assert received_fds(message([5, 6])[:-4]) == []


def test_it_is_what_the_kernel_writes():
    left, right = socket.socketpair(socket.AF_UNIX)
    with left, right:
        rights = array.array("i", [left.fileno()])
        left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        _data, ancillary, _flags, _address = right.recvmsg(1, socket.CMSG_SPACE(4))
    (level, kind, data), received = ancillary[0], array.array("i")
    received.frombytes(data)
    try:
        header = struct.pack("=Qii", socket.CMSG_LEN(len(data)), level, kind)

        assert received_fds(header + data) == list(received)
    finally:
        for fd in received:
            socket.close(fd)


@given(st.binary(max_size=200))
def test_any_bytes_at_all_give_a_list_of_fds(control):
    assert all(fd >= 0 for fd in received_fds(control))
