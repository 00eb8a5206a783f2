"""Sockets in the lines of calls: addresses, options, messages and what goes with them."""

from __future__ import annotations

import struct

import pytest

from scopetrace.syscalls.call import Phase, Piece
from support.rendered import shown

NONBLOCK, CLOEXEC = 0o4000, 0o2000000
INET = b"\2\0\0\x50\x7f\0\0\1" + bytes(8)
INET_TEXT = 'sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")'
INET6 = b"\x0a\0\1\xbb"
VECTOR = 'msg_iov=[{iov_base="abc", iov_len=3}], msg_iovlen=1'
AGAIN = "-1 EAGAIN (Resource temporarily unavailable)"


def given(argument: int, address: int, data: bytes) -> Piece:
    return Piece(argument, Phase.ENTRY, address, data)


def got(argument: int, address: int, data: bytes) -> Piece:
    return Piece(argument, Phase.EXIT, address, data)


def ints(*numbers: int) -> bytes:
    return struct.pack(f"={len(numbers)}i", *numbers)


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((2, 1, 6), "AF_INET, SOCK_STREAM, IPPROTO_TCP"),
        ((2, 2 | CLOEXEC | NONBLOCK, 17), "AF_INET, SOCK_DGRAM|SOCK_CLOEXEC|SOCK_NONBLOCK, {}"),
        ((10, 3, 58), "AF_INET6, SOCK_RAW, IPPROTO_ICMPV6"),
        ((16, 3, 9), "AF_NETLINK, SOCK_RAW, NETLINK_AUDIT"),
        ((17, 3, 0x0300), "AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)"),
        ((17, 3, 0x3412), "AF_PACKET, SOCK_RAW, htons(0x1234)"),
        ((31, 1, 3), "AF_BLUETOOTH, SOCK_STREAM, BTPROTO_RFCOMM"),
        ((40, 1, 5), "AF_VSOCK, SOCK_STREAM, 5"),
        ((1, 5, 0), "AF_UNIX, SOCK_SEQPACKET, 0"),
        ((1, 0, 0), "AF_UNIX, 0, 0"),
        ((1, 7, 0), "AF_UNIX, 0x7 /* SOCK_??? */, 0"),
        ((1, 7 | NONBLOCK, 0), "AF_UNIX, SOCK_NONBLOCK|0x7, 0"),
        ((1, 1 | 0x100, 0), "AF_UNIX, SOCK_STREAM|0x100, 0"),
    ],
)
def test_a_type_and_a_protocol_have_names(args: tuple[int, ...], text: str) -> None:
    assert shown("socket", *args, result=3) == f"{text.format('IPPROTO_UDP')}) = 3"


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (b"\1\0/a\0x", 'sa_family=AF_UNIX, sun_path="/a"'),
        (b"\1\0\0abs", 'sa_family=AF_UNIX, sun_path=@"abs"'),
        (b"\1\0", "sa_family=AF_UNIX"),
        (INET, INET_TEXT),
        (INET[:8], INET_TEXT),
        (INET[:7], r'sa_family=AF_INET, sa_data="\0P\177\0\0"'),
        (
            INET6 + b"\0\0\0\5" + bytes(15) + b"\1\2\0\0\0",
            "sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0x5), "
            'inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=2',
        ),
        (
            INET6 + bytes(19) + b"\1" + bytes(3),
            "sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), "
            'inet_pton(AF_INET6, "::1", &sin6_addr)',
        ),
        (INET6 + bytes(19), 'sa_family=AF_INET6, sa_data="\\1\\273' + "\\0" * 19 + '"'),
        (b"\x10\0\0\0" + ints(77, 5), "sa_family=AF_NETLINK, nl_pid=77, nl_groups=0x00000005"),
        (b"\x10\0\0\0" + ints(77) + b"abc", r'sa_family=AF_NETLINK, sa_data="\0\0M\0\0\0abc"'),
        (
            b"\x11\0\x08\0\0\0\0\0\1\0\4\6\1\0\3\4\5\6\7\7",
            "sa_family=AF_PACKET, sll_protocol=htons(ETH_P_IP), sll_ifindex=0, "
            "sll_hatype=ARPHRD_ETHER, sll_pkttype=PACKET_OUTGOING, sll_halen=6, "
            "sll_addr=[0x1, 0, 0x3, 0x4, 0x5, 0x6]",
        ),
        (
            b"\x11\0\x08\0\1\0\0\0\7\0\7\0" + bytes(8),
            'sa_family=AF_PACKET, sll_protocol=htons(ETH_P_IP), sll_ifindex=if_nametoindex("lo"), '
            "sll_hatype=0x7 /* ARPHRD_??? */, sll_pkttype=0x7 /* PACKET_??? */, sll_halen=0",
        ),
        (b"\x11\0" + b"a" * 17, f'sa_family=AF_PACKET, sa_data="{"a" * 17}"'),
        (b"\x11\0", "sa_family=AF_PACKET"),
        (b"\x1f\0ab", 'sa_family=AF_BLUETOOTH, sa_data="ab"'),
        (b"\x63\0ab", 'sa_family=0x63 /* AF_??? */, sa_data="ab"'),
    ],
)
def test_an_address_is_shown_by_its_family(address: bytes, text: str) -> None:
    memory = [given(1, 0x100, address)]

    assert shown("bind", 3, 0x100, len(address), memory=memory) == (
        f"3, {{{text}}}, {len(address)}"
    )


