from __future__ import annotations

from scopetrace.model.flow import Address
from scopetrace.model.flow_record import FLOW_FIELDS
from support.flow_builder import flow, piece, with_payload
from support.session_builder import SECOND, STARTED_NS


def values(record):
    return {name: value(record) for name, value in FLOW_FIELDS.items()}


def test_times_are_seconds_and_the_duration_is_ns():
    found = values(flow(closed_ns=STARTED_NS + SECOND + 1_999_999))

    assert found["duration"] == 1_001_999_999
    assert found["start_time"] == STARTED_NS / SECOND
    assert found["last_sent_time"] == (STARTED_NS + SECOND) / SECOND + 0.001999


def test_a_clock_set_back_makes_no_negative_duration():
    assert flow(closed_ns=STARTED_NS - 1).duration_ns == 0


def test_addresses_are_of_the_network_or_of_unix():
    network = values(flow())
    unix = values(flow(local=Address("unix", "", 0, 7), peer=Address("unix", "/a", 0, 0)))

    assert (network["net_host_ip"], network["net_peer_port"]) == ("10.0.0.2", 80)
    assert network["unix_local_inode"] is network["unix_peer_path"] is None
    assert (unix["unix_local_inode"], unix["unix_peer_path"]) == (7, "/a")
    assert unix["unix_local_path"] is unix["unix_peer_inode"] is unix["net_host_ip"] is None


def test_payload_has_fields_where_there_is_some():
    none = values(flow())
    some = values(with_payload(flow(), [piece(b"abc", missing=2), piece(b"d", False, missing=3)]))

    assert none["payload_in_bytes"] is none["payload_missing_bytes"] is None
    assert (some["payload_out_bytes"], some["payload_in_bytes"]) == (3, 1)
    assert some["payload_missing_bytes"] == 5
