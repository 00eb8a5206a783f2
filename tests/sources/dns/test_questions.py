from __future__ import annotations

from scopetrace.sources.dns.questions import MOST_PENDING, Asked, Pending
from scopetrace.sources.dns_message import Question


def asked(serial: int, name: str = "a.test", outgoing: bool = True, pid: int = 1) -> Asked:
    return Asked(outgoing, serial, name, "A", pid, serial)


def question(name: str, kind: str = "A") -> Question:
    return Question(name, kind, True)


def test_an_answer_takes_its_question_once():
    pending = Pending()
    pending.add(asked(1, "A.test"))

    assert pending.take(True, 1, question("a.TEST")) == asked(1, "A.test")
    assert pending.take(True, 1, question("a.TEST")) is None


def test_all_of_id_name_type_and_direction_must_be_the_same():
    pending = Pending()
    pending.add(asked(1))

    assert pending.take(True, 2, question("a.test")) is None
    assert pending.take(True, 1, question("b.test")) is None
    assert pending.take(True, 1, question("a.test", "AAAA")) is None
    assert pending.take(False, 1, question("a.test")) is None
    assert pending.take(True, 1, question("a.test")) is not None


def test_an_answer_without_a_question_needs_an_id_that_is_of_one_alone():
    pending = Pending()
    for each in (asked(1), asked(2), asked(2, "b.test"), asked(1, outgoing=False)):
        pending.add(each)

    assert pending.take(True, 2, None) is None
    assert pending.take(True, 3, None) is None
    assert pending.take(True, 1, None) == asked(1)


def test_a_question_that_is_asked_again_replaces_the_earlier_one():
    pending = Pending()
    first, second = asked(1)._replace(time_ns=5), asked(1)._replace(time_ns=9)

    assert pending.add(first) is None
    assert pending.add(second) == first
    assert pending.take(True, 1, question("a.test")) == second


def test_what_cannot_have_been_answered_goes_on_waiting():
    pending = Pending()
    for each in (asked(1), asked(2), asked(2, outgoing=False)):
        pending.add(each)

    pending.forget(True, 2)
    assert pending.of_process(1) == [asked(1), asked(2, outgoing=False)]

    pending.add(asked(1))
    pending.add(asked(2, outgoing=False))
    pending.forget(True, None)
    assert pending.of_process(1) == [asked(2, outgoing=False)]


def test_each_process_has_its_own():
    pending = Pending()
    pending.add(asked(1, pid=1))
    pending.add(asked(2, pid=2))

    assert pending.of_process(2) == [asked(2, pid=2)]
    assert pending.of_process(2) == []
    pending.clear()
    assert pending.of_process(1) == []


def test_the_oldest_make_room_and_are_counted():
    pending = Pending()
    for serial in range(MOST_PENDING + 3):
        pending.add(asked(serial))

    assert pending.forgotten == 3
    assert [each.id for each in pending.of_process(1)] == list(range(3, MOST_PENDING + 3))
