"""Reasons that follow from an error and the arguments of its call."""

from __future__ import annotations

import pytest

from scopetrace.explain.certain import OF_ANY_MODE, certain_reason
from scopetrace.syscalls.descriptors import positions
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.rows import named
from support.packed_builder import call


def reason(name: str, *args: int, result: int) -> str:
    made = call(name, *args, result=result)
    return certain_reason(Recorded(1, made.time_ns, 1000, 1, 70, "cat", *made[3:]))


@pytest.mark.parametrize(
    ("name", "args", "result", "expected"),
    [
        ("close", (99,), -9, "no file is open as descriptor 99"),
        ("dup", (98,), -9, "no file is open as descriptor 98"),
        ("dup2", (98, 1), -9, ""),
        ("read", (99, 0, 9), -9, ""),
        ("lseek", (3, 2**64 - 1, 0), -22, "the position would lie before the beginning"),
        ("lseek", (3, 1, 77), -22, ""),
        ("lseek", (3, 1, 0), -29, ""),
        ("close", (3,), 0, ""),
    ],
)
def test_a_reason_is_given_where_there_is_only_one(name, args, result, expected):
    assert reason(name, *args, result=result) == expected


@pytest.mark.parametrize("name", sorted(OF_ANY_MODE))
def test_calls_for_which_the_mode_does_not_matter_have_a_descriptor(name):
    for row in named(name):
        for abi, number in enumerate(row.numbers):
            assert number is None or positions(abi, number).fds
