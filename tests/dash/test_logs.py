from __future__ import annotations

from scopetrace.dash.logs import LogsView
from scopetrace.dash.place import Place, Scope
from scopetrace.dash.rows import Want
from scopetrace.query import open_session
from support.session_builder import begin, event, image, record

PLACE = Place("logs")


def rows(path, place=PLACE):
    with open_session(path) as session:
        *_, part = LogsView().read(session, place, Want())
    return part.rows


def test_a_row_has_the_last_line_and_leads_to_the_text(home):
    texts = [
        event("stderr", message="one\ntwo \x1b[31mred\x1b[0m\n"),
        event("/var/a*.log", 1, 2, message="three"),
        event("stderr", message="four\n"),
    ]
    path = record(home, texts, [image(2, pid=80)])

    assert [row.cells for row in rows(path)] == [
        ("3", "stderr", "four"),
        ("1", "/var/a*.log", "three"),
    ]
    assert [row.opens for row in rows(path)] == [
        Place("events", Scope(log="stderr")),
        Place("events", Scope(log="/var/a*.log")),
    ]
    assert [row.cells[1] for row in rows(path, Place("logs", Scope(80)))] == ["/var/a*.log"]
    assert [row.cells[1] for row in rows(path, Place("logs", match="four"))] == ["stderr"]
    assert [row.cells[1] for row in rows(path, Place("logs", sort="lines", reverse=True))] == [
        "/var/a*.log",
        "stderr",
    ]


def test_the_command_shows_the_text():
    place = Place("logs", Scope(80), match="four")

    assert LogsView().command(place, "2") == (
        "scopetrace events -a -t file,console -p 80 -m four --id 2"
    )


def test_a_session_that_grows_is_read_on_from_where_it_was_left(home):
    writer = begin(home)
    writer.add_events([event("stderr", message="a\n")])
    writer.commit()
    view = LogsView()
    with open_session(writer.path) as session:
        assert [dict(body) for body in view.bodies(session, PLACE)][0]["lines"] == 1  # noqa: RUF015
        writer.add_events([event("stderr", message="b\nc\n")])
        writer.commit()
        (body,) = view.bodies(session, PLACE)
        assert (body["lines"], body["last"]) == (3, "c")
    writer.finish(exit_code=0)
