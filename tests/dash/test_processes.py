from __future__ import annotations

import json
import subprocess
import sys

import pytest

from scopetrace.dash import processes
from scopetrace.dash.place import Place, Scope
from scopetrace.dash.processes import ProcessesView
from scopetrace.dash.rows import Want
from scopetrace.model.process import ProcessEnd
from scopetrace.query import open_session
from support.session_builder import SECOND, STARTED_NS, begin, image, record


def pids(path, place=Place("processes"), want=Want()):  # noqa: B008 (both are constant)
    with open_session(path) as session:
        *_, part = ProcessesView().read(session, place, want)
    return [int(row.cells[0]) for row in part.rows]


def test_a_row_says_who_started_a_process_and_how_it_ended(path):
    with open_session(path) as session:
        *_, part = ProcessesView().read(session, Place("processes"), Want())

    assert [row.cells for row in part.rows] == [
        ("70", "1", "0.000", "", "end not recorded", "python3 log.py"),
        ("80", "70", "1.000", "", "end not recorded", "└─ sh -c 'exit 3'"),
    ]
    assert part.whole
    assert part.rows[1].opens == Place("files", Scope(80, "sh"))


@pytest.fixture
def family(home):
    """python3 starts b and d; b starts c, which becomes C and starts e; f has no parent here."""
    starts = [("b", 1), ("c", 2), ("d", 1), ("C", 3), ("e", 5), ("f", 0)]
    writer = begin(home)
    for number, (cmd, parent) in enumerate(starts, 2):
        pid = 103 if cmd == "C" else 100 + number
        writer.add_process(image(number, pid=pid, parent=parent, cmd=cmd))
    writer.end_process(ProcessEnd(3, STARTED_NS, None, None, True))
    writer.finish(exit_code=0)
    return writer.path


@pytest.fixture
def shim(home):
    """python3 starts tool of pyenv, which starts readlink and becomes the tool, which starts ls."""
    writer = begin(home, config="scopetrace: {pathclasses: {interpreter: ['/[.]pyenv/']}}")
    script = {"args": ("sh", "/.pyenv/tool"), "cmd": "sh /.pyenv/tool"}
    for started in (
        image(2, pid=71, parent=1, **script),
        image(3, pid=72, parent=2, cmd="readlink"),
        image(4, pid=71, parent=2, cmd="tool"),
        image(5, pid=73, parent=4, cmd="ls"),
    ):
        writer.add_process(started)
    writer.end_process(ProcessEnd(2, STARTED_NS, None, None, True))
    writer.finish(exit_code=0)
    return writer.path


def test_what_a_version_manager_started_is_hidden_until_it_is_asked_for(shim):
    place = Place("processes")
    with open_session(shim) as session:
        view = ProcessesView()
        *_, part = view.read(session, place, Want())
        *_, whole = view.read(session, place._replace(show_all=True), Want())
        *_, again = view.read(session, place, Want())

    assert [row.cells[-1] for row in part.rows] == ["python3 log.py", "└─ tool", "   └─ ls"]
    assert part.note == "1 start-up process hidden: a shows it"
    assert [row.cells[-1].strip("└├─│ ") for row in whole.rows[1:]] == ["tool", "readlink", "ls"]
    assert (whole.note, again) == ("", part)
    assert view.words(place._replace(show_all=True)) == ["tree", "-A"]


def commands(path, *folded):
    with open_session(path) as session:
        place = Place("processes", folded=frozenset(folded))
        *_, part = ProcessesView().read(session, place, Want())
    return [(row.key, row.cells[-1]) for row in part.rows]


def test_they_are_a_tree_through_exec(family):
    assert commands(family) == [
        (1, "python3 log.py"),
        (2, "├─ b"),
        (3, "│  └─ C"),
        (6, "│     └─ e"),
        (4, "└─ d"),
        (7, "f"),
    ]


def test_what_is_below_a_process_can_be_folded(family):
    assert commands(family, 2) == [
        (1, "python3 log.py"), (2, "├─ [+2] b"), (4, "└─ d"), (7, "f"),
    ]  # fmt: skip
    assert commands(family, 1, 2, 7) == [(1, "[+4] python3 log.py"), (7, "f")]


def test_a_finished_session_is_read_once_and_one_that_grows_each_time(home):
    writer = begin(home)
    writer.commit()
    view, place = ProcessesView(), Place("processes")

    def read() -> list[tuple[bool, int]]:
        with open_session(writer.path) as session:
            parts = [part for part in view.read(session, place, Want()) if part]
        return [(part.is_done, len(part.rows)) for part in parts]

    assert read() == [(True, 1)]
    writer.add_process(image(2, pid=80, parent=1))
    writer.commit()
    assert read() == [(False, 1), (True, 2)]
    writer.finish(exit_code=0)
    assert read() == [(True, 2)]