@pytest.mark.parametrize(
    ("prefix", "scope", "text"),
    [
        (b"\xfe\x80", 1, 'if_nametoindex("lo")'),
        (b"\xfe\xbf", 1, 'if_nametoindex("lo")'),
        (b"\xfe\x80", 0, "0"),
        (b"\xfe\xc0", 1, "1"),
        (b"\xfe\x40", 1, "1"),
        (b"\xff\x80", 1, "1"),
    ],
)
def test_the_scope_of_a_link_local_address_is_an_interface(
    prefix: bytes, scope: int, text: str
) -> None:
    address = INET6 + bytes(4) + prefix + bytes(14) + ints(scope)
    line = shown("bind", 3, 0x100, 28, memory=[given(1, 0x100, address)])

    assert line.endswith(f"sin6_scope_id={text}}}, 28")


@pytest.mark.parametrize(
    ("room", "size", "address", "text"),
    [
        (128, 16, INET, f"{{{INET_TEXT}}}, [128 => 16]"),
        (16, 16, INET, f"{{{INET_TEXT}}}, [16]"),
        (4, 10, b"\1\0/a/long/x", '{sa_family=AF_UNIX, sun_path="/a"}, [4 => 10]'),
        (1, 16, INET, "0x100, [1 => 16]"),
    ],
)
def test_an_address_that_was_asked_for_is_as_long_as_its_memory(
    room: int, size: int, address: bytes, text: str
) -> None:
    memory = [
        got(1, 0x100, address),
        given(2, 0x200, ints(room)),
        got(2, 0x200, ints(size)),
    ]

    assert shown("getsockname", 3, 0x100, 0x200, memory=memory) == f"3, {text}"


def test_an_address_that_was_not_given_has_no_text() -> None:
    memory = [given(2, 0x200, ints(16)), got(2, 0x200, ints(9))]

    assert shown("getsockname", 3, 0x100, 0x200, result=-9, memory=memory) == (
        "3, 0x100, [16]) = -1 EBADF (Bad file descriptor)"
    )
    assert shown("getsockname", 3, 0x100, 0) == "3, 0x100, NULL"


@pytest.mark.parametrize(
    ("level", "option", "value", "text"),
    [
        (1, 2, ints(-1), "SOL_SOCKET, SO_REUSEADDR, [-1]"),
        (1, 13, ints(1, 5), "SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=5}"),
        (1, 13, ints(1), "SOL_SOCKET, SO_LINGER, [1]"),
        (1, 20, struct.pack("=2q", 1, 2), "SOL_SOCKET, SO_RCVTIMEO_OLD, {tv_sec=1, tv_usec=2}"),
        (1, 21, struct.pack("=2q", 1, 2), "SOL_SOCKET, SO_SNDTIMEO_OLD, {tv_sec=1, tv_usec=2}"),
        (1, 20, ints(1, 1), "SOL_SOCKET, SO_RCVTIMEO_OLD, [1]"),
        (1, 25, b"eth0", 'SOL_SOCKET, SO_BINDTODEVICE, "eth0"'),
        (6, 13, b"cubic", 'SOL_TCP, TCP_CONGESTION, "cubic"'),
        (6, 31, b"tls", 'SOL_TCP, TCP_ULP, "tls"'),
        (6, 1, ints(1, 2), "SOL_TCP, TCP_NODELAY, [1]"),
        (6, 20, struct.pack("=2q", 1, 2), "SOL_TCP, TCP_REPAIR_QUEUE, [1]"),
        (0, 1, ints(1), "SOL_IP, IP_TOS, [1]"),
        (41, 26, ints(1), "SOL_IPV6, IPV6_V6ONLY, [1]"),
        (17, 1, ints(1), "SOL_UDP, UDP_CORK, [1]"),
        (255, 1, ints(1), "SOL_RAW, ICMP_FILTER, [1]"),
        (263, 1, ints(1), "SOL_PACKET, PACKET_ADD_MEMBERSHIP, [1]"),
        (270, 1, ints(1), "SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, [1]"),
        (282, 1, ints(1), "SOL_TLS, TLS_TX, [1]"),
        (9, 1, ints(1), "0x9 /* SOL_?? */, 1, [1]"),
        (9, 1, ints(1, 1), r'0x9 /* SOL_?? */, 1, "\1\0\0\0\1\0\0\0"'),
        (1, 2, b"ab", 'SOL_SOCKET, SO_REUSEADDR, "ab"'),
        (1, 9, b"", "SOL_SOCKET, SO_KEEPALIVE, 0x100"),
    ],
)
def test_an_option_that_is_set_has_its_own_value(
    level: int, option: int, value: bytes, text: str
) -> None:
    memory = [given(3, 0x100, value)]

    assert shown("setsockopt", 3, level, option, 0x100, len(value), memory=memory) == (
        f"3, {text}, {len(value)}"
    )


