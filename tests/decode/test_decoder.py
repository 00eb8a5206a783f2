from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopetrace.decode.decoder import CALLS as HANDLERS
from scopetrace.decode.decoder import Decoder, handler_of, on_unknown
from scopetrace.model.operation import CallsMade, Ended, ImageStarted, Operation, Synced
from scopetrace.model.raw import Part, RawKind, Way, unpack_batch
from support.raw_builder import CALLS, MILLISECOND, START, pack_record
from support.raw_strategies import any_record


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_every_row_of_the_table_of_calls_has_a_handler(call):
    assert handler_of(call) is not on_unknown


def test_every_handler_by_name_is_for_a_row_of_the_table():
    assert HANDLERS.keys() <= {call.name for call in CALLS}


def test_times_are_converted_from_the_engines_clock_to_unix_time(start, tracee):
    (first, *_) = start(tracee, offset_ns=10**15).go()

    assert first.time_ns == 10**15 + START + MILLISECOND, "see also Decoding.go"


def test_what_concerns_the_whole_session_is_passed_on(tracee, decoding):
    tracee.add(RawKind.SYNC)
    tracee.add(RawKind.END, pid=0, args=(1, 2, 3, 4, 5, 6))

    synced, ended = decoding.go()

    assert isinstance(synced, Synced)
    assert isinstance(ended, Ended)
    assert (ended.waits, ended.lost, ended.recorded) == (2, 5, 6)


def test_how_calls_were_made_is_passed_on(tracee, decoding):
    tracee.add(RawKind.WAY, args=(Way.FD, 77))

    (made,) = decoding.only(CallsMade)

    assert (made.way, made.calls) == ("fd", 77)


def test_a_stranger_is_taken_in_as_it_is_met(tracee, decoding):
    tracee.fail("openat", -100, error=2, path="x", pid=900, tid=901)

    started, failed = decoding.go()

    assert isinstance(started, ImageStarted)
    assert not started.seen
    assert (failed.image.pid, failed.tid, failed.file) == (900, 901, "x")


def test_a_thread_met_late_shares_what_its_process_has(tracee, decoding):
    tracee.open("/a", 3)
    tracee.write(3, b"x", tid=150)

    assert decoding.go()[-1].file.path == "/a"


def test_a_record_that_makes_no_sense_is_counted_and_the_rest_goes_on():
    bad = pack_record(RawKind.TALLY, args=(1,), parts={Part.TALLY: b"short"})
    good = pack_record(RawKind.SYNC)
    operations: list[Operation] = []
    decoder = Decoder(CALLS, operations.append, 0)
    known = pack_record(RawKind.FD, args=(1, 1), parts={Part.LINK: b"/x"})

    for record in unpack_batch(known + bad + bad + good):
        decoder.decode(record)

    assert decoder.misunderstood == 2
    assert "unpack" in decoder.first_misunderstood
    assert isinstance(operations[-1], Synced)


@settings(max_examples=150, deadline=None)
@given(st.lists(any_record(), max_size=30))
def test_any_records_in_any_order_are_understood(records):
    decoder = Decoder(CALLS, lambda operation: None, 0)

    for record in unpack_batch(b"".join(records)):
        decoder.decode(record)

    assert decoder.first_misunderstood == ""
    tree = decoder.state.tree
    assert all(task.tid == tid for tid, task in tree.tasks.items())
    assert {task.group.pid for task in tree.tasks.values()} >= tree.groups.keys()
    for task in tree.tasks.values():
        sharers = [other for other in tree.tasks.values() if other.table is task.table]
        assert task.table.users == len(sharers)
