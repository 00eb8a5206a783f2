from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopetrace.errors import SessionError, UsageError
from scopetrace.model.flow import Address
from scopetrace.model.flow_record import FlowPayload
from scopetrace.query import open_session
from scopetrace.query.flows import PAYLOAD_ONLY_ID, in_order
from support.flow_builder import (
    ENDS,
    UNIX_ENDS,
    channel,
    closed,
    flow,
    opened,
    piece,
    record_flows,
)
from support.session_builder import SECOND, STARTED_NS, begin, event, image, record
from support.session_builder import closed as file_closed

LOCAL = Address("inet", "10.0.0.2", 40000)
PEER = Address("inet", "93.184.216.34", 80)


def flows(path, **options):
    with open_session(path) as session:
        return session.flows(**options)


def ids(path, **options):
    return [flow.id for flow in flows(path, **options)]


def test_a_flow_is_what_its_open_and_its_close_tell(tmp_path):
    path = record_flows(
        tmp_path,
        [
            file_closed("/a"),
            opened(0.25),
            event("net.app", at=0.3, channel=channel(0.25), protocol="HTTP", fd=3, **ENDS),
            closed(0.25, at=1.5, sent=11, received=7, reason="remote", net_protocol="HTTP", **ENDS),
        ],
    )

    (found,) = flows(path)
    assert found == flow(
        id=2,
        channel=STARTED_NS + SECOND // 4,
        local=LOCAL,
        peer=PEER,
        bytes_sent=11,
        bytes_recv=7,
        closed_ns=STARTED_NS + 3 * SECOND // 2,
        close_reason="remote",
        protocol="HTTP",
    )
    assert found.duration_ns == 1_250_000_000
    assert found.last_sent_ns == found.closed_ns


def test_addresses_are_those_of_the_first_event_and_the_rest_is_of_the_last(tmp_path):
    first = {"net_peer_ip": "::1", "net_peer_port": 1, "net_host_ip": "::1", "net_host_port": 2}
    first |= {"net_transport": "IP.TCP", "net_peer_name": "one"}
    later = {**ENDS, "net_transport": "IP.SCTP"}
    at = channel(0)
    events = [
        event("net.app", channel=at, process=2, **first),
        opened(role="server", **first),
        event("net.app", channel=at, protocol="SMTP", **later),
        event("net.app", channel=at, protocol="TLS", **later),
        closed(error="ECONNRESET", **later),
    ]
    path = record_flows(tmp_path, events, images=[image(2, pid=71, proc="worker")])

    (found,) = flows(path)
    assert (found.peer, found.local) == (Address("inet6", "::1", 1), Address("inet6", "::1", 2))
    assert (found.peer_name, found.role, found.transport) == ("one", "server", "IP.SCTP")
    assert (found.protocol, found.error) == ("SMTP,TLS", "ECONNRESET")
    assert (found.id, found.process, found.others) == (2, 1, (2,)), "who opened it is asked for"


def test_what_the_last_close_does_not_say_is_as_it_was(tmp_path):
    reset = closed(error="ECONNRESET", net_protocol="HTTP", net_peer_name="one", **ENDS)
    path = record_flows(tmp_path, [opened(), reset, closed(at=1)])

    (found,) = flows(path)
    assert (found.error, found.protocol, found.peer_name) == ("ECONNRESET", "HTTP", "one")


def test_the_end_of_a_netlink_socket_is_a_number(tmp_path):
    path = record_flows(tmp_path, [opened(net_transport="Netlink", net_peer_ip="0")])

    (found,) = flows(path)
    assert (found.peer, found.local) == (Address("netlink", "0", 0), None)


def test_the_bytes_of_all_processes_are_added_and_the_last_close_ends_it(tmp_path):
    path = record_flows(
        tmp_path,
        [
            opened(role="server"),
            closed(at=2, process=2, sent=100, received=20, reason="remote"),
            closed(at=1, sent=3, received=4),
        ],
        images=[image(2, pid=71, proc="worker")],
    )

    (found,) = flows(path)
    assert (found.bytes_sent, found.bytes_recv, found.closed_ns) == (103, 24, channel(2))
    assert found.close_reason == "remote"
    assert (found.pid, found.process, found.others) == (70, 1, (2,))


@pytest.mark.parametrize(
    ("reasons", "reason"),
    [
        (["local", "local"], "local"),
        (["remote", "local"], "remote"),
        (["reset", "remote"], "reset"),
        (["local", "reset"], "reset"),
        (["idle", "local"], "local"),
        (["idle"], "idle"),
        (["nonsense"], ""),
    ],
)
def test_what_the_peer_did_counts_for_more(tmp_path, reasons, reason):
    path = record_flows(tmp_path, [opened(), *(closed(reason=text) for text in reasons)])

    assert [flow.close_reason for flow in flows(path)] == [reason]


