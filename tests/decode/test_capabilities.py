"""Which capability a call asks for, by its name and its arguments."""

from __future__ import annotations

import stat
from types import SimpleNamespace

import pytest

from scopetrace.decode.capabilities import CAPABILITIES, OF_CALLS, OF_PRCTL, needed_capability

TRACEME, ATTACH = 0, 16
RECORDED = 70


@pytest.mark.parametrize(
    ("op", "args", "needed"),
    [
        ("setuid", (0,), "CAP_SETUID"),
        ("open", (0, 0), None),
        ("mknod", (0, stat.S_IFCHR | 0o600), "CAP_MKNOD"),
        ("mknod", (0, stat.S_IFDIR | 0o700), None),
        ("mknodat", (-100, 0, stat.S_IFBLK), "CAP_MKNOD"),
        ("socket", (2, 3, 1), "CAP_NET_RAW"),
        ("socket", (2, 0x80000 | 3, 1), "CAP_NET_RAW"),
        ("socket", (17, 2, 0), "CAP_NET_RAW"),
        ("socket", (2, 1, 0), None),
        ("prctl", (24, 7), "CAP_SETPCAP"),
        ("prctl", (22, 2), None),
        ("ptrace", (TRACEME, 0), None),
        ("ptrace", (ATTACH, RECORDED), None),
        ("ptrace", (ATTACH, 99999999), "CAP_SYS_PTRACE"),
    ],
)
def test_the_arguments_say_which_capability_a_call_asks_for(op, args, needed):
    record = SimpleNamespace(
        arg1=args[0], arg2=(*args, 0)[1], argument=lambda position: args[position - 1]
    )

    assert needed_capability(op, record, {RECORDED}) == needed


def test_each_capability_has_a_number():
    assert {*OF_CALLS.values(), *OF_PRCTL.values()} <= CAPABILITIES.keys()
