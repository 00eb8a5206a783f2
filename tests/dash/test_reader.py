from __future__ import annotations

import threading

import pytest

from scopetrace.dash import reader as reading
from scopetrace.dash.reader import Reader
from scopetrace.dash.rows import Part
from scopetrace.errors import ScopeError
from scopetrace.query import open_session
from support.harness import PATIENCE


class Answers:
    """What a reader delivers, and a way to wait for it."""

    def __init__(self) -> None:
        self.found: list[tuple[int, object]] = []
        self._more = threading.Condition()

    def __call__(self, number: int, answer: object) -> None:
        with self._more:
            self.found.append((number, answer))
            self._more.notify()

    def wait(self, count: int) -> list[tuple[int, object]]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.found) >= count, PATIENCE)
            return self.found


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def reader(path, answers):
    reader = Reader(open_session(path), answers)
    yield reader
    reader.close()


def test_a_job_is_made_with_the_session(reader, answers):
    number = reader.ask(lambda session: iter([Part([], note=str(session.last_id))]))

    assert answers.wait(1) == [(number, Part([], note="6"))]


def test_a_newer_job_ends_the_one_that_is_being_made(reader, answers):
    started = threading.Event()

    def endless(session):
        while True:
            started.set()
            yield None

    reader.ask(endless)
    assert started.wait(PATIENCE)
    number = reader.ask(lambda session: iter([Part([])]))

    assert answers.wait(1) == [(number, Part([]))]


def test_a_long_query_is_ended_as_well(reader, answers):
    started = threading.Event()

    def long(session):
        started.set()
        session._db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        ).fetchone()
        yield Part([])

    reader.ask(long)
    assert started.wait(PATIENCE)
    number = reader.ask(lambda session: iter([Part([])]))
    while not answers.found:
        reader.hurry()

    assert answers.wait(1) == [(number, Part([]))]


def test_parts_that_come_too_fast_are_left_out_but_never_the_last(reader, answers, monkeypatch):
    monkeypatch.setattr(reading, "DELIVER_EVERY_S", 3600)
    parts = [Part([], is_done=False, note=str(number)) for number in range(9)]
    number = reader.ask(lambda session: iter([*parts, None, Part([], note="end")]))

    found = answers.wait(1)
    assert found[-1] == (number, Part([], note="end")) or len(answers.wait(2)) == 2
    assert [answer.note for _, answer in answers.found] in (["0", "end"], ["end"])


def test_an_error_is_an_answer(reader, answers):
    def failing(session):
        raise ScopeError("no")
        yield

    number = reader.ask(failing)
    ((found, error),) = answers.wait(1)

    assert (found, str(error)) == (number, "no")
    reader.ask(lambda session: iter([Part([])]))
    assert len(answers.wait(2)) == 2


def test_a_session_whose_closing_takes_long_is_not_interrupted_meanwhile(path, answers):
    reader = Reader(open_session(path), answers)
    closed = threading.Event()
    close = reader._session.close

    def close_slowly():
        close()
        closed.wait(2 * reading.HURRY_EVERY_S)

    reader._session.close = close_slowly
    reader.ask(lambda session: iter([Part([])]))
    answers.wait(1)

    reader.close()