def test_an_open_flow_has_no_end_and_nobody_knows_its_bytes(tmp_path):
    path = record_flows(tmp_path, [opened()])

    (found,) = flows(path)
    assert (found.closed_ns, found.duration_ns, found.last_sent_ns) == (None, None, None)
    assert (found.bytes_sent, found.bytes_recv, found.close_reason) == (None, None, "")


def test_payload_tells_the_bytes_of_a_flow_that_is_still_open(tmp_path):
    pieces = [
        piece(b"abc", at=0.1),
        piece(b"defg", at=0.2, missing=10),
        piece(b"h", at=0.3, process=2, outgoing=False),
    ]
    path = record_flows(tmp_path, [opened()], pieces, [image(2, pid=71)])

    (found,) = flows(path)
    assert found.sent == FlowPayload(2, 7, 10, channel(0.2))
    assert found.received == FlowPayload(1, 1, 0, channel(0.3))
    assert (found.bytes_sent, found.bytes_recv) == (17, 1)
    assert found.last_sent_ns == channel(0.2)
    assert found.others == (2,)


def test_unix_sockets_are_known_by_path_and_inode(tmp_path):
    path = record_flows(tmp_path, [opened(**UNIX_ENDS)])

    (found,) = flows(path)
    assert found.local == Address("unix", "", 0, 78)
    assert found.peer == Address("unix", "/run/app.sock", 0, 77)


def test_a_connection_that_failed_and_a_listening_socket_are_no_flows(tmp_path):
    path = record_flows(
        tmp_path,
        [
            event("net.error", channel=channel(1), op="connect", error="ECONNREFUSED", **ENDS),
            event("net.listen", channel=channel(2), op="listen", fd=3, net_host_port=80),
            event("http.req", channel=channel(3), http_method="GET"),
            opened(4),
        ],
    )

    assert ids(path) == [4]
    with open_session(path) as session, pytest.raises(SessionError, match=r"no flow 1$"):
        session.flow(1)


def test_a_flow_without_an_open_is_known_by_its_first_event(tmp_path):
    path = record_flows(tmp_path, [file_closed("/a"), closed(), closed(at=1)])

    (found,) = flows(path)
    assert (found.id, found.role, found.peer) == (2, "", PEER)


def test_any_event_names_its_flow(tmp_path):
    events = [
        opened(),
        event("http.req", channel=channel(0)),
        closed(),
        file_closed("/a"),
        opened(9),
    ]
    path = record_flows(tmp_path, events)

    with open_session(path) as session:
        assert [session.flow(number).id for number in (1, 2, 3, 5)] == [1, 1, 1, 5]
        for number in (0, 4, 6, 2**63, PAYLOAD_ONLY_ID, PAYLOAD_ONLY_ID + 1):
            with pytest.raises(SessionError, match=f"^session 1 has no flow {number}$"):
                session.flow(number)


def test_a_flow_has_the_ends_that_a_proxy_names_first(tmp_path):
    first = {"net_client_ip": "10.9.8.7", "net_client_port": 1234}
    first |= {"net_target_host": "example.org", "net_target_port": 443}
    later = {name: 1 if name.endswith("port") else "later" for name in first}
    events = [opened(0.25)]
    events += [event("net.app", at=0.3, channel=channel(0.25), **each) for each in (first, later)]

    (found,) = flows(record_flows(tmp_path, [*events, closed(0.25, at=1.5)]))

    assert found.client == Address("", "10.9.8.7", 1234)
    assert found.target == Address("", "example.org", 443)


def test_payload_without_events_is_a_flow_all_the_same(tmp_path):
    path = record_flows(tmp_path, [opened()], [piece(b"a"), piece(b"bc", of=3, outgoing=False)])

    assert ids(path) == [1, PAYLOAD_ONLY_ID + 2]
    with open_session(path) as session:
        found = session.flow(PAYLOAD_ONLY_ID + 2)
    assert (found.channel, found.bytes_sent, found.bytes_recv) == (channel(3), 0, 2)
    assert (found.local, found.peer, found.transport, found.pid) == (None, None, "", 70)


