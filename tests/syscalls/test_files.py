"""Calls about files: what they take and give."""

from __future__ import annotations

import struct

import pytest

from scopetrace.syscalls.call import Phase, Piece
from support.rendered import shown

pytestmark = pytest.mark.usefixtures("utc")

NOW, OMIT = 2**30 - 1, 2**30 - 2
LOCK = struct.pack("=hh4xqqi4x", 1, 0, 5, 6, 77)
LOCK_TEXT = "{l_type=F_WRLCK, l_whence=SEEK_SET, l_start=5, l_len=6"
DATED = 1_700_000_000
DATE = "2023-11-14T22:13:20"


def of_fcntl(command: int, data: bytes = b"", phase: Phase = Phase.ENTRY) -> str:
    memory = [Piece(2, phase, 0x100, data)] if data else []
    return shown("fcntl", 3, command, 0x100 if data else 5, memory=memory).removeprefix("3, ")


@pytest.mark.parametrize(
    ("flags", "mode", "text"),
    [
        (0, 0, "flags=O_RDONLY"),
        (0o100, 0o644, "flags=O_RDONLY|O_CREAT, mode=0644"),
        (0o100, 0, "flags=O_RDONLY|O_CREAT, mode=000"),
        (0o20200000, 0, "flags=O_RDONLY|O_TMPFILE, mode=000"),
        (0o2000000, 0, "flags=O_RDONLY|O_CLOEXEC"),
        (0o2000000, 0o600, "flags=O_RDONLY|O_CLOEXEC, mode=0600"),
    ],
)
def test_an_openat2_has_a_mode_where_it_may_make_a_file(flags: int, mode: int, text: str) -> None:
    memory = [Piece(2, Phase.ENTRY, 0x200, struct.pack("=3Q", flags, mode, 4))]

    assert shown("openat2", -100, 0x100, 0x200, 24, memory=memory) == (
        f"AT_FDCWD, 0x100, {{{text}, resolve=RESOLVE_NO_SYMLINKS}}, 24"
    )


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (0, "F_DUPFD, 5"),
        (1, "F_GETFD"),
        (2, "F_SETFD, FD_CLOEXEC|0x4"),
        (4, "F_SETFL, O_WRONLY|0x4"),
        (5, "F_GETLK, 0x5"),
        (8, "F_SETOWN, 5"),
        (9, "F_GETOWN"),
        (10, "F_SETSIG, SIGTRAP"),
        (11, "F_GETSIG"),
        (15, "F_SETOWN_EX, 0x5"),
        (0x400, "F_SETLEASE, 0x5 /* F_??? */"),
        (0x402, "F_NOTIFY, DN_ACCESS|DN_CREATE"),
        (0x405, "F_CANCELLK"),
        (0x406, "F_DUPFD_CLOEXEC, 5"),
        (0x407, "F_SETPIPE_SZ, 5"),
        (0x408, "F_GETPIPE_SZ"),
        (0x409, "F_ADD_SEALS, F_SEAL_SEAL|F_SEAL_GROW"),
        (0x40B, "F_GET_RW_HINT, 0x5"),
    ],
)
def test_a_command_of_fcntl_has_its_own_argument(command: int, text: str) -> None:
    assert of_fcntl(command) == text


@pytest.mark.parametrize(
    ("command", "name", "phase", "end"),
    [
        (5, "F_GETLK", Phase.EXIT, ", l_pid=77}"),
        (6, "F_SETLK", Phase.ENTRY, "}"),
        (7, "F_SETLKW", Phase.ENTRY, "}"),
        (36, "F_OFD_GETLK", Phase.EXIT, ", l_pid=77}"),
        (37, "F_OFD_SETLK", Phase.ENTRY, "}"),
        (38, "F_OFD_SETLKW", Phase.ENTRY, "}"),
    ],
)
def test_a_lock_has_an_owner_where_it_was_asked_for(
    command: int, name: str, phase: Phase, end: str
) -> None:
    assert of_fcntl(command, LOCK, phase) == f"{name}, {LOCK_TEXT}{end}"
    assert of_fcntl(command, LOCK, Phase(1 - phase)) == f"{name}, 0x100"


