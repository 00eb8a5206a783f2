from __future__ import annotations

import json
import shlex

import pytest

from scopetrace.cli import main
from scopetrace.dash import files, scan_view
from scopetrace.dash.files import FilesView
from scopetrace.dash.place import Place, Scope
from scopetrace.dash.rows import Want
from scopetrace.query import open_session
from support.session_builder import begin, closed, event

PLACE = Place("files")


def last_part(path, place=PLACE):
    with open_session(path) as session:
        *_, part = FilesView().read(session, place, Want())
    return part


def names(path, place=PLACE):
    return [row.cells[-1] for row in last_part(path, place).rows]


def test_a_row_leads_to_the_events_of_its_file(path):
    part = last_part(path)

    assert part.rows[0].cells == (
        "R",
        "5.0 KiB",
        "",
        "3",
        "35 µs",
        "python3",
        "",
        "/home/ann/in.txt",
    )
    assert part.whole
    assert part.rows[0].opens == Place("events", Scope(files=("/home/ann/in.txt",)))


def test_files_can_be_narrowed_filtered_and_sorted(path):
    hostile = "/tmp/[red]out\x1b[31m"

    assert names(path, Place("files", Scope(80))) == [hostile]
    assert names(path, Place("files", match="app")) == ["/home/ann/app.conf"]
    assert names(path, Place("files", sort="written_bytes"))[0] == hostile
    assert names(path, Place("files", reverse=True)) == names(path)[::-1]
    assert names(path, Place("files", sort="written_bytes", reverse=True))[-1] == hostile


@pytest.mark.parametrize(
    "place",
    [
        PLACE,
        Place("files", Scope(80)),
        Place("files", match="[red]"),
        Place("files", sort="bytes", show_all=True),
        Place("files", sort="bytes", reverse=True),
    ],
)
def test_the_command_gives_the_same(path, place, capsys):
    line = FilesView().command(place, str(path))
    assert main([*shlex.split(line)[1:], "-j"]) == 0

    printed = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [body["file"] for body in printed] == names(path, place)
    with open_session(path) as session:
        bodies = [dict(body) for body in FilesView().bodies(session, place)]
    assert json.loads(json.dumps(bodies)) == printed


def test_start_up_files_are_counted_and_hidden(home):
    writer = begin(home, config="scopetrace: {pathclasses: {loader: ['^/lib/']}}")
    writer.add_events([closed("/lib/libc.so"), closed("/home/ann/a")])
    writer.finish(exit_code=0)

    part = last_part(writer.path)
    assert [row.cells[-1] for row in part.rows] == ["/home/ann/a"]
    assert part.note == "1 start-up file hidden: a shows it"
    assert names(writer.path, Place("files", show_all=True)) == ["/lib/libc.so", "/home/ann/a"]


def test_what_is_known_so_far_is_shown_while_events_are_read(home, monkeypatch):
    monkeypatch.setattr(scan_view, "SHOW_EVERY_S", 0)
    writer = begin(home)
    writer.add_events(event("fs.open", file=f"/{number}") for number in range(5000))
    writer.finish(exit_code=0)

    with open_session(writer.path) as session:
        parts = list(FilesView().read(session, PLACE, Want()))
    assert [len(part.rows) for part in parts] == [*range(500, 5001, 500), 5000]
    assert [part.is_done for part in parts] == [False] * 10 + [True]
    assert parts[0].note == "events read: 500 of 5,000"


def test_so_many_files_are_kept_and_no_more(home, monkeypatch):
    monkeypatch.setattr(files, "MOST_FILES", 1000)
    writer = begin(home)
    writer.add_events(event("fs.open", file=f"/{number}") for number in range(9000))
    writer.finish(exit_code=0)

    part = last_part(writer.path)
    assert len(part.rows) < 4000
    assert part.note == "only 1,000 files, of events 1 to 1,000"


def test_a_session_that_grows_is_read_on_from_where_it_was_left(home):
    writer = begin(home)
    writer.add_events([closed("/a")])
    writer.commit()
    view = FilesView()
    with open_session(writer.path) as session:
        *_, part = view.read(session, PLACE, Want())
        assert [row.cells[-1] for row in part.rows] == ["/a"]
        writer.add_events([closed("/b"), closed("/a")])
        writer.commit()
        *_, part = view.read(session, PLACE, Want())
        assert [row.cells[3] + row.cells[-1] for row in part.rows] == ["6/a", "3/b"]
    writer.finish(exit_code=0)
