from __future__ import annotations

from scopetrace.dash.heading import place_line, session_line, tabs
from scopetrace.dash.place import Place, Scope
from scopetrace.query import open_session


def test_the_session_is_named_with_its_end_and_its_command(path):
    with open_session(path) as session:
        info = session.info._replace(args=("sh", "-c", "echo \x1b[31m[red]"))

    assert session_line(info, 80) == "session 1: exit 0: sh -c echo \\x1b[31m[red]"
    assert session_line(info, 20) == "session 1: exit 0: …"


def test_one_tab_is_the_present_one():
    assert [name.split() for name, is_present in tabs(Place("files")) if is_present] == [
        ["2", "files"]
    ]


def test_all_tabs_fit_80_columns():
    assert sum(len(name) for name, _ in tabs(Place("files"))) <= 80


def test_a_place_says_what_it_is_narrowed_to():
    assert place_line(Place("files"), 80) == ""
    place = Place("files", Scope(7, "sh\n"), match="\x1b", sort="bytes", reverse=True)
    assert place_line(place, 80) == "sh\\n[7]  contains: \\x1b  sorted by bytes  reversed"
    assert len(place_line(place._replace(match="x" * 200), 80)) == 80
