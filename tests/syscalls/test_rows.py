"""The table of system calls as rows."""

from __future__ import annotations

from collections import Counter

import pytest

from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.rows import named, row, rows


def test_a_call_is_found_by_its_number_in_each_abi() -> None:
    names = [row(abi, number) for abi, number in zip(Abi, (1, 4, 1), strict=True)]
    assert [found and found.name for found in names] == ["write"] * 3


def test_a_number_that_no_call_has_is_none() -> None:
    assert row(Abi.X86_64, 1023) is None


def test_no_number_stands_twice() -> None:
    used = Counter(
        (abi, number) for found in rows() for abi, number in enumerate(found.numbers) if number
    )
    assert [key for key, count in used.items() if count > 1] == []


def test_a_parameter_names_an_argument_of_the_call() -> None:
    [write] = named("write")
    assert write.position("count") == 2
    with pytest.raises(KeyError, match="write has no argument size"):
        write.position("size")
