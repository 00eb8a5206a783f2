from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.decode.addresses import (
    MOST_BOUND,
    BoundNames,
    as_known,
    as_passed,
    family_name,
    is_unspecified,
    named,
    parse_address,
    transport_name,
)
from scopetrace.model.flow import Address
from scopetrace.syscalls.names import name_set
from support.raw_builder import pack_inet, pack_unix

BLUETOOTH = 31
"""AF_BLUETOOTH, which the module socket has only where Python was built with its headers."""


@given(st.ip_addresses(), st.integers(0, 65535))
def test_internet_addresses_are_spelt_as_the_c_library_spells_them(ip, port):
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6

    address = parse_address(pack_inet(str(ip), port))

    assert address is not None
    assert socket.inet_pton(family, address.host) == ip.packed
    assert address.host == socket.inet_ntop(family, ip.packed)
    assert address.port == port


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        (b"/run/x.sock\0\0\0", "/run/x.sock"),
        (b"/run/x.sock", "/run/x.sock"),
        (b"", ""),
        (b"\0", ""),
        (b"\0abstract", "@abstract"),
        (b"\0a\0b", "@a\0b"),
        (b"/\xff", "/\udcff"),
    ],
)
def test_unix_addresses_are_paths_abstract_names_or_nothing(raw, host):
    assert parse_address(pack_unix(raw), inode=7) == Address("unix", host, 0, 7)


def test_netlink_and_vsock_have_numbers():
    assert parse_address(b"\x10\0\0\0\x05\0\0\0\0\0\0\0") == Address("netlink", "5", 0)
    assert parse_address(b"\x28\0\0\0\x50\0\0\0\x02\0\0\0") == Address("vsock", "2", 80)


@pytest.mark.parametrize(
    ("length", "host"), [(6, "02:00:00:00:00:01"), (0, ""), (9, "02:00:00:00:00:01:00:00")]
)
def test_a_packet_socket_has_the_hardwares_address(length, host):
    raw = struct.pack("=HHiHBB8s", 17, 0, 2, 1, 0, length, b"\2\0\0\0\0\1")

    assert parse_address(raw) == Address("packet", host, 0, 0, 2)
    cut = Address("packet", ":".join(["00"] * min(length, 8)), 0, 0, 2)
    assert parse_address(raw[:12]) == cut


def test_an_address_of_a_link_is_of_an_interface():
    raw = struct.pack("=H", 10) + b"\0\x50" + bytes(4) + bytes.fromhex("fe80" + "00" * 13 + "01")

    assert parse_address(raw + struct.pack("=I", 4)) == Address("inet6", "fe80::1", 80, 0, 4)
    assert parse_address(raw) == Address("inet6", "fe80::1", 80)


@pytest.mark.parametrize("raw", [None, b"", b"\x02", b"\0\0"])
def test_no_address_is_none(raw):
    assert parse_address(raw) is None


def test_an_address_without_a_family_dissolves():
    assert is_unspecified(b"\0\0abc")
    assert not is_unspecified(pack_inet())
    assert not is_unspecified(None)


@given(st.binary(max_size=128))
def test_any_bytes_are_an_address_or_none(raw):
    address = parse_address(raw)
    assert address is None or isinstance(address.host, str)


@pytest.mark.parametrize(
    ("domain", "kind", "protocol", "name"),
    [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "IP.TCP"),
        (socket.AF_INET6, socket.SOCK_STREAM | socket.SOCK_CLOEXEC, 0, "IP.TCP"),
        (socket.AF_INET, socket.SOCK_STREAM, 132, "IP.SCTP"),
        (socket.AF_INET, socket.SOCK_DGRAM, 0, "IP.UDP"),
        (socket.AF_INET, socket.SOCK_DGRAM, 1, "IP.ICMP"),
        (socket.AF_INET, socket.SOCK_RAW, 1, "IP.RAW"),
        (socket.AF_UNIX, socket.SOCK_STREAM, 0, "Unix.TCP"),
        (socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, "Unix.SEQPACKET"),
        (socket.AF_NETLINK, socket.SOCK_RAW, 0, "Netlink"),
        (socket.AF_PACKET, socket.SOCK_RAW, 3, "Packet"),
        (BLUETOOTH, socket.SOCK_SEQPACKET, 0, "Bluetooth.SEQPACKET"),
        (999, 9, 0, "999.9"),
    ],
)
def test_transports_have_the_names_that_users_know(domain, kind, protocol, name):
    assert transport_name(domain, kind, protocol) == name


NAMED = "unix inet inet6 netlink packet vsock ax25 ipx key can bluetooth alg xdp"


@pytest.mark.parametrize("name", NAMED.split())
def test_families_have_the_names_of_the_kernels_headers(name):
    assert family_name(dict(name_set("family").flags)[f"AF_{name.upper()}"]) == name


THERE = Address("unix", "/d/server", 0, 7, bound="server")


def test_a_unix_socket_is_where_its_path_leads():
    assert named(Address("unix", "server", 0), b"/d/server").host == "/d/server"
    assert named(Address("inet", "::1", 80), b"/d/server").host == "::1"
    assert named(None, b"/d/server") is None


def test_what_the_kernel_knows_it_by_is_said_if_that_is_different():
    passed = Address("unix", "/d/server", 0)

    assert as_passed(Address("unix", "server", 0, 7), passed) == THERE
    assert as_passed(Address("unix", "/d/server", 0, 7), passed).bound == ""
    assert as_passed(Address("unix", "@x", 0, 7), Address("unix", "@x", 0)).host == "@x"


@pytest.mark.parametrize("host", ["server", "/d/server"])
def test_what_is_known_already_keeps_its_name(host):
    assert as_known(Address("unix", host, 0), THERE) == THERE
    assert as_known(Address("unix", "other", 0), THERE).host == "other"
    assert as_known(None, THERE) is None


def test_an_answer_is_from_the_socket_that_was_bound_so():
    bound = BoundNames()
    bound.note(THERE)

    assert bound.as_bound(Address("unix", "server", 0)).host == "/d/server"
    assert bound.as_bound(Address("unix", "client", 0)).host == "client"
    assert bound.as_bound(None) is None


def test_of_two_sockets_that_were_bound_so_it_may_be_either():
    bound = BoundNames()
    bound.note(THERE)
    bound.note(THERE._replace(host="/e/server"))

    assert bound.as_bound(Address("unix", "server", 0)).host == "server"


def test_not_all_names_are_remembered():
    bound = BoundNames()
    for number in range(MOST_BOUND + 1):
        bound.note(Address("unix", f"/d/{number}", 0, bound=f"{number}"))

    assert bound.as_bound(Address("unix", "0", 0)).host == "0"
    assert bound.as_bound(Address("unix", f"{MOST_BOUND}", 0)).host == f"/d/{MOST_BOUND}"