def test_so_many_that_no_tree_is_kept_are_a_list(family, monkeypatch):
    monkeypatch.setattr(processes, "MOST_IN_TREE", 4)
    view = ProcessesView()
    assert view.is_tree(Place("processes"))
    with open_session(family) as session:
        *_, part = view.read(session, Place("processes"), Want(most=3))

    assert [row.cells[-1] for row in part.rows] == ["python3 log.py", "b", "d"]
    assert (part.whole, part.note) == (False, "a list: a tree has at most 4 processes")
    assert not view.is_tree(Place("processes"))


@pytest.fixture
def no_tree(monkeypatch):
    monkeypatch.setattr(processes, "MOST_IN_TREE", 0)


@pytest.mark.usefixtures("no_tree")
def test_a_list_is_read_by_key_in_both_orders_and_directions(home):
    path = record(home, [], [image(number, pid=100 + number) for number in range(2, 8)])
    place, back = Place("processes"), Place("processes", reverse=True)

    assert pids(path, place, Want(most=3)) == [70, 102, 103]
    assert pids(path, place, Want(3, most=2)) == [104, 105]
    assert pids(path, place, Want(6, forward=False, most=2)) == [104, 105]
    assert pids(path, place, Want(forward=False, most=2)) == [106, 107]
    assert pids(path, back, Want(most=2)) == [107, 106]
    assert pids(path, back, Want(6, most=2)) == [105, 104]
    assert pids(path, back, Want(4, forward=False, most=2)) == [106, 105]


@pytest.mark.usefixtures("no_tree")
@pytest.mark.parametrize(("most", "at_end"), [(5, False), (6, False), (7, True)])
def test_more_may_follow_a_list_of_as_many_as_are_read_at_once(family, most, at_end):
    with open_session(family) as session:
        *_, part = ProcessesView().read(session, Place("processes"), Want(most=most))

    assert (len(part.rows), part.at_end) == (min(most, 6), at_end)


def test_they_can_be_narrowed_and_filtered(path):
    assert pids(path, Place("processes", Scope(80))) == [80]
    assert pids(path, Place("processes", Scope(70))) == [70, 80]
    assert pids(path, Place("processes", match="exit 3")) == [80]
    assert pids(path, Place("processes", match="nothing")) == []


def test_all_are_exported_however_many_there_are(home):
    path = record(home, [], [image(number, pid=1000 + number) for number in range(2, 600)])
    with open_session(path) as session:
        found = [body["pid"] for body in ProcessesView().bodies(session, Place("processes"))]

    assert found == [70, *range(1002, 1600)]


def test_the_command_is_tree():
    view = ProcessesView()

    assert view.command(Place("processes"), "3") == "scopetrace tree --id 3"
    assert view.command(Place("processes", Scope(80), match="a b"), "/x y") == (
        "scopetrace tree -p 80 --depth 1 --id '/x y' | grep -F -e 'a b'"
    )


def test_they_can_be_sorted_by_their_duration(home):
    writer = begin(home)
    for number, seconds in ((2, 5), (3, 9), (4, 1)):
        writer.add_process(image(number, pid=number))
        writer.end_process(ProcessEnd(number, STARTED_NS + seconds * SECOND, 0, None, False))
    writer.finish(exit_code=0)
    place = Place("processes", sort="duration_us")

    for wanted, found in (
        (place, [3, 2, 4, 70]),
        (place._replace(reverse=True), [4, 2, 3, 70]),
        (place._replace(scope=Scope(3)), [3]),
    ):
        with open_session(writer.path) as session:
            *_, part = ProcessesView().read(session, wanted, Want())
        assert [int(row.cells[0]) for row in part.rows] == found
        assert part.whole


def test_the_sorted_ones_are_read_page_by_page_and_cut(home, monkeypatch):
    monkeypatch.setattr(processes, "MOST_SORTED", 5)
    path = record(home, [], [image(number, pid=number) for number in range(2, 600)])
    with open_session(path) as session:
        *steps, part = ProcessesView().read(session, Place("processes", sort="duration_us"), Want())

    assert steps == [None, None, None]
    assert (len(part.rows), part.note) == (5, "only the first 5")


@pytest.mark.parametrize(("reverse", "found"), [(False, [3, 2, 70]), (True, [2, 3, 70])])
def test_jq_sorts_what_tree_prints(home, needs, reverse, found):
    needs("jq")
    writer = begin(home)
    for number, seconds in ((2, 5), (3, 9)):
        writer.add_process(image(number, pid=number, parent=1))
        writer.end_process(ProcessEnd(number, STARTED_NS + seconds * SECOND, 0, None, False))
    writer.finish(exit_code=0)
    place = Place("processes", sort="duration_us", reverse=reverse, match="python3")
    line = ProcessesView().command(place, str(writer.path))
    shell = line.replace("scopetrace", f"{sys.executable} -m scopetrace", 1)
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)

    assert [json.loads(text)["pid"] for text in done.stdout.splitlines()] == found
