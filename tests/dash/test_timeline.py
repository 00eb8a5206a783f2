from __future__ import annotations

import pytest

from scopetrace.dash.place import Place, Scope
from scopetrace.dash.rows import Want
from scopetrace.dash.timeline import BAR_COLUMNS, TimelineView, bar
from scopetrace.model.process import ProcessEnd
from scopetrace.model.process_tree import ProcessNode
from scopetrace.query import open_session
from support.session_builder import SECOND, STARTED_NS, begin, image


def node(start_s: float, end_s: float | None, exit_code: int | None = 0) -> ProcessNode:
    process = image(started_ns=int(start_s * SECOND))
    ended_ns = None if end_s is None else int(end_s * SECOND)
    return ProcessNode((process,), ended_ns, exit_code, None, None, None, ())


@pytest.mark.parametrize(
    ("start_s", "end_s", "exit_code", "first", "last", "mark"),
    [
        (0, 32, 0, 0, 31, "="),
        (4, 8.5, 0, 4, 8, "="),
        (4, 8.5, 1, 4, 8, "x"),
        (4, None, None, 4, 31, ">"),
        (5, 5.001, 0, 5, 5, "="),
        (-1, 99, 0, 0, 31, "="),
    ],
)
def test_a_bar_is_where_the_process_ran(start_s, end_s, exit_code, first, last, mark):
    drawn = bar(node(start_s, end_s, exit_code), 0, BAR_COLUMNS * SECOND)

    assert drawn == " " * first + "=" * (last - first) + mark


def test_a_session_without_a_duration_has_bars():
    assert bar(node(0, 0), 0, 0) == "="


def test_a_row_leads_to_the_events_of_its_process(home):
    writer = begin(home)
    half_ns = STARTED_NS + 16 * SECOND
    writer.add_process(image(2, pid=80, parent=1, proc="sh", cmd="sh", started_ns=half_ns))
    writer.end_process(ProcessEnd(2, half_ns + SECOND, 3, None, False))
    writer.finish(exit_code=0, ended_ns=STARTED_NS + 32 * SECOND)

    with open_session(writer.path) as session:
        *_, part = TimelineView().read(session, Place("timeline"), Want())
    assert part.rows[1].cells == ("80", "16s", " " * 16 + "=x", "└─ sh")
    assert part.rows[1].opens == Place("events", Scope(80, "sh"))
    assert TimelineView().command(Place("timeline"), "1") == "scopetrace tree -t --id 1"
