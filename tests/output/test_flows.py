from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.flow import Address
from scopetrace.output.flows import address_text, endpoint_text, flow_body, flow_table, format_flow
from support.flow_builder import flow, piece, with_payload
from support.session_builder import SECOND, STARTED_NS

pytestmark = pytest.mark.usefixtures("utc")

NOW = STARTED_NS + 187 * SECOND
UNIX = Address("unix", "/run/app.sock", 0, 77)
CLOSED = flow(id=7, bytes_sent=11, bytes_recv=2048, protocol="HTTP")
OPEN = flow(
    id=12, closed_ns=None, local=None, peer=UNIX, bytes_sent=None, bytes_recv=None, close_reason=""
)


def test_a_terminal_shows_bytes_protocol_process_and_peer_first():
    assert flow_table([CLOSED, OPEN], NOW, 80) == (
        "ID  SENT     RECV  PROTOCOL  PROC         PEER\n"
        " 7  11 B  2.0 KiB  HTTP      python3[70]  93.184.216.34:80\n"
        "12     -        -  -         python3[70]  /run/app.sock"
    )
    assert flow_table([CLOSED], NOW, 140) == (
        "ID  SENT     RECV  PROTOCOL  PROC         DURATION  LAST SENT  HOST            PEER\n"
        " 7  11 B  2.0 KiB  HTTP      python3[70]        1s       3m6s  10.0.0.2:40000"
        "  93.184.216.34:80"
    )


def test_other_programs_get_all_columns():
    headings, closed, still_open = flow_table([CLOSED, OPEN], NOW, None).splitlines()

    assert headings == (
        "ID  HOST IP   HOST PORT  PEER IP        PEER PORT  LAST SENT  DURATION"
        "  BYTES RECV  BYTES SENT  PROTOCOL  PROC"
    )
    assert closed.split()[-5:] == ["1s", "2048", "11", "HTTP", "python3"]
    assert still_open.split()[-6:] == ["-", "-", "-", "-", "-", "python3"]


@pytest.mark.parametrize("columns", [80, 100, 120, 140, 200])
def test_a_table_fits_the_terminal(columns):
    long = flow(
        peer=Address("unix", "/run/" + "a" * 300, 0, 5),
        local=Address("unix", "/" + "b" * 90, 0),
        proc="p" * 50,
        pid=4_194_304,
        protocol="PostgreSQL",
        bytes_sent=10**9,
        bytes_recv=10**9,
    )

    lines = flow_table([long, CLOSED], NOW, columns).splitlines()

    assert max(map(len, lines)) == columns
    assert "…" in lines[1]


def test_a_socketpair_is_one_row():
    one, other = Address("unix", "", 0, 5), Address("unix", "", 0, 6)
    ends = [flow(id=1, local=one, peer=other, bytes_sent=3), flow(id=2, local=other, peer=one)]

    for columns in (80, None):
        _, *rows = flow_table([*ends, CLOSED], NOW, columns).splitlines()
        assert [row.split()[0] for row in rows] == ["1", "7"]


def test_no_flows_are_a_line_of_headings():
    assert flow_table([], NOW, 80) == "ID  SENT  RECV  PROTOCOL  PROC  PEER"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (None, "-"),
        (Address("inet6", "2001:db8::1", 443), "2001:db8::1"),
        (Address("", "", 0), "-"),
        (UNIX, "/run/app.sock"),
        (Address("unix", "@\x1b[2J", 0), "@\\x1b[2J"),
        (Address("unix", "", 0, 9), "unix:9"),
        (Address("netlink", "0", 0), "kernel"),
        (Address("netlink", "70", 0), "netlink:70"),
        (Address("unix", "", 0), "unix"),
    ],
)
def test_each_kind_of_address_has_a_text(address, shown):
    assert address_text(address) == shown


def test_a_long_path_is_cut_in_the_table_and_whole_in_the_view():
    record = flow(peer=Address("unix", "/run/" + "a" * 90, 0, 5))

    for columns in (80, None):
        assert "a" * 60 not in flow_table([record], NOW, columns)
        assert "…" in flow_table([record], NOW, columns)
    assert "/run/" + "a" * 90 + " (inode 5)" in format_flow(record)


