"""The line of a call."""

from __future__ import annotations

import struct

import pytest

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.render import render

PATH = Piece(1, Phase.ENTRY, 0x1000, b"willsee.log\0")


def call(number: int, *args: int, result: int | None = 0, memory: tuple[Piece, ...] = ()) -> Call:
    six = (*args, 0, 0, 0, 0, 0, 0)[:6]
    return Call(Abi.X86_64, number, six, result, memory)  # type: ignore[arg-type]


def test_an_open_that_makes_a_file() -> None:
    made = call(257, -100 & (1 << 64) - 1, 0x1000, 0o2001101, 0o666, result=3, memory=(PATH,))
    assert render(made) == (
        'openat(AT_FDCWD, "willsee.log", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = 3'
    )


def test_an_error_has_its_name_and_meaning() -> None:
    assert render(call(3, 9, result=-9)) == "close(9) = -1 EBADF (Bad file descriptor)"


def test_a_call_that_the_kernel_restarts() -> None:
    assert render(call(34, result=-514)) == (
        "pause() = ? ERESTARTNOHAND (To be restarted if no handler)"
    )


def test_a_call_that_has_not_returned_shows_what_was_given() -> None:
    assert render(call(0, 3, 0x1000, 64, result=None)) == "read(3,  <unfinished ...>) = ?"
    assert render(call(231, 0, result=None)) == "exit_group(0) = ?"


def test_memory_that_was_not_copied_is_an_address() -> None:
    assert render(call(80, 0x1000, result=-14)) == "chdir(0x1000) = -1 EFAULT (Bad address)"
    assert render(call(80, 0, result=-14)) == "chdir(NULL) = -1 EFAULT (Bad address)"


def test_a_string_that_the_limit_cut_ends_with_dots() -> None:
    written = Piece(1, Phase.ENTRY, 0x1000, b"a" * 40)
    line = render(call(1, 1, 0x1000, 100, result=100, memory=(written,)))
    assert line == f'write(1, "{"a" * 32}"..., 100) = 100'
    line = render(call(1, 1, 0x1000, 100, result=100, memory=(written,)), strings=64)
    assert line == f'write(1, "{"a" * 40}"..., 100) = 100'


def test_a_buffer_whose_beginning_cannot_be_read_is_an_address() -> None:
    written = Piece(1, Phase.ENTRY, 0x1000, b"a" * 8, fault=True)
    line = render(call(1, 1, 0x1000, 100, result=-14, memory=(written,)))
    assert line == "write(1, 0x1000, 100) = -1 EFAULT (Bad address)"


def test_bytes_that_cannot_be_printed_are_octal() -> None:
    written = Piece(1, Phase.ENTRY, 0x1000, b'\0001\1\n\t"\\\x7f\xff')
    line = render(call(1, 1, 0x1000, 9, result=9, memory=(written,)))
    assert line == r'write(1, "\0001\1\n\t\"\\\177\377", 9) = 9'


def test_descriptors_are_shown_with_what_they_are() -> None:
    assert render(call(3, 3), fd_names={3: "/etc/passwd"}) == "close(3</etc/passwd>) = 0"


def test_a_name_of_a_descriptor_is_escaped() -> None:
    name = b"/a\n\x1b[2J<\xe9>".decode(errors="surrogateescape")
    assert render(call(3, 3), fd_names={3: name}) == r"close(3</a\n\33[2J\74\351\76>) = 0"


def test_a_call_that_the_table_lacks_is_its_number() -> None:
    assert render(call(1000, 1, 2, result=-38)) == (
        "syscall_0x3e8(0x1, 0x2, 0, 0, 0, 0) = -1 ENOSYS (Function not implemented)"
    )


def test_flags_without_a_name_are_hex() -> None:
    assert render(call(9, 0, 4096, 0x100, 0x22, -1 & (1 << 64) - 1, 0, result=-22)) == (
        "mmap(NULL, 4096, 0x100 /* PROT_??? */, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)"
        " = -1 EINVAL (Invalid argument)"
    )


def test_an_i386_call_is_read_by_its_own_table() -> None:
    assert render(Call(Abi.I386, 6, (7, 0, 0, 0, 0, 0), 0)) == "close(7) = 0"


