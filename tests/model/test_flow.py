from __future__ import annotations

import pytest

from scopetrace.model.flow import Address, Flow, FlowUsage


def test_the_key_of_a_unix_address_is_its_name_alone():
    full = Address("unix", "/run/a", 0, inode=7, bound="a")

    assert full.key == Address("unix", "/run/a", 0).key == Address("unix", "/run/a", 0)


def test_unnamed_sockets_differ_by_their_inodes():
    assert Address("unix", "", 0, inode=7).key != Address("unix", "", 0, inode=8).key


def test_links_differ_by_their_interface():
    assert Address("inet6", "fe80::1", 80, interface=1).key != Address("inet6", "fe80::1", 80).key


@pytest.mark.parametrize(
    ("transport", "is_stream"),
    [
        ("IP.TCP", True),
        ("Unix.TCP", True),
        ("IP.UDP", False),
        ("Unix.UDP", False),
        ("IP.RAW", False),
        ("Unix.SEQPACKET", False),
    ],
)
def test_the_transport_says_whether_it_is_a_stream(transport, is_stream):
    assert Flow(transport, None, None, "", 0).is_stream == is_stream


def test_the_protocol_is_all_layers_in_their_order():
    flow = Flow("IP.TCP", None, None, "client", 0)
    assert flow.protocol == ""
    flow.layers = ("SMTP", "TLS")
    assert flow.protocol == "SMTP,TLS"


def test_what_was_measured_is_not_measured_again():
    usage = FlowUsage(opened=True)
    usage.add(outgoing=True, count=10)
    usage.add(outgoing=False, count=3)
    assert usage.unmeasured() == (1, 3, 1, 10)
    usage.add(outgoing=False, count=4)
    assert usage.unmeasured() == (1, 4, 0, 0)
    assert usage.unmeasured() == (0, 0, 0, 0)