@pytest.mark.parametrize(
    ("command", "name", "data", "phase", "text"),
    [
        (0x40B, "F_GET_RW_HINT", struct.pack("=Q", 2), Phase.EXIT, "[RWH_WRITE_LIFE_SHORT]"),
        (0x40C, "F_SET_RW_HINT", struct.pack("=Q", 2), Phase.ENTRY, "[RWH_WRITE_LIFE_SHORT]"),
        (0x40D, "F_GET_FILE_RW_HINT", struct.pack("=Q", 2), Phase.EXIT, "[RWH_WRITE_LIFE_SHORT]"),
        (0x40E, "F_SET_FILE_RW_HINT", struct.pack("=Q", 2), Phase.ENTRY, "[RWH_WRITE_LIFE_SHORT]"),
        (15, "F_SETOWN_EX", struct.pack("=2i", 1, 7), Phase.ENTRY, "{type=F_OWNER_PID, pid=7}"),
        (16, "F_GETOWN_EX", struct.pack("=2i", 1, 7), Phase.EXIT, "{type=F_OWNER_PID, pid=7}"),
    ],
)
def test_what_fcntl_gives_or_takes_in_memory(
    command: int, name: str, data: bytes, phase: Phase, text: str
) -> None:
    assert of_fcntl(command, data, phase) == f"{name}, {text}"
    assert of_fcntl(command, data, Phase(1 - phase)) == f"{name}, 0x100"


@pytest.mark.parametrize(
    ("op", "args", "text"),
    [
        ("mount", (0, 0, 0, 0xC0ED0000, 0), "NULL, NULL, NULL, MS_MGC_VAL, NULL"),
        ("mount", (0, 0, 0, 0xC0ED0001, 0), "NULL, NULL, NULL, MS_MGC_VAL|MS_RDONLY, NULL"),
        ("mount", (0, 0, 0, 0x20001, 0), "NULL, NULL, NULL, MS_RDONLY|MS_UNBINDABLE, NULL"),
        ("swapon", (0, 0), "NULL, 0"),
        ("swapon", (0, 5), "NULL, 5"),
        ("swapon", (0, 0x8000), "NULL, SWAP_FLAG_PREFER|0"),
        ("swapon", (0, 0x10000), "NULL, SWAP_FLAG_DISCARD"),
        ("swapon", (0, 0x10005), "NULL, SWAP_FLAG_DISCARD|5"),
        ("quotactl", (0x80000701, 0, 0, 0), "QCMD(Q_GETQUOTA, GRPQUOTA), NULL, 0, NULL"),
        ("quotactl", (0x12300, 0, 0, 0), "QCMD(0x123 /* Q_??? */, USRQUOTA), NULL, 0, NULL"),
        ("memfd_create", (0x100, 0), "0x100, 0"),
        ("memfd_create", (0x100, 3), "0x100, MFD_CLOEXEC|MFD_ALLOW_SEALING"),
        ("memfd_create", (0x100, 0x20), "0x100, 0x20"),
        ("memfd_create", (0x100, 4 | 21 << 26), "0x100, MFD_HUGETLB|21<<MFD_HUGE_SHIFT"),
        ("memfd_create", (0x100, 63 << 26), "0x100, 63<<MFD_HUGE_SHIFT"),
        ("fanotify_init", (0, 0), "FAN_CLASS_NOTIF, O_RDONLY"),
        ("fanotify_init", (5, 0), "FAN_CLASS_CONTENT|FAN_CLOEXEC, O_RDONLY"),
        ("fanotify_init", (8, 0), "FAN_CLASS_PRE_CONTENT, O_RDONLY"),
        ("fanotify_init", (12, 0), "0xc /* FAN_CLASS_??? */, O_RDONLY"),
        ("fanotify_mark", (3, 1, 0x20, -1, 0), "3, FAN_MARK_ADD, FAN_OPEN, FAN_NOFD, NULL"),
        ("fanotify_mark", (3, 1, 0x20, -100, 0), "3, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, NULL"),
        ("statx", (3, 0, 0, 0x7FF, 0), "3, NULL, AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, NULL"),
        (
            "statx",
            (3, 0, 0x2100, 1, 0),
            "3, NULL, AT_STATX_FORCE_SYNC|AT_SYMLINK_NOFOLLOW, STATX_TYPE, NULL",
        ),
        (
            "statx",
            (3, 0, 0x6000, 1, 0),
            "3, NULL, AT_STATX_FORCE_SYNC|AT_STATX_DONT_SYNC, STATX_TYPE, NULL",
        ),
    ],
)
def test_flags_are_those_of_the_call(op: str, args: tuple[int, ...], text: str) -> None:
    assert shown(op, *args) == text