def test_an_i386_mmap_has_its_arguments_in_memory() -> None:
    data = struct.pack("<6I", 0x8000, 4096, 3, 0x22, 2**32 - 1, 0x1000)
    for size, shown in (
        (24, "0x8000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x1000"),
        (23, "0x2000"),
    ):
        memory = (Piece(0, Phase.ENTRY, 0x2000, data[:size]),)
        made = Call(Abi.I386, 90, (0x2000, 0, 0, 0, 0, 0), 0x8000, memory)
        assert render(made) == f"mmap({shown}) = 0x8000"


def test_the_end_of_a_folder_has_no_entries() -> None:
    assert render(call(217, 3, 0x1000, 32768)) == (
        "getdents64(3, 0x1000 /* 0 entries */, 32768) = 0"
    )


def test_a_call_that_the_kernel_fills_nothing_in_for_is_whole_before_it_returns() -> None:
    assert render(call(34, result=None)) == "pause() = ?"
    written = Piece(1, Phase.ENTRY, 0x1000, b"abc")
    line = render(call(1, 1, 0x1000, 3, result=None, memory=(written,)))
    assert line == 'write(1, "abc", 3) = ?'


def test_an_array_that_ends_at_a_fault_says_where() -> None:
    path = Piece(0, Phase.ENTRY, 0x1000, b"/a\0")
    words = Piece(1, Phase.ENTRY, 0x2000, struct.pack("<Q", 8), fault=True)
    line = render(call(59, 0x1000, 0x2000, 0, result=-14, memory=(path, words)))
    assert line == 'execve("/a", [0x8, ... /* 0x2008 */], NULL) = -1 EFAULT (Bad address)'

    half = Piece(1, Phase.ENTRY, 0x2000, b"x" * 6, fault=True)
    line = render(call(20, 1, 0x2000, 9, result=-14, memory=(half,)))
    assert line == "writev(1, 0x2000, 9) = -1 EFAULT (Bad address)"
    one = Piece(1, Phase.ENTRY, 0x2000, struct.pack("<QQ", 8, 1), fault=True)
    line = render(call(20, 1, 0x2000, 9, result=-14, memory=(one,)))
    assert line.startswith("writev(1, [{iov_base=0x8, iov_len=1}, ... /* 0x2010 */], 9)")


def test_all_bits_of_the_flags_of_a_handler_are_shown() -> None:
    action = Piece(1, Phase.ENTRY, 0x1000, struct.pack("<QqQQ", 1, -(1 << 31), 0, 0))
    line = render(call(13, 2, 0x1000, 0, 8, memory=(action,)))
    assert "sa_flags=SA_RESETHAND|0xffffffff00000000" in line


def control_message(size: int, kind: int) -> str:
    header = struct.pack("<QI4xQQQQI4x", 0, 0, 0, 0, 0x2000, size, 0)
    control = struct.pack("<QII", size, 1, kind) + b"\x07\0\0\0" * 4
    pieces = (Piece(1, Phase.ENTRY, 0x1000, header), Piece(1, Phase.ENTRY, 0x2000, control[:size]))
    return render(call(46, 3, 0x1000, 0, memory=pieces))


def test_a_control_message_that_is_too_short_has_no_data() -> None:
    assert "msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_CREDENTIALS}]" in (
        control_message(20, 2)
    )
    assert "cmsg_type=SCM_RIGHTS}]" in control_message(17, 1)
    assert "cmsg_data=[7]}]" in control_message(20, 1)
    assert "cmsg_data={pid=7, uid=7, gid=7}}]" in control_message(28, 2)


def test_the_index_of_an_interface_is_unsigned() -> None:
    address = Piece(1, Phase.ENTRY, 0x1000, struct.pack("<H", 17) + b"\xff" * 10 + bytes(8))
    line = render(call(49, 3, 0x1000, 20, memory=(address,)))
    assert "sll_protocol=htons(0xffff /* ETH_P_??? */), sll_ifindex=4294967295, " in line
    assert "sll_hatype=ARPHRD_VOID, sll_pkttype=0xff /* PACKET_??? */, " in line


