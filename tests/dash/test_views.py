from __future__ import annotations

from scopetrace.dash.place import Place
from scopetrace.dash.rows import Want
from scopetrace.dash.views import FIRST, TABS, make_views
from scopetrace.query import open_session


def test_every_view_is_under_its_name_and_can_be_read(path):
    views = make_views()

    assert all(view.name == name for name, view in views.items())
    assert FIRST in views
    with open_session(path) as session:
        for kind in TABS:
            *_, part = views[kind.name].read(session, Place(kind.name), Want())
            assert part.is_done
            assert all(len(row.cells) == len(kind.columns) for row in part.rows)


def test_every_place_that_a_row_leads_to_is_a_view(path):
    views = make_views()
    with open_session(path) as session:
        for kind in TABS:
            *_, part = views[kind.name].read(session, Place(kind.name), Want())
            assert all(row.opens is None or row.opens.view in views for row in part.rows)
