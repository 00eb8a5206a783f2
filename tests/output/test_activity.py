"""AppView's tables of peers and files."""

from __future__ import annotations

from scopetrace.model.flow import Address
from scopetrace.output.activity import file_bodies, network_bodies, network_table
from support.flow_builder import flow


def test_a_peer_has_one_row_with_its_sums():
    other = Address("inet", "10.0.0.9", 443)
    flows = [
        flow(bytes_sent=1, bytes_recv=10),
        flow(bytes_sent=2, bytes_recv=None, closed_ns=None),
        flow(peer=other),
        flow(peer=Address("unix", "/run/app.sock", 0, 7), transport="Unix.TCP"),
        flow(peer=Address("netlink", "0", 0), transport="Netlink.UDP"),
        flow(peer=None),
    ]
    bodies = network_bodies(flows, {("93.184.216.34", 80): "example.org"})

    assert bodies == [
        {
            "url": "example.org",
            "ip": "93.184.216.34",
            "port": 80,
            "duration": 1_000_000_000,
            "bytes_sent": 3,
            "bytes_received": 10,
        },
        {
            "url": "-",
            "ip": "10.0.0.9",
            "port": 443,
            "duration": 1_000_000_000,
            "bytes_sent": 0,
            "bytes_received": 0,
        },
    ]
    table = network_table(bodies, 80).splitlines()
    assert table[0].split() == [
        "IP",
        "PORT",
        "DURATION",
        "BYTES",
        "SENT",
        "BYTES",
        "RECEIVED",
        "URL",
    ]
    assert table[1].split() == ["93.184.216.34", "80", "1s", "3", "B", "10", "B", "example.org"]
    assert max(map(len, table)) <= 80


def test_files_without_reads_and_writes_have_no_row():
    assert file_bodies([]) == []
