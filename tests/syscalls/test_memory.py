"""Calls about memory, of a process and shared: what they take and give."""

from __future__ import annotations

import struct

import pytest

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.memory import wrong_mapping
from scopetrace.syscalls.render import render
from support.rendered import shown

IPC_STAT, IPC_SET, IPC_INFO = 2, 1, 3
OWNER = "uid=1, gid=2, mode=0640"
PERMISSIONS = struct.pack("=6IHHI2Q", 77, 1, 2, 3, 4, 0o640, 5, 0, 0, 0, 0)
FIELDS = {
    "shmctl": (
        struct.pack("=4Q2I3Q", 4096, 10, 11, 12, 13, 14, 15, 0, 0),
        "shm_segsz=4096, shm_cpid=13, shm_lpid=14, shm_nattch=15, "
        "shm_atime=10, shm_dtime=11, shm_ctime=12",
    ),
    "msgctl": (
        struct.pack("=6Q2I2Q", 10, 11, 12, 9, 13, 14, 15, 16, 0, 0),
        "msg_stime=10, msg_rtime=11, msg_ctime=12, msg_qnum=13, msg_qbytes=14, "
        "msg_lspid=15, msg_lrpid=16",
    ),
    "semctl": (
        struct.pack("=7Q", 10, 0, 11, 0, 12, 0, 0),
        "sem_otime=10, sem_ctime=11, sem_nsems=12",
    ),
}
SETTABLE = {"shmctl": "", "msgctl": ", msg_qbytes=14", "semctl": ""}


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (0, "0"),
        (1, "MREMAP_MAYMOVE"),
        (2, "MREMAP_FIXED, 0x5000"),
        (3, "MREMAP_MAYMOVE|MREMAP_FIXED, 0x5000"),
        (5, "MREMAP_MAYMOVE|MREMAP_DONTUNMAP, 0x5000"),
    ],
)
def test_only_some_flags_of_mremap_take_an_address(flags: int, text: str) -> None:
    assert shown("mremap", 0x1000, 4096, 8192, flags, 0x5000) == f"0x1000, 4096, 8192, {text}"


@pytest.mark.parametrize(
    ("length", "text"),
    [(0, "0x100"), (1, "[1]"), (4096, "[1]"), (4097, "[1, 0]"), (8193, "[1, 0, 1]")],
)
def test_each_page_is_in_memory_or_not(length: int, text: str) -> None:
    memory = [Piece(2, Phase.EXIT, 0x100, b"\1\xfe\3")]

    assert shown("mincore", 0x1000, length, 0x100, memory=memory) == f"0x1000, {length}, {text}"


@pytest.mark.parametrize(
    ("pages", "verbose", "shown_pages", "dots"),
    [(32, False, 32, ""), (33, False, 32, ", ..."), (33, True, 33, "")],
)
def test_many_pages_end_with_dots(pages: int, verbose: bool, shown_pages: int, dots: str) -> None:
    memory = [Piece(2, Phase.EXIT, 0x100, b"\1" * pages)]
    length = 4096 * pages

    line = shown("mincore", 0x1000, length, 0x100, memory=memory, verbose=verbose)
    assert line == f"0x1000, {length}, [{', '.join('1' * shown_pages)}{dots}]"


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (0, "MPOL_DEFAULT"),
        (2, "MPOL_BIND"),
        (0x8002, "MPOL_BIND|MPOL_F_STATIC_NODES"),
        (0xC001, "MPOL_PREFERRED|MPOL_F_STATIC_NODES|MPOL_F_RELATIVE_NODES"),
        (0x8009, "MPOL_F_STATIC_NODES|0x9"),
        (9, "0x9 /* MPOL_??? */"),
        (0x4000, "MPOL_DEFAULT|MPOL_F_RELATIVE_NODES"),
    ],
)
def test_a_policy_of_memory_is_a_mode_with_flags(mode: int, text: str) -> None:
    assert shown("set_mempolicy", mode, 0, 0) == f"{text}, NULL, 0"


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (0, "[]"),
        (1, "[0x0000000000000005]"),
        (64, "[0x0000000000000005]"),
        (65, "[0x0000000000000005, 0x8000000000000000]"),
        (128, "[0x0000000000000005, 0x8000000000000000]"),
        (129, "0x100"),
    ],
)
def test_a_set_of_nodes_is_words(bits: int, text: str) -> None:
    memory = [Piece(1, Phase.ENTRY, 0x100, struct.pack("=2Q", 5, 1 << 63))]

    assert shown("set_mempolicy", 2, 0x100, bits, memory=memory) == f"MPOL_BIND, {text}, {bits}"