@pytest.mark.parametrize(
    ("command", "name", "text"),
    [
        (0x01234567, "LINUX_REBOOT_CMD_RESTART", ""),
        (0xA1B2C3D4, "LINUX_REBOOT_CMD_RESTART2", ', "x"'),
    ],
)
def test_only_one_command_of_reboot_takes_a_text(command: int, name: str, text: str) -> None:
    memory = [Piece(3, Phase.ENTRY, 0x100, b"x\0")]

    assert shown("reboot", 0xFEE1DEAD, 672274793, command, 0x100, memory=memory) == (
        f"LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, {name}{text}"
    )


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (0, 'FSCONFIG_SET_FLAG, "k", 0x200'),
        (1, 'FSCONFIG_SET_STRING, "k", "v"'),
        (2, 'FSCONFIG_SET_BINARY, "k", 0x200'),
        (3, 'FSCONFIG_SET_PATH, "k", "v"'),
        (4, 'FSCONFIG_SET_PATH_EMPTY, "k", "v"'),
        (5, 'FSCONFIG_SET_FD, "k", 0x200'),
    ],
)
def test_some_settings_of_a_file_system_are_texts(command: int, text: str) -> None:
    memory = [Piece(2, Phase.ENTRY, 0x100, b"k\0"), Piece(3, Phase.ENTRY, 0x200, b"v\0")]

    assert shown("fsconfig", 3, command, 0x100, 0x200, 5, memory=memory) == f"3, {text}, 5"


@pytest.mark.parametrize(
    ("times", "text"),
    [
        (
            (DATED, 5, 0, 0),
            f"{{tv_sec={DATED}, tv_nsec=5}} /* {DATE}.000000005+0000 */, {{tv_sec=0, tv_nsec=0}}",
        ),
        ((0, NOW, 0, NOW), "UTIME_NOW, UTIME_NOW"),
        ((0, OMIT, 0, NOW), "UTIME_OMIT, UTIME_NOW"),
        ((DATED, 0, 0, OMIT), f"{{tv_sec={DATED}, tv_nsec=0}} /* {DATE}+0000 */, UTIME_OMIT"),
    ],
)
def test_a_time_may_be_now_or_stay(times: tuple[int, ...], text: str) -> None:
    memory = [Piece(2, Phase.ENTRY, 0x200, struct.pack("=4q", *times))]

    assert shown("utimensat", -100, 0x100, 0x200, 0, memory=memory) == (
        f"AT_FDCWD, 0x100, [{text}], 0"
    )


def test_a_time_in_microseconds_has_six_digits() -> None:
    memory = [Piece(1, Phase.ENTRY, 0x200, struct.pack("=4q", DATED, 120_000, 0, 0))]

    assert shown("utimes", 0x100, 0x200, memory=memory) == (
        f"0x100, [{{tv_sec={DATED}, tv_usec=120000}} /* {DATE}.120000+0000 */, "
        "{tv_sec=0, tv_usec=0}]"
    )
    assert shown("utimes", 0x100, 0) == "0x100, NULL"