@pytest.mark.parametrize(
    ("level", "option", "value", "text"),
    [
        (1, 4, ints(111), "SOL_SOCKET, SO_ERROR, [ECONNREFUSED]"),
        (1, 4, ints(0), "SOL_SOCKET, SO_ERROR, [0]"),
        (1, 4, b"", "SOL_SOCKET, SO_ERROR, 0x100"),
        (1, 17, ints(7, 0, 5), "SOL_SOCKET, SO_PEERCRED, {pid=7, uid=0, gid=5}"),
        (1, 17, ints(7), "SOL_SOCKET, SO_PEERCRED, [7]"),
        (1, 13, ints(1, 5), "SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=5}"),
        (6, 13, b"cubic\0", r'SOL_TCP, TCP_CONGESTION, "cubic\0"'),
        (6, 4, ints(111), "SOL_TCP, TCP_KEEPIDLE, [111]"),
        (1, 3, ints(1), "SOL_SOCKET, SO_TYPE, [1]"),
        (1, 3, ints(1, 1), r'SOL_SOCKET, SO_TYPE, "\1\0\0\0\1\0\0\0"'),
    ],
)
def test_an_option_that_was_asked_for_is_as_long_as_the_kernel_says(
    level: int, option: int, value: bytes, text: str
) -> None:
    memory = [
        got(3, 0x100, value),
        given(4, 0x200, ints(64)),
        got(4, 0x200, ints(len(value))),
    ]

    assert shown("getsockopt", 3, level, option, 0x100, 0x200, memory=memory) == (
        f"3, {text}, [64 => {len(value)}]"
    )
    name = ", ".join(text.split(", ")[:2])
    assert shown("getsockopt", 3, level, option, 0x100, 0x200, result=-9, memory=memory) == (
        f"3, {name}, 0x100, [64]) = -1 EBADF (Bad file descriptor)"
    )


def control(level: int, kind: int, body: bytes, size: int | None = None) -> bytes:
    """Lay out a control message; `size`: what it says of itself."""
    head = struct.pack("=QII", 16 + len(body) if size is None else size, level, kind)
    return head + body + bytes(-len(body) % 8)