def test_a_policy_that_was_not_given_is_an_address() -> None:
    memory = [
        Piece(0, Phase.EXIT, 0x200, struct.pack("=i", 2)),
        Piece(1, Phase.EXIT, 0x100, struct.pack("=Q", 5)),
    ]

    assert shown("get_mempolicy", 0x200, 0x100, 64, 0, 0, memory=memory) == (
        "[MPOL_BIND], [0x0000000000000005], 64, NULL, 0"
    )
    assert shown("get_mempolicy", 0x200, 0x100, 64, 0, 0, result=-22, memory=memory) == (
        "0x200, 0x100, 64, NULL, 0) = -1 EINVAL (Invalid argument)"
    )


def test_a_page_that_was_not_moved_has_an_error() -> None:
    memory = [
        Piece(2, Phase.ENTRY, 0x100, struct.pack("=2Q", 0x1000, 0x2000)),
        Piece(3, Phase.ENTRY, 0x200, struct.pack("=2i", 0, 1)),
        Piece(4, Phase.EXIT, 0x300, struct.pack("=2i", -2, 1)),
    ]

    assert shown("move_pages", 0, 2, 0x100, 0x200, 0x300, 2, memory=memory) == (
        "0, 2, [0x1000, 0x2000], [0, 1], [-ENOENT, 1], MPOL_MF_MOVE"
    )


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (0, "KEXEC_ARCH_DEFAULT"),
        (2, "KEXEC_ARCH_DEFAULT|KEXEC_PRESERVE_CONTEXT"),
        (0x3E0000, "KEXEC_ARCH_X86_64"),
        (0x3E0001, "KEXEC_ARCH_X86_64|KEXEC_ON_CRASH"),
    ],
)
def test_a_kernel_is_of_a_machine(flags: int, text: str) -> None:
    assert shown("kexec_load", 0, 0, 0x100, flags) == f"NULL, 0, [], {text}"


@pytest.mark.parametrize("op", FIELDS)
def test_what_is_shared_has_an_owner_and_times(op: str) -> None:
    fields, text = FIELDS[op]
    args = (7, 0) if op == "semctl" else (7,)
    head = ", ".join(map(str, args))

    def line(command: int, phase: Phase, size: int = 1000) -> str:
        memory = [Piece(len(args) + 1, phase, 0x100, (PERMISSIONS + fields)[:size])]
        return shown(op, *args, command, 0x100, memory=memory)

    perm = f"{op[:3]}_perm"
    asked = f"{{{perm}={{{OWNER}, key=77, cuid=3, cgid=4}}, {text}}}"
    assert line(IPC_STAT, Phase.EXIT) == f"{head}, IPC_STAT, {asked}"
    assert line(0x100 | IPC_STAT, Phase.EXIT) == f"{head}, IPC_64|IPC_STAT, {asked}"
    assert line(IPC_STAT, Phase.ENTRY) == f"{head}, IPC_STAT, 0x100"
    assert line(IPC_STAT, Phase.EXIT, 47) == f"{head}, IPC_STAT, 0x100"
    assert line(IPC_SET, Phase.ENTRY) == f"{head}, IPC_SET, {{{perm}={{{OWNER}}}{SETTABLE[op]}}}"
    assert line(IPC_SET, Phase.EXIT) == f"{head}, IPC_SET, 0x100"
    assert line(0, Phase.EXIT) == f"{head}, IPC_RMID, 0x100"


