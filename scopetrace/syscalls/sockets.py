"""Sockets: families, addresses, options, messages and their control data."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

from scopetrace.model.names import error_name
from scopetrace.syscalls.call import Phase
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.quote import hexed, pointer, quoted, signed
from scopetrace.syscalls.structures import at, decoder, listed
from scopetrace.syscalls.text import buffer_at, vector_at
from scopetrace.syscalls.view import Place, Shown, View, makes, shows

LOW = 0xFFFFFFFF
SOCK_TYPE = 0xF
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET = 1, 2, 10, 16, 17
AF_VSOCK, AF_BLUETOOTH = 40, 31
ADDRESS_MAX = 128
MESSAGES_MAX = 1024
SOL_SOCKET, SOL_IP, SOL_TCP, SOL_UDP, SOL_IPV6, SOL_RAW, SOL_PACKET, SOL_NETLINK = (
    1, 0, 6, 17, 41, 255, 263, 270,
)  # fmt: skip


@shows("socktype")
def _type(view: View, value: int) -> str:
    number = value & LOW
    if not number:
        return "0"
    kind = name_set("socktype").by_value.get(number & SOCK_TYPE)
    rest = number & ~SOCK_TYPE if kind else number
    found, unnamed = name_set("sockflags").parts(rest)
    if not kind and not found:
        return name_set("socktype").value(number)
    return "|".join([*([kind] if kind else []), *found, *([hexed(unnamed)] if unnamed else [])])


PROTOCOLS = {
    AF_INET: "ipproto",
    AF_INET6: "ipproto",
    AF_NETLINK: "netlink_protocol",
    AF_BLUETOOTH: "btproto",
}


@makes("protocol")
def _protocol(place: Place) -> Shown:
    family_at = place.position()

    def shown(view: View, value: int) -> str:
        family = view.args[family_at] & LOW
        if family == AF_PACKET:
            names = name_set("ethertype").by_value
            number = socket.ntohs(value & 0xFFFF)
            return f"htons({names.get(number) or hexed(number)})"
        if family in PROTOCOLS:
            return name_set(PROTOCOLS[family]).value(value & LOW)
        return str(value)

    return shown


def _port(data: bytes) -> str:
    return f"htons({int.from_bytes(data, 'big')})"


def _unix(data: bytes) -> str:
    path = data[2:]
    if not path:
        return ""
    if path[0] == 0:
        return f"sun_path=@{quoted(path[1:])}"
    return f"sun_path={quoted(path.partition(bytes(1))[0])}"


def _inet(data: bytes) -> str:
    if len(data) < 8:
        return f"sa_data={quoted(data[2:])}"
    address = socket.inet_ntoa(data[4:8])
    return f'sin_port={_port(data[2:4])}, sin_addr=inet_addr("{address}")'


def _inet6(data: bytes) -> str:
    if len(data) < 24:
        return f"sa_data={quoted(data[2:])}"
    flow = int.from_bytes(data[4:8], "big")
    address = socket.inet_ntop(socket.AF_INET6, data[8:24])
    parts = [
        f"sin6_port={_port(data[2:4])}",
        f"sin6_flowinfo=htonl({hexed(flow) if flow else 0})",
        f'inet_pton(AF_INET6, "{address}", &sin6_addr)',
    ]
    if len(data) >= 28:
        parts.append(f"sin6_scope_id={_scope(data[8:10], int.from_bytes(data[24:28], 'little'))}")
    return ", ".join(parts)


def _scope(prefix: bytes, scope: int) -> str:
    if scope and prefix[0] == 0xFE and prefix[1] & 0xC0 == 0x80:
        return interface(scope)
    return str(scope)


def interface(index: int) -> str:
    """Return the index of a network interface, an unsigned int, as a call that would give it."""
    try:
        return f'if_nametoindex("{socket.if_indextoname(index)}")'
    except OSError:
        return str(index)


def _netlink(data: bytes) -> str:
    if len(data) < 12:
        return f"sa_data={quoted(data[2:])}"
    port, groups = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8))
    return f"nl_pid={port}, nl_groups={groups:#010x}"


def _packet(data: bytes) -> str:
    if len(data) < 20:
        return f"sa_data={quoted(data[2:])}"
    protocol = int.from_bytes(data[2:4], "big")
    index = int.from_bytes(data[4:8], "little")
    length = data[11]
    octets = ", ".join(f"{byte:#x}" if byte else "0" for byte in data[12 : 12 + min(length, 8)])
    hardware = int.from_bytes(data[8:10], "little")
    return (
        f"sll_protocol=htons({name_set('ethertype').value(protocol)}), "
        f"sll_ifindex={interface(index)}, "
        f"sll_hatype={ARP_TYPES.get(hardware) or f'{hexed(hardware)} /* ARPHRD_??? */'}, "
        f"sll_pkttype={PACKET_TYPES.get(data[10]) or f'{hexed(data[10])} /* PACKET_??? */'}, "
        f"sll_halen={length}" + (f", sll_addr=[{octets}]" if length else "")
    )


ARP_TYPES = {0: "ARPHRD_NETROM", 1: "ARPHRD_ETHER", 772: "ARPHRD_LOOPBACK", 0xFFFF: "ARPHRD_VOID"}
PACKET_TYPES = {
    0: "PACKET_HOST", 1: "PACKET_BROADCAST", 2: "PACKET_MULTICAST", 3: "PACKET_OTHERHOST",
    4: "PACKET_OUTGOING",
}  # fmt: skip
ADDRESSES: dict[int, Callable[[bytes], str]] = {
    AF_UNIX: _unix,
    AF_INET: _inet,
    AF_INET6: _inet6,
    AF_NETLINK: _netlink,
    AF_PACKET: _packet,
}


def sockaddr(data: bytes) -> str:
    """Return an address of a socket by its family."""
    family = int.from_bytes(data[:2], "little")
    head = f"sa_family={name_set('family').value(family)}"
    if len(data) <= 2 and family in ADDRESSES:
        return f"{{{head}}}"
    detail = ADDRESSES[family](data) if family in ADDRESSES else f"sa_data={quoted(data[2:])}"
    return f"{{{head}, {detail}}}" if detail else f"{{{head}}}"


def address_at(view: View, address: int, size: int, phase: Phase) -> str:
    """Return the address of a socket, or where it is if it was not copied."""
    if size < 2 or not address:
        return pointer(address)
    wanted = min(size, ADDRESS_MAX)
    data = view.read(address, wanted, phase)
    return pointer(address) if data is None else sockaddr(data)


@makes("sockaddr")
def _sockaddr(place: Place) -> Shown:
    """An address with its length in the next argument, or where that points to."""
    length_at, phase = place.position(), place.phase
    assert place.row is not None
    is_pointer = bool(place.row.arguments[length_at].kind.phases)

    def shown(view: View, address: int) -> str:
        length = view.args[length_at] & LOW
        if is_pointer:
            if view.failed:
                return pointer(address)
            before = view.number(view.args[length_at], 4, Phase.ENTRY) or 0
            after = view.number(view.args[length_at], 4, Phase.EXIT) or 0
            length = min(before, after)
        return address_at(view, address, length, phase)

    return shown


@makes("addrlen")
def _address_length(place: Place) -> Shown:
    """Where the length of an address stands: [16], or [128 => 16] if it changed."""

    def shown(view: View, address: int) -> str:
        before = view.number(address, 4, Phase.ENTRY) if address else None
        if before is None:
            return pointer(address)
        after = before if view.failed else view.number(address, 4, Phase.EXIT)
        if after is None or after == before:
            return f"[{signed(before, 32)}]"
        return f"[{signed(before, 32)} => {signed(after, 32)}]"

    return shown


LEVELS = {
    SOL_SOCKET: "so_socket",
    SOL_IP: "so_ip",
    SOL_IPV6: "so_ipv6",
    SOL_TCP: "so_tcp",
    SOL_UDP: "so_udp",
    SOL_PACKET: "so_packet",
    SOL_NETLINK: "so_netlink",
    SOL_RAW: "so_raw",
    282: "so_tls",
}


@shows("sockoptlevel")
def _level(view: View, value: int) -> str:
    return name_set("sollevel").value(value & LOW)


@makes("sockopt")
def _option(place: Place) -> Shown:
    level_at = place.position()

    def shown(view: View, value: int) -> str:
        names = LEVELS.get(view.args[level_at] & LOW)
        return name_set(names).value(value & LOW) if names else str(value & LOW)

    return shown


SO_ERROR, SO_LINGER, SO_PEERCRED = 4, 13, 17
INT = 4
SO_TIMES = (20, 21)
TEXT_OPTIONS = {(SOL_SOCKET, 25), (SOL_TCP, 13), (SOL_TCP, 31)}
"""SO_BINDTODEVICE, TCP_CONGESTION, TCP_ULP."""
STRUCTURES = {(SOL_SOCKET, SO_LINGER): "linger", (SOL_SOCKET, SO_PEERCRED): "ucred"}


@makes("optval")
def _option_value(place: Place) -> Shown:
    """The value of an option: a number, a structure or a text, by its name."""
    length_at, phase = place.position(), place.phase

    def shown(view: View, address: int) -> str:
        length = view.args[length_at] & LOW
        if phase is Phase.EXIT:
            if view.failed:
                return pointer(address)
            length = view.number(view.args[length_at], 4, Phase.EXIT) or 0
        return _option_text(view, address, length, phase)

    return shown


def _option_text(view: View, address: int, length: int, phase: Phase) -> str:
    option = (view.args[1] & LOW, view.args[2] & LOW)
    name = (
        "timeval" if option[0] == SOL_SOCKET and option[1] in SO_TIMES else STRUCTURES.get(option)
    )
    if name and length >= decoder(name, view.abi).size:
        return at(view, address, name, phase)
    if option == (SOL_SOCKET, SO_ERROR) and length == INT:
        number = view.number(address, INT, phase)
        return pointer(address) if number is None else f"[{error_name(number)}]"
    if option in TEXT_OPTIONS:
        return buffer_at(view, address, length, phase)
    if length == 4 or (length > 4 and phase is Phase.ENTRY and option[0] in LEVELS):
        number = view.number(address, 4, phase) if address else None
        return pointer(address) if number is None else f"[{signed(number, 32)}]"
    return buffer_at(view, address, length, phase) if length else pointer(address)


SCM_RIGHTS = 1
CONTROL_TYPES = {SCM_RIGHTS: "fd", 2: "ucred"}
"""Control messages of SOL_SOCKET, by type: descriptors, and SCM_CREDENTIALS."""


def _control(view: View, data: bytes) -> Iterator[str]:
    word = view.abi.word
    head = word + 8
    while len(data) >= head:
        size = int.from_bytes(data[:word], "little")
        level, kind = (int.from_bytes(data[at : at + 4], "little") for at in (word, word + 4))
        if size < head:
            yield f"{{cmsg_len={size}, {_control_type(level, kind)}}}"
            return
        body = data[head : min(size, len(data))]
        detail = _control_type(level, kind) + _control_body(view, level, kind, body)
        yield f"{{cmsg_len={size}, {detail}}}"
        data = data[-(-size // word) * word :]


def _control_type(level: int, kind: int) -> str:
    names = {SOL_SOCKET: "scm", SOL_IP: "so_ip", SOL_IPV6: "so_ipv6"}.get(level)
    text = name_set(names).by_value.get(kind) if names else None
    return f"cmsg_level={name_set('sollevel').value(level)}, cmsg_type={text or hexed(kind)}"


def _control_body(view: View, level: int, kind: int, body: bytes) -> str:
    if level == SOL_SOCKET and kind in CONTROL_TYPES:
        one = decoder(CONTROL_TYPES[kind], view.abi)
        if len(body) < one.size:
            return ""
        text = listed(view, body, one) if kind == SCM_RIGHTS else one.text(view, body)
        return f", cmsg_data={text}"
    if not body:
        return ""
    if len(body) == 4:
        return f", cmsg_data=[{int.from_bytes(body, 'little', signed=True)}]"
    return f', cmsg_data="{escaped_hex(body)}"'


def escaped_hex(data: bytes) -> str:
    """Return bytes as \\x escapes."""
    return "".join(f"\\x{byte:02x}" for byte in data)


def message_at(view: View, address: int, phase: Phase, total: int | None) -> str:
    """Return a msghdr: name, vectors, control data, flags."""
    word = view.abi.word
    size = 56 if word == 8 else 28
    data = view.read(address, size, phase) if address else None
    if data is None:
        return pointer(address)
    name, name_length, vector, count, control, control_size, flags = _header(data, word)
    parts = [
        f"msg_name={_message_name(view, name, name_length, phase, address)}",
        f"msg_namelen={_name_length(view, address, name_length, phase)}",
        f"msg_iov={vector_at(view, vector, count, phase, total)}",
        f"msg_iovlen={count}",
    ]
    if control_size:
        parts.append(f"msg_control={_control_at(view, control, control_size, phase)}")
    parts.append(f"msg_controllen={control_size}")
    parts.append(f"msg_flags={name_set('msg').of_flags(flags)}")
    return f"{{{', '.join(parts)}}}"


def _header(data: bytes, word: int) -> tuple[int, ...]:
    wide = ((0, 8), (8, 12), (16, 24), (24, 32), (32, 40), (40, 48), (48, 52))
    narrow = tuple((at, at + 4) for at in range(0, 28, 4))
    return tuple(
        int.from_bytes(data[start:end], "little") for start, end in (wide if word == 8 else narrow)
    )


def _name_length(view: View, address: int, length: int, phase: Phase) -> str:
    """Return the length of a name; what it was before if the call changed it."""
    before = view.number(address + view.abi.word, 4, Phase.ENTRY)
    if phase is Phase.ENTRY or before is None or before == length:
        return str(signed(length, 32))
    return f"{before} => {length}"


def _message_name(view: View, name: int, length: int, phase: Phase, address: int) -> str:
    return address_at(view, name, length, phase)


def _control_at(view: View, address: int, size: int, phase: Phase) -> str:
    data = view.read(address, size, phase) if address else None
    if data is None:
        return pointer(address)
    return f"[{', '.join(_control(view, data))}]"


@makes("msghdr")
def _message(place: Place) -> Shown:
    phase = place.kind.phases[-1]

    def shown(view: View, address: int) -> str:
        if phase is Phase.EXIT and view.failed:
            return _header_before(view, address)
        return message_at(view, address, phase, None if phase is Phase.ENTRY else view.result)

    return shown


def _header_before(view: View, address: int) -> str:
    """Return what is shown of a message that was not received: the length of its name."""
    length = view.number(address + view.abi.word, 4, Phase.ENTRY)
    return pointer(address) if length is None else f"{{msg_namelen={length}}}"


@makes("mmsghdr")
def _messages(place: Place) -> Shown:
    """Several messages, each with the bytes that went."""
    phase = place.phase

    def shown(view: View, address: int) -> str:
        count = view.args[place.position()]
        if phase is Phase.EXIT:
            if view.failed:
                return pointer(address)
            count = view.result or 0
        return _message_list(view, address, count, phase)

    return shown


def _message_list(view: View, address: int, count: int, phase: Phase) -> str:
    size = 64 if view.abi.word == 8 else 32
    parts = []
    if not address or (view.read(address, size, phase) is None and count):
        return pointer(address)
    for start in range(address, address + min(count & LOW, MESSAGES_MAX) * size, size):
        length_at = start + size - (8 if view.abi.word == 8 else 4)
        received = view.number(length_at, 4, Phase.EXIT)
        total = None if phase is Phase.ENTRY else received
        text = message_at(view, start, phase, total)
        parts.append(f"{{msg_hdr={text}{'' if received is None else f', msg_len={received}'}}}")
    return f"[{', '.join(parts)}]"


@shows("socketargs")
def _socket_arguments(view: View, value: int) -> str:
    """Show where the arguments of a call stand that is none."""
    return pointer(value)


@shows("socketcallno")
def _socket_call(view: View, value: int) -> str:
    number = signed(value, 32)
    return name_set("socketcall").by_value.get(number) or str(number)
