from __future__ import annotations

from scopetrace.model.flow import Flow
from scopetrace.model.open_file import Usage


def test_what_was_measured_is_not_measured_again():
    usage = Usage(opened=True, fds=1)
    usage.add((1, 10, 100, 2, 20, 200))
    assert usage.unmeasured() == (1, 10, 100, 2, 20, 200)
    usage.add((1, 1, 1, 0, 0, 0))
    assert usage.unmeasured() == (1, 1, 1, 0, 0, 0)


def test_calls_with_names_of_their_own_are_taken_out_of_reads_and_writes():
    usage = Usage(opened=True, fds=1)
    usage.add((3, 30, 300, 1, 5, 50))
    usage.add_call(False, "pread64", [1, 10, 100])
    usage.add_call(False, "pread64", [1, 1, 1])
    usage.add_call(True, "sendfile", [1, 5, 50])
    assert usage.unmeasured_calls() == [
        ("read", "read", (1, 19, 199)),
        ("read", "pread64", (2, 11, 101)),
        ("write", "sendfile", (1, 5, 50)),
    ]
    assert usage.unmeasured_calls() == []


def test_a_flow_has_one_usage():
    usage, flow = Usage(opened=True, fds=1), Flow("IP.TCP", None, None, "client", 0)
    assert usage.of_flow(flow, opened=True) is usage.of_flow(flow)
    assert usage.of_flow(flow).opened


def test_transfers_of_an_ended_connection_are_not_counted_for_the_next_one():
    usage = Usage(opened=True, fds=1)
    usage.add((1, 10, 100, 2, 20, 200))
    usage.reset_transfers()
    usage.add((0, 0, 0, 1, 2, 3))
    assert (usage.reads, usage.read_bytes, usage.writes, usage.write_bytes) == (0, 0, 1, 2)
