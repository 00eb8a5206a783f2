"""The table of calls against second opinions: python-ptrace's numbers, and the running kernel."""

from __future__ import annotations

import warnings

import pytest

from scopetrace import _engine

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from ptrace.syscall.linux import i386, x86_64

NUMBERS = {name: numbers for name, _audit, numbers in _engine.abis()}


@pytest.mark.skipif(_engine.MACHINE != "x86_64", reason="the tables are of x86-64")
@pytest.mark.parametrize(
    ("abi", "table"), [("x86_64", x86_64.SYSCALL_NAMES), ("i386", i386.SYSCALL_NAMES)]
)
def test_numbers_agree_with_another_table(abi, table):
    others = {name: number for number, name in table.items()}
    shared = NUMBERS[abi].keys() & others.keys()

    assert len(shared) > 60
    assert {name: NUMBERS[abi][name] for name in shared} == {name: others[name] for name in shared}


def test_no_number_stands_for_two_calls():
    for numbers in NUMBERS.values():
        assert len(set(numbers.values())) == len(numbers)
