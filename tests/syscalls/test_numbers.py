"""Numbers in the lines of calls: flags, descriptors, ids, devices, times and limits."""

from __future__ import annotations

import struct
import time

import pytest

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.numbers import seconds
from scopetrace.syscalls.render import render
from support.rendered import shown


@pytest.mark.parametrize(
    ("op", "args", "text"),
    [
        ("open", (0x100, 0o102, 0o100644), "0x100, O_RDWR|O_CREAT, 0100644"),
        ("open", (0x100, 0, 0o644), "0x100, O_RDONLY"),
        ("open", (0x100, 0o20200002, 0o600), "0x100, O_RDWR|O_TMPFILE, 0600"),
        ("open", (0x100, 0o20000000, 0o600), "0x100, O_RDONLY|0x400000"),
        ("open", (0x100, 0o200000, 0o600), "0x100, O_RDONLY|O_DIRECTORY"),
        ("openat", (2**32 - 100, 0x100, 0), "AT_FDCWD, 0x100, O_RDONLY"),
        ("openat", (-100, 0x100, 0), "AT_FDCWD, 0x100, O_RDONLY"),
        ("openat", (-99, 0x100, 0), "-99, 0x100, O_RDONLY"),
        ("setuid", (2**32 - 1,), "-1"),
        ("setuid", (2**32 - 2,), "4294967294"),
        ("setgid", (2**32 + 1,), "1"),
        ("mknod", (0x100, 0o100644, 0x801), "0x100, S_IFREG|0644"),
        ("mknod", (0x100, 0o020666, 0x103), "0x100, S_IFCHR|0666, makedev(0x1, 0x3)"),
        ("mknod", (0x100, 0o060666, 0x12345678), "0x100, S_IFBLK|0666, makedev(0x456, 0x12378)"),
        ("mknod", (0x100, 0o010600, 5), "0x100, S_IFIFO|0600"),
        ("mknod", (0x100, 0o644, 5), "0x100, 0644"),
        ("mknod", (0x100, 0o025777, 0), "0x100, S_IFCHR|S_ISUID|S_ISVTX|0777, makedev(0, 0)"),
        ("clock_gettime", (0, 0x100), "CLOCK_REALTIME, 0x100"),
        ("clock_gettime", (11, 0x100), "CLOCK_TAI, 0x100"),
        ("clock_gettime", (12, 0x100), "0xc /* CLOCK_??? */, 0x100"),
        ("clock_gettime", (-5, 0x100), "FD_TO_CLOCKID(0), 0x100"),
        ("clock_gettime", (-29, 0x100), "FD_TO_CLOCKID(3), 0x100"),
        ("clock_gettime", (-6, 0x100), "0xfffffffa /* CLOCK_??? */, 0x100"),
        ("clock_gettime", (3, 0x100), "CLOCK_THREAD_CPUTIME_ID, 0x100"),
        ("lseek", (3, -5, 1), "3, -5, SEEK_CUR"),
        ("lseek", (3, 5, 99), "3, 5, 0x63 /* SEEK_??? */"),
        ("ftruncate", (3, -1), "3, 18446744073709551615"),
        ("alarm", (2**32 + 5,), "5"),
        ("keyctl", (0, -3, 0), "KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0"),
        ("keyctl", (0, 77, 0), "KEYCTL_GET_KEYRING_ID, 77, 0"),
        ("kill", (-5, 9), "-5, SIGKILL"),
        ("kill", (2**32 - 5, 65), "-5, 65"),
        ("msgget", (0, 0o2600), "IPC_PRIVATE, IPC_EXCL|0600"),
        ("semget", (5, 3, 0o101000), "0x5, 3, IPC_CREAT|0x8000|000"),
        ("shmget", (2**32, 1, 0o1600), "IPC_PRIVATE, 1, IPC_CREAT|0600"),
        ("shmget", (2**32 + 5, 1, 0o14000), "0x5, 1, SHM_HUGETLB|SHM_NORESERVE|000"),
        (
            "shmget",
            (0, 1, 21 << 26 | 0o4600),
            "IPC_PRIVATE, 1, SHM_HUGETLB|21<<SHM_HUGE_SHIFT|0600",
        ),
        ("shmget", (0, 1, 1 << 25), "IPC_PRIVATE, 1, 0x2000000|000"),
    ],
)
def test_a_number_is_shown_as_its_call_means_it(op: str, args: tuple[int, ...], text: str) -> None:
    assert shown(op, *args) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1024, "1024"),
        (1025, "1025"),
        (2048, "2*1024"),
        (2**32 - 1, "4294967295"),
        (2**64 - 1, "RLIM64_INFINITY"),
    ],
)
def test_a_limit_is_in_kibibytes_or_infinite(value: int, text: str) -> None:
    memory = [Piece(1, Phase.ENTRY, 0x100, struct.pack("=2Q", value, 1))]

    assert shown("setrlimit", 7, 0x100, memory=memory) == (
        f"RLIMIT_NOFILE, {{rlim_cur={text}, rlim_max=1}}"
    )
    memory = [Piece(2, Phase.ENTRY, 0x100, struct.pack("=2Q", value, 1))]
    assert shown("prlimit64", 0, 7, 0x100, 0, memory=memory) == (
        f"0, RLIMIT_NOFILE, {{rlim_cur={text}, rlim_max=1}}, NULL"
    )


