"""What a siginfo says, where each ABI has it (offsets and sizes as the compiler has them)."""

from __future__ import annotations

import struct

import pytest

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.render import render
from scopetrace.syscalls.signals import siginfo, signal_name
from scopetrace.syscalls.view import View

SIGCHLD, SIGSEGV, SIGUSR1 = 17, 11, 10
CLD_EXITED, SEGV_MAPERR, SI_USER, SI_QUEUE, SI_TIMER = 1, 1, 0, -1, -2
ABIS = list(Abi)
PADDING = {Abi.X86_64: "4x", Abi.I386: "", Abi.X32: ""}
POINTER = {Abi.X86_64: "Q", Abi.I386: "I", Abi.X32: "I"}


def line(abi: Abi, signal: int, code: int, form: str, *values: int) -> str:
    """Return the line of a siginfo with these values behind its code."""
    data = struct.pack(f"<iii{PADDING[abi]}{form}", signal, 0, code, *values)
    call = Call(abi, 0, (0, 0, 0, 0, 0, 0), 0, ())
    return siginfo(View(call, 32, False, None), data.ljust(128, b"\0"))


@pytest.mark.parametrize("abi", ABIS)
def test_who_sent_it(abi: Abi) -> None:
    assert line(abi, SIGUSR1, SI_USER, "iI", 7, 1000) == (
        "{si_signo=SIGUSR1, si_code=SI_USER, si_pid=7, si_uid=1000}"
    )


@pytest.mark.parametrize("abi", ABIS)
def test_the_value_that_was_queued(abi: Abi) -> None:
    assert line(abi, SIGUSR1, SI_QUEUE, f"iI{POINTER[abi]}", 7, 1000, 0x1234) == (
        "{si_signo=SIGUSR1, si_code=SI_QUEUE, si_pid=7, si_uid=1000, si_int=4660, si_ptr=0x1234}"
    )


@pytest.mark.parametrize("abi", ABIS)
def test_the_timer_that_expired(abi: Abi) -> None:
    assert line(abi, SIGUSR1, SI_TIMER, f"ii{POINTER[abi]}", 3, 2, 5) == (
        "{si_signo=SIGUSR1, si_code=SI_TIMER, si_timerid=0x3, si_overrun=2, si_int=5, si_ptr=0x5}"
    )


@pytest.mark.parametrize("abi", ABIS)
def test_the_address_of_a_fault(abi: Abi) -> None:
    assert line(abi, SIGSEGV, SEGV_MAPERR, POINTER[abi], 0xDEADBEEF) == (
        "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0xdeadbeef}"
    )


@pytest.mark.parametrize(
    ("abi", "times"), [(Abi.X86_64, "4xqq"), (Abi.I386, "ii"), (Abi.X32, "qq")]
)
def test_how_a_child_ended(abi: Abi, times: str) -> None:
    assert line(abi, SIGCHLD, CLD_EXITED, f"iIi{times}", 7, 1000, 3, 40, 50) == (
        "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7, si_uid=1000, si_status=3, si_utime=40,"
        " si_stime=50}"
    )


def test_real_time_signals_are_counted_from_their_first() -> None:
    names = [signal_name(number) for number in (31, 32, 33, 64, 65, 0)]
    assert names == ["SIGSYS", "SIGRTMIN", "SIGRT_1", "SIGRT_32", "65", "0"]


def test_an_old_action_of_i386_has_a_mask_of_32_signals():
    action = struct.pack("=4I", 0x1000, 1 << 31 | 1 << 9, 0, 0)
    memory = (Piece(1, Phase.ENTRY, 0x100, action),)

    assert render(Call(Abi.I386, 67, (17, 0x100, 0, 0, 0, 0), 0, memory)) == (
        "sigaction(SIGCHLD, {sa_handler=0x1000, sa_mask=[USR1 RTMIN], sa_flags=0}, NULL) = 0"
    )