@pytest.mark.parametrize(
    ("op", "command", "name"),
    [
        ("shmctl", 13, "SHM_STAT"),
        ("shmctl", 15, "SHM_STAT_ANY"),
        ("msgctl", 11, "MSG_STAT"),
        ("msgctl", 13, "MSG_STAT_ANY"),
        ("semctl", 18, "SEM_STAT"),
        ("semctl", 20, "SEM_STAT_ANY"),
    ],
)
def test_a_place_in_the_table_of_the_kernel_is_asked_for(op: str, command: int, name: str) -> None:
    args = (7, 0) if op == "semctl" else (7,)
    memory = [Piece(len(args) + 1, Phase.EXIT, 0x100, PERMISSIONS + FIELDS[op][0])]

    line = shown(op, *args, command, 0x100, memory=memory)
    assert f"{name}, {{{op[:3]}_perm={{{OWNER}, key=77" in line


def test_the_limits_of_shared_memory_are_asked_for() -> None:
    memory = [Piece(2, Phase.EXIT, 0x100, struct.pack("=9Q", 1, 2, 3, 4, 5, 0, 0, 0, 0))]

    assert shown("shmctl", 7, IPC_INFO, 0x100, memory=memory) == (
        "7, IPC_INFO, {shmmax=1, shmmin=2, shmmni=3, shmseg=4, shmall=5}"
    )
    assert shown("shmctl", 7, IPC_INFO, 0x100, result=-1, memory=memory) == (
        "7, IPC_INFO, 0x100) = -1 EPERM (Operation not permitted)"
    )


@pytest.mark.parametrize(
    ("args", "wrong"),
    [
        ((0, 0, 1, 2, 3, 0), "the length is zero"),
        ((0, 1, 1, 0, 3, 0), "the mapping is neither MAP_SHARED nor MAP_PRIVATE"),
        ((0, 1, 1, 1, 3, 0), ""),
        ((0, 1, 1, 2, 3, 0), ""),
        ((0, 1, 1, 3, 3, 0), ""),
        ((0, 1, 1, 4, 3, 0), "the mapping is neither MAP_SHARED nor MAP_PRIVATE"),
        ((1, 1, 1, 2, 3, 0), ""),
        ((1, 1, 1, 0x12, 3, 0), "the address is no multiple of 4096"),
        ((4096, 1, 1, 0x12, 3, 0), ""),
        ((0, 1, 1, 2, 3, 4095), "the offset is no multiple of 4096"),
        ((0, 1, 1, 2, 3, 4096), ""),
    ],
)
def test_what_is_wrong_with_a_mapping(args: tuple[int, ...], wrong: str) -> None:
    assert wrong_mapping("mmap", args) == wrong


def test_the_offset_of_mmap2_is_a_number_of_pages() -> None:
    assert wrong_mapping("mmap2", (0, 1, 1, 2, 3, 5)) == ""


@pytest.mark.parametrize(
    ("number", "args", "fields"),
    [
        (396, (7, 0x102, 0x100), struct.pack("=12I", 4096, 10, 0, 11, 0, 12, 0, 13, 14, 15, 0, 0)),
        (402, (7, 0x102, 0x100), struct.pack("=13I", 10, 0, 11, 0, 12, 0, 9, 13, 14, 15, 16, 0, 0)),
        (394, (7, 0, 0x102, 0x100), struct.pack("=7I", 10, 0, 11, 0, 12, 0, 0)),
    ],
)
def test_i386_has_structures_of_its_own(number: int, args: tuple[int, ...], fields: bytes) -> None:
    perm = struct.pack("=6IHHI2I", 77, 1, 2, 3, 4, 0o640, 5, 0, 0, 0, 0)[:36]
    memory = (Piece(len(args) - 1, Phase.EXIT, 0x100, perm + fields),)
    line = render(Call(Abi.I386, number, (*args, 0, 0, 0)[:6], 0, memory))

    assert f"IPC_64|IPC_STAT, {{{line[:3]}_perm={{{OWNER}, key=77, cuid=3, cgid=4}}, " in line
    assert render(Call(Abi.I386, number, (*args[:-2], 2, 0x100, 0, 0, 0)[:6], 0, memory)).endswith(
        ", IPC_STAT, 0x100) = 0"
    )