def test_one_flow_in_full():
    record = with_payload(CLOSED, [piece(b"abc", missing=3)])

    assert format_flow(record._replace(error="ECONNRESET")) == (
        "ID:             7\n"
        "Proc:           python3\n"
        "Pid:            70\n"
        "Transport:      IP.TCP\n"
        "Role:           client\n"
        "Host:           10.0.0.2:40000\n"
        "Peer:           93.184.216.34:80\n"
        "Opened:         2026-07-12 02:11:15.000000 +0000\n"
        "Last sent:      2026-07-12 02:11:15.250000 +0000\n"
        "Closed:         2026-07-12 02:11:16.000000 +0000\n"
        "Duration:       1s\n"
        "Bytes sent:     11\n"
        "Bytes received: 2048\n"
        "Protocol:       HTTP\n"
        "Close reason:   local\n"
        "Error:          ECONNRESET\n"
        "Payload out:    3 bytes, 3 missing\n"
        "Payload in:     0 bytes\n"
        f"Channel:        {STARTED_NS}"
    )


def test_what_is_not_known_is_a_dash_and_colours_are_for_labels():
    shown = format_flow(OPEN._replace(transport="", role="", closed_ns=None), color=True)

    assert "\x1b[32mClosed:\x1b[0m         -\n" in shown
    assert "\x1b[32mBytes sent:\x1b[0m     -\n" in shown
    assert "Payload" not in shown


def test_an_ipv6_address_stands_in_brackets_before_its_port():
    record = flow(peer=Address("inet6", "::1", 443), local=Address("inet6", "::1", 0))

    lines = dict(line.split(":", 1) for line in format_flow(record).splitlines())
    assert (lines["Peer"].strip(), lines["Host"].strip()) == ("[::1]:443", "::1")


def test_json_leaves_out_what_is_not_known():
    assert flow_body(CLOSED) == {
        "id": 7,
        "pid": 70,
        "proc": "python3",
        "net_transport": "IP.TCP",
        "net_host_ip": "10.0.0.2",
        "net_host_port": 40000,
        "net_peer_ip": "93.184.216.34",
        "net_peer_port": 80,
        "role": "client",
        "start_time": 1783822275.0,
        "last_sent_time": 1783822276.0,
        "duration": 1_000_000_000,
        "net_bytes_recv": 2048,
        "net_bytes_sent": 11,
        "net_protocol": "HTTP",
        "net_close_reason": "local",
        "channel": STARTED_NS,
    }
    assert flow_body(OPEN).keys() == {
        "id",
        "pid",
        "proc",
        "net_transport",
        "unix_peer_path",
        "unix_peer_inode",
        "role",
        "start_time",
        "channel",
    }


anything = st.text(st.characters(exclude_categories=()), max_size=30)


@given(anything, anything, anything)
def test_whatever_a_session_holds_it_is_shown_safely(host, proc, protocol):
    record = flow(peer=Address("", host, 1), local=Address("unix", host, 0), proc=proc)
    record = record._replace(protocol=protocol, error=protocol, role=protocol, transport=protocol)

    for line in (flow_table([record], NOW, None) + "\n" + format_flow(record)).split("\n"):
        assert not [c for c in line if ord(c) < 32 or 0x7F <= ord(c) < 0xA0]
    assert len(flow_table([record], NOW, None).split("\n")) == 2


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (None, ""),
        (Address("inet", "10.0.0.1", 80), "10.0.0.1:80"),
        (Address("inet", "10.0.0.1", 0), "10.0.0.1"),
        (Address("inet6", "::1", 80), "[::1]:80"),
        (Address("inet6", "::1", 0), "::1"),
        (UNIX, "/run/app.sock"),
    ],
)
def test_an_end_has_its_port_behind_it(address, shown):
    assert endpoint_text(address) == shown
