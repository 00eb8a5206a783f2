from __future__ import annotations

import tracemalloc

import pytest

from scopetrace.model.flow import Address
from scopetrace.protocols.dns.message import Question
from scopetrace.protocols.dns.questions import Asked, Peer, PendingQuestions

MEMORY = 65_536
SERVER, OTHER = Address("inet", "10.0.0.53", 53), Address("inet", "10.0.0.54", 53)


def asked(
    serial: int,
    name: str = "a.test",
    outgoing: bool = True,
    pid: int = 1,
    peer: Peer = SERVER,
    dns_class: str = "IN",
) -> Asked:
    return Asked(peer, outgoing, serial, name, "A", dns_class, pid, serial)


def question(name: str, kind: str = "A", dns_class: str = "IN") -> Question:
    return Question(name, kind, dns_class, True)


A_TEST = question("a.test")


def pending_of(*each: Asked) -> PendingQuestions:
    pending = PendingQuestions(MEMORY)
    for one in each:
        pending.add(one)
    return pending


def test_an_answer_takes_its_question_once():
    pending = pending_of(asked(1, "A.test"))

    assert pending.take(SERVER, True, 1, question("a.TEST")) == asked(1, "A.test")
    assert pending.take(SERVER, True, 1, question("a.TEST")) is None


def test_all_of_peer_id_name_type_and_direction_must_be_the_same():
    pending = pending_of(asked(1))

    assert pending.take(OTHER, True, 1, A_TEST) is None
    assert pending.take(SERVER, True, 2, A_TEST) is None
    assert pending.take(SERVER, True, 1, question("b.test")) is None
    assert pending.take(SERVER, True, 1, question("a.test", "AAAA")) is None
    assert pending.take(SERVER, True, 1, question("a.test", "A", "CH")) is None
    assert pending.take(SERVER, False, 1, A_TEST) is None
    assert pending.take(SERVER, True, 1, A_TEST) is not None


def test_an_answer_without_a_question_needs_an_id_that_is_of_one_alone():
    pending = pending_of(
        asked(1), asked(2), asked(2, "b.test"), asked(1, outgoing=False), asked(1, peer=OTHER)
    )

    assert pending.take(SERVER, True, 2, None) is None
    assert pending.take(SERVER, True, 3, None) is None
    assert pending.take(SERVER, True, 1, None) == asked(1)
    assert pending.of_process(SERVER, 1) == [asked(1, outgoing=False)], "one of two was answered"


class TestAnUnknownPeer:
    """It may be any peer."""

    def test_answers_what_one_peer_alone_was_asked(self):
        pending = pending_of(asked(1), asked(2, peer=OTHER))

        assert pending.take(None, True, 2, A_TEST) == asked(2, peer=OTHER)
        assert pending.take(None, True, 1, None) == asked(1)
        assert pending.take(None, True, 1, A_TEST) is None

    def test_answers_an_unknown_one_of_several(self):
        pending = pending_of(asked(1), asked(1, peer=OTHER), asked(1, "b.test"))

        assert pending.take(None, True, 1, A_TEST) is None
        assert pending.of_process(OTHER, 1) == []
        assert pending.of_process(SERVER, 1) == [asked(1, "b.test")]

    def test_asks_what_is_answered_to_an_address(self):
        question = asked(1, outgoing=False, peer=None)
        pending = pending_of(question)

        assert pending.take(SERVER, False, 1, A_TEST) == question

    def test_may_have_answered_anything_with_what_cannot_be_read(self):
        pending = pending_of(asked(1), asked(1, peer=OTHER), asked(2))

        pending.forget(None, True, 1)
        assert pending.of_process(OTHER, 1) == []
        assert pending.of_process(SERVER, 1) == [asked(2)]


def test_a_question_that_is_asked_again_replaces_the_earlier_one():
    pending = PendingQuestions(MEMORY)
    first, second = asked(1)._replace(time_ns=5), asked(1)._replace(time_ns=9)

    assert pending.add(first) is None
    assert pending.add(second) == first
    assert pending.take(SERVER, True, 1, A_TEST) == second


def test_what_cannot_have_been_answered_goes_on_waiting():
    elsewhere = asked(1, peer=OTHER)
    pending = pending_of(asked(1), asked(2), asked(2, outgoing=False), elsewhere)

    pending.forget(SERVER, True, 2)
    assert pending.of_process(SERVER, 1) == [asked(1), asked(2, outgoing=False)]

    pending.add(asked(1))
    pending.add(asked(2, outgoing=False))
    pending.forget(SERVER, True)
    assert pending.of_process(SERVER, 1) == [asked(2, outgoing=False)]
    assert pending.of_process(OTHER, 1) == [elsewhere]


def test_each_process_has_its_own():
    pending = pending_of(asked(1, pid=1), asked(2, pid=2))

    assert pending.of_process(SERVER, 2) == [asked(2, pid=2)]
    assert pending.of_process(SERVER, 2) == []
    pending.clear()
    assert pending.of_process(SERVER, 1) == []


@pytest.mark.parametrize("name", ["a.test", "long" * 60])
def test_the_oldest_make_room_and_are_counted(name):
    most = MEMORY // asked(0, name).weight
    pending = pending_of(*(asked(serial, name) for serial in range(most + 3)))

    assert pending.forgotten == 3
    assert [each.id for each in pending.of_process(SERVER, 1)] == list(range(3, most + 3))
    assert [pending.add(asked(serial, name)) for serial in range(most)] == [None] * most
    assert pending.forgotten == 3, "what was answered makes room"


@pytest.mark.parametrize("memory", [MEMORY, 1_048_576])
@pytest.mark.parametrize("size", [1, 1000])
def test_no_number_of_questions_takes_much(size, memory):
    pending = PendingQuestions(memory)
    tracemalloc.start()
    try:
        for serial in range(memory // 200):
            pending.add(asked(serial, "N" * size, peer=Address("inet", "10.0.0.53", serial)))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert pending.forgotten
    assert held < 1.5 * memory
