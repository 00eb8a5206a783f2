from __future__ import annotations

import json
import shlex

import pytest

from scopetrace.cli import main
from scopetrace.dash.events import ERRORS, ErrorsView, EventsView, EventView
from scopetrace.dash.place import Place, Scope
from scopetrace.dash.rows import Want
from scopetrace.query import open_session
from support.session_builder import event, record

PLACE = Place("events")
HOSTILE = "/tmp/[red]out\x1b[31m"


def ids(path, place=PLACE, want=Want(), view=EventsView):  # noqa: B008 (it is constant)
    with open_session(path) as session:
        *_, part = view().read(session, place, want)
    return [row.key for row in part.rows]


def test_a_row_says_when_who_and_what(path):
    with open_session(path) as session:
        *_, part = EventsView().read(session, PLACE, Want())

    assert part.rows[2].cells == (
        "3",
        "0.200",
        "python3[70]",
        "fs.error",
        "/home/ann/app.conf op:openat error:ENOENT",
    )
    assert part.rows[2].opens == Place("event", Scope(event=3))
    assert part.at_end


def test_they_are_read_by_key_in_both_orders_and_directions(path):
    back = Place("events", reverse=True)

    assert ids(path) == [1, 2, 3, 4, 5, 6]
    assert ids(path, PLACE, Want(2, most=2)) == [3, 4]
    assert ids(path, PLACE, Want(5, forward=False, most=2)) == [3, 4]
    assert ids(path, PLACE, Want(forward=False, most=2)) == [5, 6]
    assert ids(path, back, Want(most=2)) == [6, 5]
    assert ids(path, back, Want(5, most=2)) == [4, 3]
    assert ids(path, back, Want(2, forward=False, most=2)) == [4, 3]
    assert ids(path, PLACE, Want(2, most=2, including=True)) == [2, 3]


@pytest.mark.parametrize(("most", "at_end"), [(5, False), (6, False), (7, True)])
@pytest.mark.parametrize("match", ["", "e"])
def test_more_may_follow_as_many_as_are_read_at_once(path, match, most, at_end):
    place = Place("events", match=match)
    with open_session(path) as session:
        *_, part = EventsView().read(session, place, Want(most=most))

    assert (len(part.rows), part.at_end) == (min(most, 6), at_end)


PLACES = [
    PLACE,
    Place("events", reverse=True),
    Place("events", match="conf"),
    Place("events", Scope(pid=80)),
    Place("events", Scope(files=(HOSTILE,))),
    Place("events", Scope(pid=70, files=("/home/ann/in.txt", "/it's"))),
    Place("events", Scope(log="stderr")),
    Place("events", Scope(channel=5)),
    Place("events", sort="file_write_bytes"),
    Place("events", Scope(pid=70), sort="file_read_bytes", reverse=True),
]


@pytest.mark.parametrize("place", PLACES)
def test_the_command_gives_the_same(path, place, capsys):
    line = EventsView().command(place, str(path))
    assert main([*shlex.split(line)[1:], "-j"]) == 0

    printed = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [body["id"] for body in printed] == ids(path, place)
    with open_session(path) as session:
        bodies = list(EventsView().bodies(session, place))
    assert json.loads(json.dumps(bodies)) == printed


def test_narrowing_finds_what_it_should(path):
    found = [[3, 4], [5, 6], [5, 6], [1, 2], [4], [], [6, 2, 5, 4, 3, 1], [2, 1, 3, 4]]

    assert [ids(path, place) for place in PLACES[2:]] == found


def test_errors_are_the_events_of_calls_that_failed(path):
    assert {"fs.error", "net.error", "dns.error", "proc.error"} == set(ERRORS)
    assert ids(path, Place("errors"), view=ErrorsView) == [3]


def test_all_are_exported_however_many_there_are(home):
    path = record(home, [event("fs.open", file=f"/{number}") for number in range(500)])
    with open_session(path) as session:
        found = [body["id"] for body in EventsView().bodies(session, PLACE)]

    assert found == list(range(1, 501))


def test_one_event_has_all_its_fields(path):
    place = Place("event", Scope(event=5))
    with open_session(path) as session:
        (part,) = EventView().read(session, place, Want())
        assert [body["id"] for body in EventView().bodies(session, place)] == [5]

    lines = [row.cells[0] for row in part.rows]
    assert "  file:  /tmp/[red]out\\x1b[31m" in lines
    assert EventView().command(place, "2") == "scopetrace events 5 --id 2"