@pytest.fixture
def several(tmp_path):
    """Five flows of three processes."""
    peers = ("10.1.2.3", "::ffff:10.9.9.9", "2001:db8::1", "9.9.9.9")
    ends = [{**ENDS, "net_peer_ip": ip} for ip in peers]
    events = [opened(at, **ends[at]) for at in range(4)]
    events += [
        opened(4, process=2, **UNIX_ENDS),
        closed(0, at=9, sent=5, process=3, **ends[0]),
        closed(1, at=6, sent=50, **ends[1]),
        closed(2, at=7, sent=7, **ends[2]),
    ]
    images = [image(2, pid=71, proc="curl"), image(3, pid=72, proc="nginx")]
    return record_flows(tmp_path, events, images=images)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, [4, 5, 2, 3, 1]),
        ({"last": 2}, [3, 1]),
        ({"last": 0}, []),
        ({"reverse": True}, [1, 3, 2, 5, 4]),
        ({"reverse": True, "last": 2}, [1, 3]),
        ({"sort": "id"}, [5, 4, 3, 2, 1]),
        ({"sort": "net_bytes_sent"}, [2, 3, 1, 4, 5]),
        ({"sort": "bytes_sent", "last": 2}, [2, 3]),
        ({"sort": "bytes_sent", "reverse": True}, [1, 3, 2, 4, 5]),
        ({"sort": "net_peer_ip", "reverse": True}, [4, 1, 2, 3, 5]),
        ({"peer": "10.0.0.0/8"}, [2, 1]),
        ({"peer": ["9.9.9.9", "2001:db8::/32"]}, [4, 3]),
        ({"peer": "::ffff:10.9.9.9"}, [2]),
        ({"peer": "10.1.2.99/24"}, [1]),
        ({"peer": "0.0.0.0/0"}, [4, 2, 1]),
        ({"pid": 71}, [5]),
        ({"pid": [72]}, [1]),
        ({"pid": [72], "last": 1}, [1]),
        ({"proc": "nginx", "last": 1}, [1]),
        ({"pid": 71, "proc": "nginx", "last": 1}, []),
        ({"proc": "nginx"}, [1]),
        ({"proc": ["c*", "nginx"]}, [5, 1]),
        ({"pid": 70, "proc": "curl"}, []),
        ({"pid": 70, "peer": "9.0.0.0/8"}, [4]),
    ],
)
def test_flows_are_chosen_and_ordered(several, options, found):
    assert ids(several, **options) == found


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "app", "close", "in", "out"]), st.integers(0, 4), st.integers(5, 9)
    ),
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_last_flows_are_the_last_of_all(tmp_path, steps):
    events, pieces = [], []
    for what, of, at in steps:
        if what == "open":
            events.append(opened(of))
        elif what == "close":
            events.append(closed(of, at))
        elif what == "app":
            events.append(event("net.app", at=at, channel=channel(of), protocol="HTTP", **ENDS))
        else:
            pieces.append(piece(b"x", what == "out", of, at))
    path = record_flows(tmp_path, events, pieces)

    everything = flows(path)
    for last in range(1, 6):
        assert flows(path, last=last) == everything[-last:]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"peer": "example.com"}, "'example.com' is no network or address"),
        ({"peer": "10.0.0.0/40"}, "is no network or address such as"),
        ({"sort": "peer_pot"}, "no flow has a field named peer_pot; did you mean"),
        ({"last": -1}, "cannot be negative"),
    ],
)
def test_what_cannot_be_asked_is_a_usage_error(several, options, sentence):
    with pytest.raises(UsageError, match=sentence):
        flows(several, **options)


def test_flows_alike_keep_the_order_of_their_ids():
    alike = [flow(id=number) for number in (3, 1, 2)]

    assert [one.id for one in in_order(alike, None, None, False)] == [1, 2, 3]
    assert [one.id for one in in_order(alike, "duration", None, True)] == [1, 2, 3]
    assert [one.id for one in in_order(alike, "duration", 2, False)] == [3, 2]


def test_a_session_being_recorded_shows_what_is_committed(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([opened()])
    writer.add_payloads([piece(b"abc")])
    writer.commit()
    writer.add_events([opened(1)])

    with open_session(writer.path) as session:
        assert [(flow.id, flow.bytes_sent) for flow in session.flows()] == [(1, 3)]
        assert [one.data for one in session.payload()] == [b"abc"]
    writer.discard()


def test_an_event_without_its_process_and_one_with_fewer_fields_do_no_harm(tmp_path):
    path = record(
        tmp_path, [event("net.open", process=9, channel=5), event("net.close", channel=5)]
    )

    (found,) = flows(path)
    assert (found.pid, found.proc, found.bytes_sent, found.local) == (0, "", 0, None)
