from __future__ import annotations

from scopetrace.dash.place import Place, Scope, Trail, title


def test_widening_leads_back_to_the_row_that_was_chosen():
    trail = Trail(Place("processes"))
    trail.narrow(Place("files", Scope(pid=7)), 12)
    trail.narrow(Place("events", Scope(pid=7, files=("/a",))), 3)

    assert (trail.widen(), trail.place) == ((True, 3), Place("files", Scope(pid=7)))
    assert (trail.widen(), trail.place) == ((True, 12), Place("processes"))
    assert (trail.widen(), trail.place) == ((False, None), Place("processes"))


def test_a_changed_place_is_not_a_step():
    trail = Trail(Place("processes"))
    trail.change(Place("files", match="x"))

    assert trail.place == Place("files", match="x")
    assert trail.widen() == (False, None)


def test_a_title_names_what_a_place_is_narrowed_to():
    assert title(Scope()) == ""
    assert title(Scope(7, "sh", ("/b", "/a"), event=3)) == "sh[7] > /b > event 3"
    assert title(Scope(channel=9, peer="::1 port 80")) == "::1 port 80"
    assert title(Scope(channel=9, log="/x.log")) == "flow 9 > /x.log"
