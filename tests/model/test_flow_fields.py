from __future__ import annotations

import pytest

from scopetrace.model.flow import Address
from scopetrace.model.flow_fields import address_fields, peer_text


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        (Address("inet", "10.0.0.1", 80), "10.0.0.1:80"),
        (Address("inet6", "::1", 80), "[::1]:80"),
        (Address("inet6", "fe80::1", 80, 0, 2), "[fe80::1%2]:80"),
        (Address("unix", "/run/x", 0), "/run/x"),
        (Address("unix", "", 0, 5), "its peer"),
        (None, "its peer"),
    ],
)
def test_places(peer, text):
    assert peer_text(peer) == text


def test_an_address_of_a_link_has_its_zone():
    near, far = Address("inet6", "fe80::1", 80, 0, 2), Address("inet6", "2001:db8::1", 81)

    assert address_fields("IP.TCP", near, far) == {
        "net_transport": "IP.TCP",
        "net_peer_ip": "2001:db8::1",
        "net_peer_port": 81,
        "net_host_ip": "fe80::1%2",
        "net_host_port": 80,
    }


def test_a_packet_socket_has_its_interface():
    near, far = Address("packet", "", 0), Address("packet", "02:00:00:00:00:01", 0, 0, 2)

    fields = address_fields("Packet", near, far)

    assert (fields["net_peer_ip"], fields["net_peer_interface"]) == ("02:00:00:00:00:01", 2)
    assert "net_host_interface" not in fields


def test_a_socket_of_a_virtual_machine_has_a_context_and_a_port():
    fields = address_fields("Vsock.TCP", None, Address("vsock", "2", 5999))

    assert (fields["net_peer_ip"], fields["net_peer_port"]) == ("2", 5999)