def test_variables_are_counted_as_far_as_they_were_copied() -> None:
    path, words = Piece(0, Phase.ENTRY, 0x1000, b"/a\0"), struct.pack("<QQ", 8, 9)
    for fault, count in ((True, "2 vars, unterminated"), (False, "2+ vars")):
        variables = Piece(2, Phase.ENTRY, 0x2000, words, fault)
        line = render(call(59, 0x1000, 0, 0x2000, memory=(path, variables)))
        assert line == f'execve("/a", NULL, 0x2000 /* {count} */) = 0'


def test_random_bytes_are_shown_in_hex() -> None:
    found = Piece(0, Phase.EXIT, 0x1000, b"\x01\xfe" * 20)
    shown = r"\x01\xfe" * 16
    line = render(call(318, 0x1000, 40, 0, result=40, memory=(found,)))
    assert line == f'getrandom("{shown}"..., 40, 0) = 40'
    assert render(call(318, 0x1000, 0, 0)) == 'getrandom("", 0, 0) = 0'
    assert render(call(318, 0, 0, 0)) == "getrandom(NULL, 0, 0) = 0"
    assert render(call(318, 0x1000, 8, 0, result=-14)) == (
        "getrandom(0x1000, 8, 0) = -1 EFAULT (Bad address)"
    )


def test_a_list_of_strings_ends_with_dots_if_more_were_passed_than_are_shown() -> None:
    words = Piece(1, Phase.ENTRY, 0x2000, struct.pack("<3Q", 8, 16, 0))
    made = call(59, 0, 0x2000, 0, result=-14, memory=(words,))

    def shown(strings: int) -> str:
        return render(made, strings=strings).partition("[")[2].partition("]")[0]

    assert [shown(1), shown(2), shown(3)] == ["0x8, ...", "0x8, 0x10", "0x8, 0x10"]


def test_an_address_is_no_longer_than_the_kernel_takes_whatever_was_passed() -> None:
    address = Piece(1, Phase.ENTRY, 0x1000, b"\2\0\0P\x7f\0\0\1" + bytes(120))
    assert render(call(42, 3, 0x1000, 4096, result=-22, memory=(address,))) == (
        'connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 4096)'
        " = -1 EINVAL (Invalid argument)"
    )


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (0x0300, "{WIFEXITED(s) && WEXITSTATUS(s) == 3}"),
        (0x0009, "{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}"),
        (0x008B, "{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}"),
        (0x137F, "{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}"),
        (0x857F, "{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP | 0x80}"),
        (0x4057F, "{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP} | PTRACE_EVENT_EXEC << 16"),
        (0xFFFF, "{WIFCONTINUED(s)}"),
    ],
)
def test_a_status_is_in_the_words_of_its_macros(status: int, shown: str) -> None:
    written = Piece(1, Phase.EXIT, 0x1000, struct.pack("<I", status))
    line = render(call(61, 71, 0x1000, 0, 0, result=71, memory=(written,)))
    assert line == f"wait4(71, [{shown}], 0, NULL) = 71"


