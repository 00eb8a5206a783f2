from __future__ import annotations

import subprocess
from collections.abc import Callable
from ipaddress import ip_address

import pytest

from scopetrace.model.flow import Address
from scopetrace.output.payload_pcap import LeftOut, capture, choose_routes
from support.flow_builder import flow, piece, with_payload
from support.session_builder import SECOND, STARTED_NS

CHECKED = ("ip.check_checksum", "tcp.check_checksum", "udp.check_checksum")
SIX = {"local": Address("inet6", "::1", 4000), "peer": Address("inet6", "2001:db8::1", 443)}
TURNED = {
    "local": Address("inet", "93.184.216.34", 80),
    "peer": Address("inet", "10.0.0.2", 40000),
    "role": "server",
}


@pytest.fixture
def tshark(needs, tmp_path) -> Callable[..., list[list[str]]]:
    """Have Wireshark read the capture of flows and their payload; return fields of each packet."""
    program = needs("tshark")

    def read(flows, payload, *fields, only=""):
        file = tmp_path / "flows.pcapng"
        routes, _ = choose_routes([with_payload(one, payload) for one in flows])
        file.write_bytes(b"".join(capture(routes, payload, "1")))
        wanted = [word for field in fields for word in ("-e", field)]
        return [line.split("\t") for line in run(file, "-Tfields", *wanted, "-Y", only or "frame")]

    def run(file, *args):
        checks = [word for name in CHECKED for word in ("-o", f"{name}:TRUE")]
        done = subprocess.run(
            [program, "-nr", file, *checks, *args],
            capture_output=True,
            text=True,
            timeout=50,
            env={"HOME": str(tmp_path), "PATH": ""},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    read.run = lambda *args: run(tmp_path / "flows.pcapng", *args)
    return read


def followed(tshark, number=0, protocol="tcp"):
    """Return what Wireshark puts together of a stream: (whether it came back, the bytes)."""
    lines = tshark.run("-q", "-z", f"follow,{protocol},raw,{number}")[6:-1]
    return [(line.startswith("\t"), bytes.fromhex(line.strip())) for line in lines]


def bad(tshark, flows, payload):
    """Return what Wireshark finds wrong with the packets."""
    wrong = "tcp.checksum.status==0 || udp.checksum.status==0 || ip.checksum.status==0"
    return tshark(
        flows, payload, "frame.number", only=f"tcp.analysis.flags || _ws.malformed || {wrong}"
    )


REQUEST, ANSWER = b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"
TALK = [piece(REQUEST, at=0.1), piece(ANSWER, outgoing=False, at=0.2)]


@pytest.mark.parametrize("ends", [{}, SIX])
def test_wireshark_reads_a_connection_from_handshake_to_end(tshark, ends):
    found = tshark(
        [flow(**ends)],
        TALK,
        "frame.time_epoch",
        "tcp.flags",
        "tcp.len",
        "tcp.srcport",
        "http.request.method",
    )

    near, far = ("4000", "443") if ends else ("40000", "80")
    assert found == [
        ["1783822275.000000000", "0x0002", "0", near, ""],
        ["1783822275.000000000", "0x0012", "0", far, ""],
        ["1783822275.000000000", "0x0010", "0", near, ""],
        ["1783822275.100000000", "0x0018", "18", near, "GET"],
        ["1783822275.200000000", "0x0018", "27", far, ""],
        ["1783822276.000000000", "0x0011", "0", near, ""],
        ["1783822276.000000000", "0x0011", "0", far, ""],
        ["1783822276.000000000", "0x0010", "0", near, ""],
    ]
    assert followed(tshark) == [(False, REQUEST), (True, ANSWER)]
    assert bad(tshark, [flow(**ends)], TALK) == []


def test_what_a_server_answered_comes_from_it(tshark):
    payload = [piece(REQUEST, outgoing=False, at=0.1), piece(ANSWER, at=0.2)]
    first = tshark([flow(**TURNED)], payload, "tcp.srcport", "tcp.flags")[0]

    assert first == ["40000", "0x0002"]
    assert followed(tshark) == [(False, REQUEST), (True, ANSWER)]


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({"close_reason": "remote"}, [["80", "0x0011"], ["40000", "0x0011"], ["80", "0x0010"]]),
        ({"close_reason": "reset"}, [["80", "0x0018"], ["80", "0x0014"]]),
        ({"closed_ns": None}, [["40000", "0x0018"], ["80", "0x0018"]]),
    ],
)
def test_a_connection_ends_as_it_did(tshark, changes, last):
    found = tshark([flow(**changes)], TALK, "tcp.srcport", "tcp.flags")

    assert found[-len(last) :] == last
    assert bad(tshark, [flow(**changes)], TALK) == []


def test_a_connection_whose_begin_nobody_saw_has_no_handshake(tshark):
    assert tshark([flow(role="")], TALK, "tcp.len", only="tcp.flags.syn==1") == []
    assert followed(tshark) == [(False, REQUEST), (True, ANSWER)]