def test_an_i386_limit_is_infinite_at_32_bits() -> None:
    memory = (Piece(1, Phase.ENTRY, 0x100, struct.pack("=2I", 2**32 - 1, 2048)),)

    assert render(Call(Abi.I386, 75, (7, 0x100, 0, 0, 0, 0), 0, memory)) == (
        "setrlimit(RLIMIT_NOFILE, {rlim_cur=RLIM_INFINITY, rlim_max=2*1024}) = 0"
    )


def test_an_i386_number_of_64_bits_stands_in_two_registers() -> None:
    low, high = 2**32 - 5, 2**32 - 1

    assert (
        render(Call(Abi.I386, 180, (3, 0x100, 0, low, high, 0), 0)) == 'pread64(3, "", 0, -5) = 0'
    )
    assert render(Call(Abi.I386, 140, (3, high, low, 0, 0, 0), 0)).startswith("_llseek(3, -5, ")
    assert render(Call(Abi.I386, 194, (3, 5, 1, 0, 0, 0), 0)) == "ftruncate64(3, 4294967301) = 0"


@pytest.mark.parametrize(
    ("value", "nanoseconds", "digits", "text"),
    [
        (0, 0, 9, ""),
        (0, 5, 9, " /* 1970-01-01T00:00:00.000000005+0000 */"),
        (1_700_000_000, 0, 9, " /* 2023-11-14T22:13:20+0000 */"),
        (1_700_000_000, 120_000_000, 6, " /* 2023-11-14T22:13:20.120000+0000 */"),
        (2**62, 0, 9, ""),
    ],
)
def test_a_time_has_its_date_beside_it(
    monkeypatch: pytest.MonkeyPatch, value: int, nanoseconds: int, digits: int, text: str
) -> None:
    with monkeypatch.context() as here:
        here.setenv("TZ", "UTC")
        time.tzset()
        found = seconds(value, nanoseconds, digits)
    time.tzset()

    assert found == text


@pytest.mark.parametrize(
    ("fd", "text"), [(5, "5</a>"), (-1 & 2**64 - 1, "-1"), (2**32 + 5, "5</a>"), (6, "6")]
)
def test_a_descriptor_has_32_bits(fd: int, text: str) -> None:
    made = Call(Abi.X86_64, 3, (fd, 0, 0, 0, 0, 0), 0)

    assert render(made, fd_names={5: "/a"}) == f"close({text}) = 0"


def test_the_working_folder_has_a_name_of_its_own() -> None:
    made = Call(Abi.X86_64, 257, (-100 & 2**64 - 1, 0x100, 0, 0, 0, 0), 3)

    assert render(made, fd_names={-100: "/a"}) == "openat(AT_FDCWD</a>, 0x100, O_RDONLY) = 3"