def header(control_size: int = 0, name_size: int = 0, flags: int = 0, vector: int = 0x200) -> bytes:
    """Lay out a struct msghdr of x86-64 with its padding."""
    control_at, name_at = 0x300 if control_size else 0, 0x500 if name_size else 0
    return struct.pack(
        "=QIIQQQQII", name_at, name_size, 0, vector, 1, control_at, control_size, flags, 0
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            control(1, 1, ints(5, 6)),
            "{cmsg_len=24, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[5, 6]}",
        ),
        (
            control(1, 2, ints(7, 1, 2)),
            "{cmsg_len=28, cmsg_level=SOL_SOCKET, cmsg_type=SCM_CREDENTIALS, "
            "cmsg_data={pid=7, uid=1, gid=2}}",
        ),
        (
            control(1, 2, ints(7)),
            "{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_CREDENTIALS}",
        ),
        (control(1, 1, b""), "{cmsg_len=16, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS}"),
        (
            control(0, 8, ints(-7)),
            "{cmsg_len=20, cmsg_level=SOL_IP, cmsg_type=IP_PKTINFO, cmsg_data=[-7]}",
        ),
        (
            control(0, 8, b"abcde"),
            "{cmsg_len=21, cmsg_level=SOL_IP, cmsg_type=IP_PKTINFO, "
            r'cmsg_data="\x61\x62\x63\x64\x65"}',
        ),
        (control(41, 50, b""), "{cmsg_len=16, cmsg_level=SOL_IPV6, cmsg_type=IPV6_PKTINFO}"),
        (
            control(1, 99, ints(-1)),
            "{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=0x63, cmsg_data=[-1]}",
        ),
        (
            control(99, 1, ints(1)),
            "{cmsg_len=20, cmsg_level=0x63 /* SOL_?? */, cmsg_type=0x1, cmsg_data=[1]}",
        ),
        (
            control(1, 1, ints(5)) + control(1, 1, ints(6)),
            "{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[5]}, "
            "{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[6]}",
        ),
        (
            control(1, 1, ints(5), 15) + control(1, 1, ints(6)),
            "{cmsg_len=15, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS}",
        ),
        (
            control(1, 1, ints(5), 1000),
            "{cmsg_len=1000, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[5, 0]}",
        ),
        (bytes(15), ""),
    ],
)
def test_control_messages_of_each_kind(data: bytes, text: str) -> None:
    memory = [
        given(1, 0x100, header(len(data))),
        given(1, 0x200, struct.pack("=2Q", 0x400, 3)),
        given(1, 0x400, b"abc"),
        given(1, 0x300, data),
    ]

    assert shown("sendmsg", 3, 0x100, 0, result=3, memory=memory) == (
        f"3, {{msg_name=NULL, msg_namelen=0, {VECTOR}, msg_control=[{text}], "
        f"msg_controllen={len(data)}, msg_flags=0}}, 0) = 3"
    )


@pytest.mark.parametrize(("before", "text"), [(128, "128 => 16"), (16, "16")])
def test_a_message_says_from_whom_it_came(before: int, text: str) -> None:
    memory = [
        given(1, 0x108, ints(before)),
        got(1, 0x100, header(name_size=16, flags=0x40)),
        got(1, 0x200, struct.pack("=2Q", 0x400, 3)),
        got(1, 0x400, b"abcd"),
        got(1, 0x500, INET),
    ]

    assert shown("recvmsg", 3, 0x100, 0, result=3, memory=memory) == (
        f"3, {{msg_name={{{INET_TEXT}}}, msg_namelen={text}, {VECTOR}, msg_controllen=0, "
        "msg_flags=MSG_DONTWAIT}, 0) = 3"
    )
    assert shown("recvmsg", 3, 0x100, 0, result=-11, memory=memory) == (
        f"3, {{msg_namelen={before}}}, 0) = {AGAIN}"
    )


@pytest.mark.parametrize("op", ["sendmmsg", "recvmmsg"])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_several_messages_have_a_length_each(op: str, count: int) -> None:
    phase = Phase.ENTRY if op == "sendmmsg" else Phase.EXIT
    memory = []
    for at in range(2):
        where = 0x1000 + 64 * at
        memory += [
            Piece(1, phase, where, header(vector=0x2000 + 16 * at) + ints(3 - at, 0)),
            Piece(1, phase, 0x2000 + 16 * at, struct.pack("=2Q", 0x3000 + 16 * at, 3)),
            Piece(1, phase, 0x3000 + 16 * at, b"abc"),
            got(1, where + 56, ints(3 - at)),
        ]
    texts = [
        f'{{msg_hdr={{msg_name=NULL, msg_namelen=0, msg_iov=[{{iov_base="{text}", iov_len=3}}], '
        f"msg_iovlen=1, msg_controllen=0, msg_flags=0}}, msg_len={size}}}"
        for text, size in (("abc", 3), ("abc" if op == "sendmmsg" else "ab", 2))
    ]
    line = shown(op, 3, 0x1000, 2, 0, 0, result=count, memory=memory)
    wanted = texts if op == "sendmmsg" else texts[:count]
    end = ", NULL" if op == "recvmmsg" else ""

    assert f"{line})".partition(") =")[0].rstrip(")") == f"3, [{', '.join(wanted)}], 2, 0{end}"


def test_messages_that_did_not_come_are_an_address() -> None:
    assert shown("recvmmsg", 3, 0x1000, 1, 0, 0, result=-11) == f"3, 0x1000, 1, 0, NULL) = {AGAIN}"
