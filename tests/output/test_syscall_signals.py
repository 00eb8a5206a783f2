"""Signals and ends as strace prints them."""

from __future__ import annotations

import struct

import pytest

from scopetrace.output.syscall_signals import end_line, signal_line


def info(number: int, code: int, rest: bytes = b"") -> bytes:
    return struct.pack("=iii4x", number, 0, code) + rest


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (
            info(17, 1, struct.pack("=iIi4xqq", 71, 1000, 3, 4, 5)),
            "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=71, si_uid=1000,"
            " si_status=3, si_utime=4, si_stime=5} ---",
        ),
        (
            info(17, 2, struct.pack("=iIi4xqq", 71, 0, 9, 0, 0)),
            "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=71, si_uid=0,"
            " si_status=SIGKILL, si_utime=0, si_stime=0} ---",
        ),
        (
            struct.pack("=iii4xQiI", 31, 5, 1, 0x1000, 80, 0xC000003E),
            "--- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_errno=EIO, si_call_addr=0x1000,"
            " si_syscall=__NR_chdir, si_arch=AUDIT_ARCH_X86_64} ---",
        ),
        (
            info(31, 1, struct.pack("=QiI", 0x1000, 12, 0x40000003)),
            "--- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x1000,"
            " si_syscall=__NR_chdir, si_arch=AUDIT_ARCH_I386} ---",
        ),
        (
            info(29, 1, struct.pack("=qi", 65, 3)),
            "--- SIGIO {si_signo=SIGIO, si_code=POLL_IN, si_band=65, si_fd=3} ---",
        ),
        (
            info(14, -2, struct.pack("=iiQ", 1, 2, 2**32 - 5)),
            "--- SIGALRM {si_signo=SIGALRM, si_code=SI_TIMER, si_timerid=0x1, si_overrun=2,"
            " si_int=-5, si_ptr=0xfffffffb} ---",
        ),
        (
            info(11, 1, struct.pack("=Q", 0)),
            "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---",
        ),
        (
            info(7, 2, struct.pack("=Q", 0x7F0000001000)),
            "--- SIGBUS {si_signo=SIGBUS, si_code=BUS_ADRERR, si_addr=0x7f0000001000} ---",
        ),
        (
            info(10, 0, struct.pack("=iI", 70, 1000)),
            "--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=70, si_uid=1000} ---",
        ),
        (
            info(12, -1, struct.pack("=iIQ", 70, 0, 7)),
            "--- SIGUSR2 {si_signo=SIGUSR2, si_code=SI_QUEUE, si_pid=70, si_uid=0, si_int=7,"
            " si_ptr=0x7} ---",
        ),
        (info(14, 0x80), "--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---"),
        (
            info(13, 0)[:4],
            "--- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=0, si_uid=0} ---",
        ),
    ],
)
def test_a_signal_says_who_sent_it_and_why(data, line):
    assert signal_line(data) == line


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (0, "+++ exited with 0 +++"),
        (3 << 8, "+++ exited with 3 +++"),
        (9, "+++ killed by SIGKILL +++"),
        (11 | 0x80, "+++ killed by SIGSEGV (core dumped) +++"),
    ],
)
def test_an_end_says_how(status, line):
    assert end_line(status) == line
