"""The numbers of the table of calls, compared with those of python-ptrace."""

from __future__ import annotations

import warnings

import pytest

from scopetrace import _engine

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from ptrace.syscall.linux import i386, x86_64

NUMBERS = {name: numbers for name, _audit, numbers in _engine.abis()}


IDS = ("uid", "reuid", "resuid", "fsuid", "gid", "regid", "resgid", "fsgid", "groups")
KERNEL_NAMES = {
    "_llseek": "llseek",
    "chown": "chown16",
    "chown32": "chown",
    "fchown": "fchown16",
    "fchown32": "fchown",
    "lchown": "lchown16",
    "lchown32": "lchown",
    "lstat": "newlstat",
    "stat": "newstat",
    "timerfd_create": "timerfd",
    "umount": "oldumount",
    "umount2": "umount",
    **{f"set{name}": f"set{name}16" for name in IDS},
    **{f"set{name}32": f"set{name}" for name in IDS},
}
"""Names in i386's header → those of the functions in the kernel, which python-ptrace has."""


@pytest.mark.skipif(_engine.MACHINE != "x86_64", reason="the tables are of x86-64")
@pytest.mark.parametrize(
    ("abi", "table"), [("x86_64", x86_64.SYSCALL_NAMES), ("i386", i386.SYSCALL_NAMES)]
)
def test_numbers_agree_with_another_table(abi, table):
    known = {name: table[number] for name, number in NUMBERS[abi].items() if number in table}

    assert len(known) > 60
    for name, other in known.items():
        call = name.partition("__")[0]
        assert other in (call, KERNEL_NAMES.get(call))


def test_no_number_stands_for_two_calls():
    for numbers in NUMBERS.values():
        names = {name.partition("__")[0] for name in numbers}
        assert len(set(numbers.values())) == len(names)


def test_the_rows_of_a_call_all_have_its_number():
    for numbers in NUMBERS.values():
        for name, number in numbers.items():
            assert numbers.get(name.partition("__")[0], number) == number
