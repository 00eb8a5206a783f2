from __future__ import annotations

import csv
import json
import stat

import pytest

from scopetrace.dash.events import EventsView
from scopetrace.dash.export import default_name, write_view
from scopetrace.dash.place import Place
from scopetrace.dash.views import make_views
from scopetrace.errors import ScopeError
from scopetrace.query import open_session

PLACE = Place("events")


def export(path, target, place=PLACE):
    with open_session(path) as session:
        *_, part = write_view(make_views()[place.view], session, place, target)
    return part.note


def test_json_has_an_object_to_a_line(path, tmp_path):
    target = tmp_path / "out.json"

    assert export(path, target) == f"6 lines written to {target}"
    bodies = [json.loads(line) for line in target.read_text().splitlines()]
    assert [body["id"] for body in bodies] == [1, 2, 3, 4, 5, 6]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_csv_has_a_line_of_names(path, tmp_path):
    target = tmp_path / "out.csv"
    export(path, target)
    rows = list(csv.DictReader(target.read_text().splitlines()))

    assert [row["source"] for row in rows][2:4] == ["fs.error", "stderr"]
    assert json.loads(rows[2]["data"])["error"] == "ENOENT"


@pytest.mark.parametrize("view", ["processes", "files", "errors"])
def test_every_view_can_be_exported(path, tmp_path, view):
    export(path, tmp_path / "out.csv", Place(view))

    assert len((tmp_path / "out.csv").read_text().splitlines()) > 1


def test_an_existing_file_stays_as_it_is(path, tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("mine")
    with pytest.raises(ScopeError, match="exists already"):
        export(path, target)

    assert target.read_text() == "mine"


def test_a_name_that_says_no_form_is_refused(path, tmp_path):
    with pytest.raises(ScopeError, match=r"must end in \.csv or \.json"):
        export(path, tmp_path / "out.txt")
    assert list(tmp_path.glob("out*")) == []


def test_a_folder_that_is_not_there_is_one_sentence(path, tmp_path):
    with pytest.raises(ScopeError, match=r"cannot write .*/no/out\.csv: No such file"):
        export(path, tmp_path / "no" / "out.csv")


def test_a_file_that_is_not_completed_is_removed(path, tmp_path):
    target = tmp_path / "out.json"

    class Broken(EventsView):
        def bodies(self, session, place):
            yield {"id": 1}
            raise ScopeError("gone")

    with open_session(path) as session, pytest.raises(ScopeError, match="gone"):
        list(write_view(Broken(), session, PLACE, target))
    assert not target.exists()


def test_the_proposed_name_says_what_it_is():
    assert default_name(Place("files"), 12) == "scopetrace-12-files.csv"