LOCK = "{l_type=F_UNLCK, l_whence=SEEK_SET, l_start=0, l_len=0"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (0, "F_DUPFD, 8192) = 0"),
        (1, "F_GETFD) = 0"),
        (2, "F_SETFD, 0x2000 /* FD_??? */) = 0"),
        (3, "F_GETFL) = 0 (flags O_RDONLY)"),
        (4, "F_SETFL, O_RDONLY|FASYNC) = 0"),
        (5, f"F_GETLK, {LOCK}, l_pid=0}}) = 0"),
        (6, f"F_SETLK, {LOCK}}}) = 0"),
        (7, f"F_SETLKW, {LOCK}}}) = 0"),
        (8, "F_SETOWN, 8192) = 0"),
        (9, "F_GETOWN) = 0"),
        (10, "F_SETSIG, 8192) = 0"),
        (11, "F_GETSIG) = 0"),
        (15, "F_SETOWN_EX, {type=F_OWNER_PGRP, pid=0}) = 0"),
        (16, "F_GETOWN_EX, {type=F_OWNER_PGRP, pid=0}) = 0"),
        (36, f"F_OFD_GETLK, {LOCK}, l_pid=0}}) = 0"),
        (37, f"F_OFD_SETLK, {LOCK}}}) = 0"),
        (38, f"F_OFD_SETLKW, {LOCK}}}) = 0"),
        (0x400, "F_SETLEASE, 0x2000 /* F_??? */) = 0"),
        (0x401, "F_GETLEASE) = 0 (F_RDLCK)"),
        (0x402, "F_NOTIFY, 0x2000 /* DN_??? */) = 0"),
        (0x406, "F_DUPFD_CLOEXEC, 8192) = 0"),
        (0x407, "F_SETPIPE_SZ, 8192) = 0"),
        (0x408, "F_GETPIPE_SZ) = 0"),
        (0x409, "F_ADD_SEALS, 0x2000 /* F_SEAL_??? */) = 0"),
        (0x40A, "F_GET_SEALS) = 0 (seals 0)"),
        (0x40B, "F_GET_RW_HINT, [RWH_WRITE_LIFE_SHORT]) = 0"),
        (0x40C, "F_SET_RW_HINT, [RWH_WRITE_LIFE_SHORT]) = 0"),
        (0x40D, "F_GET_FILE_RW_HINT, [RWH_WRITE_LIFE_SHORT]) = 0"),
        (0x40E, "F_SET_FILE_RW_HINT, [RWH_WRITE_LIFE_SHORT]) = 0"),
    ],
)
def test_each_command_of_fcntl_has_an_argument_of_its_own(command: int, shown: str) -> None:
    data = struct.pack("<Q", 2) + bytes(24)
    memory = tuple(Piece(2, phase, 0x2000, data) for phase in (Phase.ENTRY, Phase.EXIT))

    assert render(call(72, 3, command, 0x2000, memory=memory)) == f"fcntl(3, {shown}"


IPV4 = b"\2\0\0P\x7f\0\0\1"
IPV6 = struct.pack("<H", 10) + struct.pack(">HI", 80, 0x12) + bytes(15) + b"\1"
NETLINK = struct.pack("<HHII", 16, 0, 7, 0x105)
PACKET = b"\x11\0\x08\0" + struct.pack("<IHBB", 0, 772, 4, 6) + bytes(range(8))
NO_IPV6 = "\\0P\\0\\0\\0\\22" + 15 * "\\0"
NO_PACKET = "\\10\\0\\0\\0\\0\\0\\4\\3\\4\\6\\0\\1\\2\\3\\4\\5\\6"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (IPV4, 'AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")'),
        (IPV4[:-1], 'AF_INET, sa_data="\\0P\\177\\0\\0"'),
        (
            IPV6,
            "AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0x12),"
            ' inet_pton(AF_INET6, "::1", &sin6_addr)',
        ),
        (
            IPV6 + b"\7\0\0\0",
            "AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0x12),"
            ' inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=7',
        ),
        (IPV6[:-1], f'AF_INET6, sa_data="{NO_IPV6}"'),
        (NETLINK, "AF_NETLINK, nl_pid=7, nl_groups=0x00000105"),
        (NETLINK[:-1], 'AF_NETLINK, sa_data="\\0\\0\\7\\0\\0\\0\\5\\1\\0"'),
        (
            PACKET,
            "AF_PACKET, sll_protocol=htons(ETH_P_IP), sll_ifindex=0, sll_hatype=ARPHRD_LOOPBACK,"
            " sll_pkttype=PACKET_OUTGOING, sll_halen=6, sll_addr=[0, 0x1, 0x2, 0x3, 0x4, 0x5]",
        ),
        (PACKET[:-1], f'AF_PACKET, sa_data="{NO_PACKET}"'),
    ],
)
def test_an_address_is_read_whole_or_as_its_bytes(address: bytes, shown: str) -> None:
    made = call(49, 3, 0x2000, len(address), memory=(Piece(1, Phase.ENTRY, 0x2000, address),))

    assert render(made) == f"bind(3, {{sa_family={shown}}}, {len(address)}) = 0"
