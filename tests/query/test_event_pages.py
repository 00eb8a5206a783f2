"""Pages of events by key."""

from __future__ import annotations

import pytest

from scopetrace.query import event_pages, open_session
from support.session_builder import event, record


@pytest.fixture
def session(tmp_path, monkeypatch):
    """Twenty events, two of which are errors, searched four ids at a time."""
    monkeypatch.setattr(event_pages, "SPAN", 4)
    names = {3: "fs.error", 18: "fs.error"}
    events = [event(names.get(number, "fs.open"), file=f"/{number}") for number in range(1, 21)]
    with open_session(record(tmp_path, events)) as session:
        yield session


def ids(spans):
    return [[event.id for event in span.events] for span in spans]


def test_events_behind_a_key_come_oldest_first_until_there_are_enough(session):
    pages = session.event_pages()

    assert ids(pages.after(0, 20, 6)) == [[1, 2, 3, 4], [5, 6]]
    assert ids(pages.after(17, 20, 6)) == [[18, 19, 20]]
    assert ids(pages.after(20, 20, 6)) == []


def test_events_before_a_key_come_newest_first_until_there_are_enough(session):
    pages = session.event_pages()

    assert ids(pages.before(21, 6)) == [[20, 19, 18, 17], [16, 15]]
    assert ids(pages.before(3, 6)) == [[2, 1]]
    assert ids(pages.before(1, 6)) == []


def test_a_span_without_a_match_says_how_far_it_came(session):
    spans = list(session.event_pages(source="fs.error").after(0, 20, 9))

    assert ids(spans) == [[3], [], [], [], [18]]
    assert [span.reached for span in spans] == [4, 8, 12, 16, 20]


def test_no_later_event_is_returned_than_was_asked_for(session):
    assert ids(session.event_pages().after(0, 3, 9)) == [[1, 2, 3]]