@pytest.mark.parametrize(
    ("mode", "text", "size"),
    [
        (0o100644, "S_IFREG|0644", "st_size=1234"),
        (0o020644, "S_IFCHR|0644", "st_rdev=makedev(0x1, 0x3)"),
        (0o060644, "S_IFBLK|0644", "st_rdev=makedev(0x1, 0x3)"),
        (0o010644, "S_IFIFO|0644", "st_size=1234"),
    ],
)
def test_a_file_has_a_size_and_a_device_a_number(mode: int, text: str, size: str) -> None:
    numbers = (0x801, 77, 2, mode, 1, 5, 0, 0x103, 1234, 4096, 8, DATED, 5, 0, 0, 1, 0)
    memory = [Piece(1, Phase.EXIT, 0x200, struct.pack("=QQQIIIIQqqqQQQQQQ24x", *numbers))]

    assert shown("stat", 0x100, 0x200, memory=memory) == (f"0x100, {{st_mode={text}, {size}, ...}}")
    assert shown("stat", 0x100, 0x200, memory=memory, verbose=True) == (
        f"0x100, {{st_dev=makedev(0x8, 0x1), st_ino=77, st_mode={text}, st_nlink=2, st_uid=1, "
        f"st_gid=5, st_blksize=4096, st_blocks=8, {size}, st_atime={DATED} /* "
        f"{DATE}.000000005+0000 */, st_atime_nsec=5, st_mtime=0, st_mtime_nsec=0, st_ctime=1 /* "
        "1970-01-01T00:00:01+0000 */, st_ctime_nsec=0}"
    )
    assert shown("stat", 0x100, 0x200, result=-2, memory=memory).startswith("0x100, 0x200)")


@pytest.mark.parametrize(
    ("mask", "name", "born", "direct"),
    [
        (0x7FF, "STATX_BASIC_STATS", False, False),
        (0xFFF, "STATX_ALL", True, False),
        (0x27FF, "STATX_BASIC_STATS|STATX_DIOALIGN", False, True),
    ],
)
def test_a_statx_has_what_its_mask_says(mask: int, name: str, born: bool, direct: bool) -> None:
    head = (mask, 4096, 4, 2, 1, 5, 0o100644, 0, 77, 1234, 8, 0x100000)
    times = b"".join(struct.pack("=qI4x", number, 0) for number in (10, 20, 30, 40))
    data = struct.pack("=IIQIIIHHQQQQ", *head) + times
    data += struct.pack("=4IQII", 1, 3, 8, 2, 0x20, 512, 1024)
    memory = [Piece(4, Phase.EXIT, 0x200, data.ljust(256, b"\0"))]
    asked = "3, 0x100, AT_STATX_SYNC_AS_STAT, STATX_TYPE"

    assert shown("statx", 3, 0x100, 0, 1, 0x200, memory=memory) == (
        f"{asked}, {{stx_mask={name}, stx_attributes=STATX_ATTR_COMPRESSED, "
        "stx_mode=S_IFREG|0644, stx_size=1234, ...}"
    )
    at = "{{tv_sec={0}, tv_nsec=0}} /* 1970-01-01T00:00:{0}+0000 */".format
    birth = f"stx_btime={at(20)}, " if born else ""
    end = ", stx_dio_mem_align=512, stx_dio_offset_align=1024" if direct else ""
    assert shown("statx", 3, 0x100, 0, 1, 0x200, memory=memory, verbose=True) == (
        f"{asked}, {{stx_mask={name}, stx_blksize=4096, stx_attributes=STATX_ATTR_COMPRESSED, "
        "stx_nlink=2, stx_uid=1, stx_gid=5, stx_mode=S_IFREG|0644, stx_ino=77, stx_size=1234, "
        f"stx_blocks=8, stx_attributes_mask=STATX_ATTR_VERITY, stx_atime={at(10)}, {birth}"
        f"stx_ctime={at(30)}, stx_mtime={at(40)}, stx_rdev_major=1, stx_rdev_minor=3, "
        f"stx_dev_major=8, stx_dev_minor=2, stx_mnt_id=0x20{end}}}"
    )
