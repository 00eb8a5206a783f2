"""Pages of processes by key."""

from __future__ import annotations

from scopetrace.model.process import ProcessEnd
from scopetrace.query import open_session
from support.session_builder import SECOND, STARTED_NS, begin, image


def test_a_process_is_one_row_with_all_that_it_ran(tmp_path):
    writer = begin(tmp_path)
    writer.add_process(image(2, pid=80, ppid=70, parent=1, proc="sh"))
    writer.end_process(ProcessEnd(2, STARTED_NS + 1, None, None, True))
    writer.add_process(image(3, pid=80, ppid=70, parent=2, proc="env"))
    writer.end_process(ProcessEnd(3, STARTED_NS + 2, None, None, True))
    writer.add_process(image(4, pid=80, ppid=70, parent=3, proc="make"))
    writer.add_process(image(5, pid=81, ppid=80, parent=4, proc="make"))
    writer.end_process(ProcessEnd(4, STARTED_NS + SECOND, 2, None, False))
    writer.finish(exit_code=0)

    with open_session(writer.path) as session:
        first, made, child = session.process_page(0, 10)
        assert [node.key for node in (first, made, child)] == [1, 4, 5]
        assert [one.proc for one in made.images] == ["sh", "env", "make"]
        assert (made.duration_ns, made.exit_code) == (SECOND, 2)
        assert (child.images[0].ppid, child.duration_ns) == (80, None)


def test_pages_join_without_a_gap_in_both_directions(tmp_path):
    writer = begin(tmp_path)
    for number in range(2, 12):
        writer.add_process(image(number, pid=number))
    writer.finish(exit_code=0)

    def keys(*args, **filters):
        return [node.key for node in session.process_page(*args, **filters)]

    with open_session(writer.path) as session:
        assert keys(0, 4) == [1, 2, 3, 4]
        assert keys(4, 4) == [5, 6, 7, 8]
        assert keys(8, 4) == [9, 10, 11]
        assert keys(9, 4, backwards=True) == [5, 6, 7, 8]
        assert keys(3, 4, backwards=True) == [1, 2]
        assert keys(0, 4, pid=[3, 7]) == [3, 7]
        assert keys(0, 4, match="no such text") == []
