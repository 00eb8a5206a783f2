"""Socket addresses as the kernel lays them out, and the names of what sockets speak.

Layouts: ip(7), ipv6(7), unix(7), netlink(7), packet(7). The family is in the machine's byte
order, ports are in the network's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from scopetrace.decode.paths import text
from scopetrace.model.flow import Address

FAMILY = struct.Struct("=H")
INET = struct.Struct("!2xH4s")
INET6 = struct.Struct("!2xH4x16s")
SCOPE = struct.Struct("=24xI")
NETLINK = struct.Struct("=4xI")
VSOCK = struct.Struct("=4xII")
PACKET = struct.Struct("=4xi3xB8s")

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK = 1, 2, 10, 16, 17, 40
"""Address families (address_families(7)); the module `socket` would take as long to import as all
the rest of this folder."""
NAMES = {
    AF_UNIX: "unix",
    AF_INET: "inet",
    AF_INET6: "inet6",
    AF_NETLINK: "netlink",
    AF_PACKET: "packet",
    AF_VSOCK: "vsock",
    3: "ax25",
    4: "ipx",
    15: "key",
    29: "can",
    31: "bluetooth",
    38: "alg",
    44: "xdp",
}

TYPE_MASK = 0xF
"""The bits of socket(2)'s type that are no flags."""
STREAM, DATAGRAM, RAW, RDM, SEQPACKET = 1, 2, 3, 4, 5
TYPES = {STREAM: "TCP", DATAGRAM: "UDP", RAW: "RAW", RDM: "RDM", SEQPACKET: "SEQPACKET"}
"""What the second half of a transport is called, as AppScope has it for unix sockets too."""
PROTOCOLS = {1: "ICMP", 58: "ICMP", 132: "SCTP"}
"""Protocols of IP that do not follow from the type of a socket (/etc/protocols)."""
FAMILIES = {AF_INET: "IP", AF_INET6: "IP", AF_UNIX: "Unix", AF_VSOCK: "Vsock"}
WITHOUT_TYPES = {AF_NETLINK: "Netlink", AF_PACKET: "Packet"}


def transport_name(domain: int, kind: int, protocol: int) -> str:
    """Return IP.TCP, Unix.UDP, Netlink…: what a socket of these three numbers speaks."""
    if domain in WITHOUT_TYPES:
        return WITHOUT_TYPES[domain]
    family = FAMILIES.get(domain) or family_name(domain).title()
    kind &= TYPE_MASK
    if family == "IP" and kind != RAW and protocol in PROTOCOLS:
        return f"IP.{PROTOCOLS[protocol]}"
    return f"{family}.{TYPES.get(kind) or kind}"


def family_name(family: int) -> str:
    """Return the name of an address family, without AF_ and in lower case."""
    return NAMES.get(family) or str(family)


def parse_address(raw: bytes | None, inode: int = 0) -> Address | None:
    """Return what a struct sockaddr says; None if it is none, or of no family (AF_UNSPEC).

    `inode` is that of the unix socket that has this address.
    """
    if raw is None or len(raw) < FAMILY.size:
        return None
    (family,) = FAMILY.unpack_from(raw)
    if family == 0:
        return None
    parse = PARSERS.get(family)
    try:
        host, port, interface = parse(raw) if parse else ("", 0, 0)
    except struct.error:
        return None
    inode = inode if family == AF_UNIX else 0
    return Address(family_name(family), host, port, inode, interface)


def named(address: Address | None, name: bytes | None) -> Address | None:
    """Return an address whose path, if it has one, is the name that the kernel has for it."""
    if address is None or not name or address.family != "unix":
        return address
    return address._replace(host=text(name))


def as_passed(kernel: Address | None, passed: Address) -> Address:
    """Return what a program called `kernel`: its path, and what the kernel calls it if different.

    The kernel knows a unix socket by what was passed to bind(2), whatever that was relative to.
    """
    if kernel is None or passed.host[:1] != "/" or kernel.family != "unix":
        return kernel or passed
    bound = "" if kernel.host == passed.host else kernel.host
    return passed._replace(inode=kernel.inode, bound=bound)


def as_known(kernel: Address | None, known: Address | None) -> Address | None:
    """Return what the kernel says under the name that is known for it, if it is the same."""
    if kernel is None or known is None or not kernel.host:
        return kernel
    if kernel.family != "unix" or kernel.host not in (known.bound, known.host):
        return kernel
    return known._replace(inode=kernel.inode or known.inode)


MOST_BOUND = 4096


class BoundNames:
    """What unix sockets of a session were bound by, where that is not the name of their path.

    Where two sockets were bound by one relative name in two folders, it may be either.
    """

    def __init__(self) -> None:
        self._paths: dict[str, set[str]] = {}

    def note(self, address: Address) -> None:
        """Remember what a socket was bound by."""
        if not address.bound:
            return
        self._paths.setdefault(address.bound, set()).add(address.host)
        if len(self._paths) > MOST_BOUND:
            del self._paths[next(iter(self._paths))]

    def as_bound(self, address: Address | None) -> Address | None:
        """Return an address that the kernel gave by the name of its path, if that is known."""
        if address is None or address.family != "unix" or address.bound:
            return address
        paths = self._paths.get(address.host, ())
        if len(paths) != 1:
            return address
        return address._replace(host=next(iter(paths)), bound=address.host)


def is_unspecified(raw: bytes | None) -> bool:
    """Whether an address is of no family: it dissolves a connection (connect(2))."""
    return raw is not None and raw[:2] == b"\0\0"


Place = tuple[str, int, int]
"""Host, port and interface."""


def _inet(raw: bytes) -> Place:
    port, host = INET.unpack_from(raw)
    return "{}.{}.{}.{}".format(*host), port, 0


def _inet6(raw: bytes) -> Place:
    """Return what is in a sockaddr_in6; those of before RFC 2553 have no scope at their end."""
    from socket import inet_ntop

    port, host = INET6.unpack_from(raw)
    scope: int = SCOPE.unpack_from(raw)[0] if len(raw) >= SCOPE.size else 0
    return inet_ntop(AF_INET6, host), port, scope


def _unix(raw: bytes) -> Place:
    path = raw[2:]
    if path[:1] == b"\0":  # abstract: every byte counts, a NUL too
        return ("@" + text(path[1:]) if len(path) > 1 and path.strip(b"\0") else ""), 0, 0
    return text(path.partition(b"\0")[0]), 0, 0


def _netlink(raw: bytes) -> Place:
    return str(NETLINK.unpack_from(raw)[0]), 0, 0


def _vsock(raw: bytes) -> Place:
    port, context = VSOCK.unpack_from(raw)
    return str(context), port, 0


def _packet(raw: bytes) -> Place:
    whole = raw[: PACKET.size].ljust(PACKET.size, b"\0")
    interface, length, hardware = PACKET.unpack(whole)
    return hardware[:length].hex(":"), 0, interface


PARSERS: dict[int, Callable[[bytes], Place]] = {
    AF_INET: _inet,
    AF_INET6: _inet6,
    AF_UNIX: _unix,
    AF_NETLINK: _netlink,
    AF_VSOCK: _vsock,
    AF_PACKET: _packet,
}