def test_large_pieces_are_cut_into_segments_without_loss(tshark):
    data = bytes(range(256)) * 600
    payload = [piece(data, at=0.1), piece(data[::-1], outgoing=False, at=0.2)]

    assert bad(tshark, [flow()], payload) == []
    assert tshark([flow()], payload, "tcp.len", only="tcp.len>0") == [
        ["65495"],
        ["65495"],
        ["22610"],
        ["65495"],
        ["65495"],
        ["22610"],
    ]
    there = followed(tshark)
    assert b"".join(part for back, part in there if not back) == data
    assert b"".join(part for back, part in there if back) == data[::-1]


def test_bytes_that_were_not_kept_are_a_hole(tshark):
    payload = [
        piece(b"begin", at=0.1, missing=1000),
        piece(b"end", at=0.2),
        piece(b"", outgoing=False, at=0.3, missing=5),
        piece(b"ok", outgoing=False, at=0.4),
    ]

    assert tshark([flow()], payload, "tcp.seq", "tcp.len", only="tcp.analysis.lost_segment") == [
        ["1006", "3"],
        ["6", "2"],
    ]


def test_sequence_numbers_go_round(tshark):
    """The first ones follow the clock, here one that is just before 2**32."""
    start = ((STARTED_NS // 4000 // 2**32 + 1) * 2**32 - 3) * 4000
    payload = [one._replace(channel=start, time_ns=start + 1) for one in TALK]
    late = flow(channel=start, closed_ns=start + SECOND)

    assert bad(tshark, [late], payload) == []
    assert tshark([late], payload, "tcp.seq_raw")[0] == [str(2**32 - 3)]
    assert followed(tshark) == [(False, REQUEST), (True, ANSWER)]


def test_a_port_used_again_is_another_stream(tshark):
    again = flow(id=2, channel=STARTED_NS + 2 * SECOND, closed_ns=STARTED_NS + 3 * SECOND)
    payload = [*TALK, piece(b"second", of=2, at=2.5)]

    assert {stream for (stream,) in tshark([flow(), again], payload, "tcp.stream")} == {"0", "1"}
    assert followed(tshark, 1) == [(False, b"second")]


def test_a_connection_of_which_both_ends_were_recorded_is_there_once(tshark):
    server = flow(id=2, channel=STARTED_NS + SECOND, **TURNED)
    payload = [
        *TALK,
        piece(REQUEST, outgoing=False, of=1, at=1.1),
        piece(ANSWER, of=1, at=1.2),
    ]

    assert bad(tshark, [server, flow()], payload) == []
    assert followed(tshark) == [(False, REQUEST), (True, ANSWER)]
    _, left_out = choose_routes([with_payload(one, payload) for one in (server, flow())])
    assert left_out == LeftOut(other_ends=1)


def test_of_both_ends_the_one_that_is_whole_is_shown():
    server = flow(id=2, channel=STARTED_NS + SECOND, **TURNED)
    ends = [server, flow()]
    whole = [piece(REQUEST, outgoing=False, of=1), piece(b"", missing=3)]

    routes, _ = choose_routes([with_payload(one, whole) for one in ends])
    assert [route.flow.id for route in routes] == [2]

    cut_by_the_client = [piece(ANSWER, of=1), piece(ANSWER[:4], outgoing=False)]
    routes, _ = choose_routes([with_payload(one, cut_by_the_client) for one in ends])
    assert [route.flow.id for route in routes] == [2]

    both = [piece(REQUEST, outgoing=False, of=1), piece(REQUEST)]
    routes, _ = choose_routes([with_payload(one, both) for one in ends])
    assert [route.flow.id for route in routes] == [1]


@pytest.mark.parametrize(
    ("asks", "answers", "shown"),
    [
        # (host, peer) as each end knows them, (client, server) in the capture
        (("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1")),
        (("0.0.0.0", "127.0.0.53"), ("127.0.0.53", "127.0.0.1"), ("127.0.0.1", "127.0.0.53")),
        (("0.0.0.0", "10.0.0.2"), ("::", "::ffff:10.0.0.2"), ("10.0.0.2", "10.0.0.2")),
        (("::", "::1"), ("::", "::1"), ("::1", "::1")),
    ],
)
def test_ends_that_name_no_address_are_found_by_the_other_end(asks, answers, shown):
    routes, left_out = choose_routes(_datagram_ends(asks, answers))

    assert left_out == LeftOut(other_ends=1)
    assert [_named(route.ends) for route in routes] == [(*shown, 4000, 53)]


@pytest.mark.parametrize(
    "answers", [("0.0.0.0", "10.0.0.9"), ("10.0.0.2", "10.0.0.9"), ("::", "2001:db8::1")]
)
def test_ports_that_agree_by_chance_join_nothing(answers):
    """The server is asked by another host from the port that our client has."""
    flows = _datagram_ends(("0.0.0.0", "127.0.0.1"), answers)
    routes, left_out = choose_routes(flows)

    assert left_out == LeftOut()
    assert _named(routes[0].ends) == ("0.0.0.0", "127.0.0.1", 4000, 53)


def _datagram_ends(asks, answers):
    """Return the flows of both ends, of which nothing but addresses and ports differs."""
    ends = [(asks, (4000, 53)), (answers, (53, 4000))]
    return [
        with_payload(
            flow(
                id=at,
                channel=STARTED_NS + at * SECOND,
                transport="IP.UDP",
                role="",
                local=Address("", hosts[0], ports[0]),
                peer=Address("", hosts[1], ports[1]),
            ),
            [piece(b"x", of=at)],
        )
        for at, (hosts, ports) in enumerate(ends)
    ]


def _named(ends):
    return str(ip_address(ends.host)), str(ip_address(ends.peer)), ends.host_port, ends.peer_port


def test_flows_mix_in_the_order_of_time(tshark):
    other = flow(
        id=2,
        channel=STARTED_NS + SECOND // 10,
        local=Address("inet", "10.0.0.2", 40001),
        closed_ns=STARTED_NS + SECOND // 2,
    )
    payload = [piece(b"a", at=0.2), piece(b"b", of=0.1, at=0.3), piece(b"c", at=0.4)]

    found = tshark([flow(), other], payload, "frame.time_relative", "tcp.srcport", only="tcp.len>0")
    assert found == [
        ["0.200000000", "40000"],
        ["0.300000000", "40001"],
        ["0.400000000", "40000"],
    ]
    times = [float(time) for (time,) in tshark([flow(), other], payload, "frame.time_relative")]
    assert times == sorted(times)


def test_a_piece_recorded_after_its_flow_was_closed_is_not_lost(tshark):
    late = [piece(b"one", at=0.5), piece(b"two", at=1.5)]

    assert tshark([flow()], late, "tcp.flags", "tcp.len")[3:] == [
        ["0x0018", "3"],
        ["0x0018", "3"],
        ["0x0011", "0"],
        ["0x0011", "0"],
        ["0x0010", "0"],
    ]
    early = [piece(b"one", at=-1)]
    assert tshark([flow()], early, "tcp.flags")[0] == ["0x0002"]


@pytest.mark.parametrize("ends", [{}, SIX])
def test_datagrams_are_packets_of_their_own(tshark, ends):
    udp = flow(transport="IP.UDP", **ends)
    payload = [
        piece(b"ask", at=0.1),
        piece(b"", outgoing=False, at=0.2),
        piece(b"cut", outgoing=False, at=0.3, missing=97),
        piece(bytes(65_507), at=0.4),
    ]

    assert tshark([udp], payload, "udp.srcport", "udp.length", "frame.cap_len") == [
        ["4000" if ends else "40000", "11", "51" if ends else "31"],
        ["443" if ends else "80", "8", "48" if ends else "28"],
        ["443" if ends else "80", "108", "51" if ends else "31"],
        ["4000" if ends else "40000", "65515", "65555" if ends else "65535"],
    ]
    assert bad(tshark, [udp], payload[:2]) == []


def test_the_first_packet_of_a_flow_tells_whose_it_is(tshark):
    odd = flow(id=12, proc="x\udcff\x1b[2J")

    assert tshark([odd], TALK, "frame.number", "frame.comment", only="frame.comment") == [
        ["1", "flow 12: x\\xff\\x1b[2J, pid 70, client"]
    ]


def test_an_end_that_is_not_known_is_the_unspecified_address(tshark):
    found = tshark([flow(local=None)], TALK, "ip.src", "tcp.srcport")
    assert found[0] == ["0.0.0.0", "0"]
    six = flow(local=Address("inet", "0.0.0.0", 5), peer=SIX["peer"])
    assert tshark([six], TALK, "ipv6.src", "tcp.srcport")[0] == ["::", "5"]


def test_ipv4_inside_ipv6_is_ipv4(tshark):
    mapped = flow(local=Address("inet6", "::ffff:10.0.0.2", 5), peer=Address("inet", "10.0.0.1", 6))

    assert tshark([mapped], TALK, "ip.src", "ip.dst")[0] == ["10.0.0.2", "10.0.0.1"]


def test_a_capture_counts_what_it_cannot_show():
    payload = TALK
    flows = [
        flow(transport="Unix.TCP", peer=Address("unix", "/a", 0), local=None),
        flow(transport="IP.RAW"),
        flow(transport="", local=None, peer=None),
        flow(local=Address("", "nonsense", 0), peer=None),
        flow(),
    ]
    routes, left_out = choose_routes([with_payload(one, payload) for one in flows] + [flow()])

    assert len(routes) == 1
    assert left_out == LeftOut(unix=1, other_transports=1, without_addresses=2)


def test_a_capture_without_flows_is_a_file_all_the_same(tshark):
    assert tshark([], TALK, "frame.number") == []
