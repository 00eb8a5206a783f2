"""Sets of system calls."""

from __future__ import annotations

import pytest

from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.call_set import (
    NOT_RECORDED,
    NUMBERS,
    REGISTERS,
    UnknownCall,
    call_names,
    parse_call_set,
    whole_calls,
)
from scopetrace.syscalls.copies import plan


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("all", {"read", "openat", "socket"}, set()),
        ("openat,read", {"openat", "read"}, {"close"}),
        (" openat , read ", {"openat", "read"}, {"close"}),
        ("%file", {"openat", "execve", "chdir"}, {"read", "socket"}),
        ("%desc", {"read", "close", "openat", "socket"}, {"chdir", "getpid"}),
        ("%network,!socket", {"connect", "sendto"}, {"socket", "read"}),
        ("%network,%memory", {"connect", "brk"}, {"read"}),
        ("!read", {"openat", "close"}, {"read"}),
        ("!%file,!close", {"read", "socket"}, {"openat", "close"}),
        ("/^get", {"getpid", "getcwd"}, {"read"}),
        ("/at$,read", {"openat", "newfstatat", "read"}, {"write"}),
    ],
)
def test_a_text_means_calls(text, wanted, unwanted):
    found = parse_call_set(text)

    assert wanted <= found <= call_names()
    assert not unwanted & found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("opnat", "there is no system call opnat; did you mean openat"),
        ("read,qqq", "there is no system call qqq"),
        ("", "there is no system call"),
        ("read,", "there is no system call"),
        ("%fle", "there is no class of calls %fle: there are %file, %desc"),
        ("/(", "/( is no regular expression"),
        ("/^zzz", "no system call matches /^zzz"),
        ("read,!read", "read,!read means no system call"),
        ("!all", "!all means no system call"),
    ],
)
def test_a_text_that_means_none_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(UnknownCall) as error:
        parse_call_set(text)

    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)


def test_an_empty_text_records_nothing():
    assert whole_calls("", 256) is None


def test_the_engine_takes_the_number_of_arguments_of_each_call_of_the_set():
    whole = whole_calls("read,openat", 100)

    assert whole is not None
    assert (whole.others, whole.copies, whole.snaplen) == (False, plan(), 100)
    recorded = {
        (at // NUMBERS, at % NUMBERS): count
        for at, count in enumerate(whole.arguments)
        if count != NOT_RECORDED
    }
    assert recorded == {
        (Abi.X86_64, 0): 3,
        (Abi.I386, 3): 3,
        (Abi.X32, 0): 3,
        (Abi.X86_64, 257): 4,
        (Abi.I386, 295): 4,
        (Abi.X32, 257): 4,
    }


@pytest.mark.parametrize("text", ["all", "!read", "all,!read"])
def test_a_set_of_all_records_calls_that_no_table_has(text):
    whole = whole_calls(text, 0)

    assert whole is not None
    assert whole.others
    assert whole.arguments[NUMBERS - 1] == REGISTERS
    assert (whole.arguments[0] == NOT_RECORDED) == ("!read" in text)
