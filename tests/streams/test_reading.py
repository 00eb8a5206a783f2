from __future__ import annotations

import pytest

from scopetrace.model.flow import Address
from scopetrace.model.operation import FlowTransferred
from scopetrace.streams.reading import MOST_LOOKED_AT, Reading, Unrecognised
from support.flow_reading import image, rules, tcp_flow, udp_flow
from support.flow_run import IN, OUT

IMAGE = image(rules(""))
PEER = Address("inet", "10.0.0.2", 80)
STREAM, DATAGRAMS = tcp_flow(PEER), udp_flow(PEER)


def transferred(outgoing: bool, data: bytes, flow=STREAM):
    return FlowTransferred(IMAGE, 71, 1, flow, outgoing, data, len(data), 3)


@pytest.mark.parametrize("size", [1000, MOST_LOOKED_AT])
def test_as_much_is_looked_at_however_it_is_cut(size):
    unrecognised, data = Unrecognised(), b"x" * (MOST_LOOKED_AT + 5)
    for at in range(0, len(data), size):
        unrecognised.add(transferred(OUT, data[at : at + size]))

    assert unrecognised.heads == [b"", data[:MOST_LOOKED_AT]]
    assert unrecognised.looked_at == len(data)


def test_of_datagrams_only_the_last_is_looked_at():
    unrecognised = Unrecognised()
    for data in b"first", b"second":
        unrecognised.add(transferred(OUT, data, DATAGRAMS))
    assert unrecognised.heads == [b"", b"second"]
    assert unrecognised.datagrams == 2

    unrecognised.drop()
    assert (unrecognised.dropped, unrecognised.datagrams, unrecognised.looked_at) == (2, 0, 0)
    assert list(unrecognised.backlog) == []


def test_bytes_of_the_other_side_answer_those_that_began():
    unrecognised = Unrecognised()
    for outgoing, data, answers in (
        (OUT, b"question", False),
        (OUT, b"more", False),
        (IN, b"", False),
        (IN, b"answer", True),
    ):
        operation = transferred(outgoing, data)
        assert unrecognised.is_answered(operation) == answers
        unrecognised.add(operation)


def test_a_datagram_answers_no_other():
    unrecognised = Unrecognised()
    for outgoing in OUT, IN:
        operation = transferred(outgoing, b"x", DATAGRAMS)
        assert not unrecognised.is_answered(operation)
        unrecognised.add(operation)


def test_a_flow_is_idle_once_no_protocol_can_be_recognised():
    reading = Reading(keeping=False)
    assert not reading.idle
    reading.unrecognised = None
    assert reading.idle
