"""Whole sessions: nothing differs between runs that are alike, and the answers stand first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from scopetrace.model.event import Event
from scopetrace.model.process import Process
from support.session_builder import closed, event, image
from support.two_runs import Run, child, compared, ended_at, found

PATHS = st.sampled_from(
    ["/home/ann/a", "/home/ann/b/c", "/tmp/x-70", "/tmp/tmpab12cd34", "/proc/71/stat", "/etc/72"]
)
SIZES = st.integers(0, 100)


@st.composite
def events_of(draw: st.DrawFn, processes: int) -> Event:
    process = draw(st.integers(1, processes))
    path = draw(PATHS)
    made = draw(
        st.sampled_from(
            [
                event("fs.open", file=path, flags="O_RDWR|O_CREAT"),
                event("fs.error", file=path, op="openat", error="ENOENT"),
                event("fs.delete", file=path, op="unlink"),
                event("fs.rename", file=path, file_new=draw(PATHS), op="rename"),
                closed(path, file_read_bytes=draw(SIZES), file_write_bytes=draw(SIZES)),
                event("stdout", message=draw(st.text("ab 7\n", max_size=9))),
                event("/home/ann/app.log", message=draw(st.text("x 17\0\n", max_size=9))),
                event("net.error", op="connect", error="ECONNREFUSED", net_peer_ip="10.0.0.1",
                      net_peer_port=draw(SIZES)),
                event("http.resp", http_method="GET", http_target="/", http_status_code=200),
            ]
        )
    )  # fmt: skip
    return made._replace(process=process)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    images = [image(pid=7001)]
    for number in range(2, draw(st.integers(2, 6))):
        parent = draw(st.integers(1, number - 1))
        args = draw(st.lists(st.sampled_from(["-a", "/tmp/x-70", "7", "b.c"]), max_size=3))
        images.append(child(number, "tool", *args, parent=parent, pid=7000 + number))
    ends = [ended_at(each.id, code=draw(st.sampled_from([0, 1]))) for each in images]
    return Run(draw(st.lists(events_of(len(images)), max_size=12)), images, ends)


def renumbered(run: Run, pids: Sequence[int]) -> Run:
    """Return the run with other process ids and other times, its children in another order."""
    number = dict(zip((each.pid for each in run.images), pids, strict=False))
    images = [
        each._replace(pid=number[each.pid], started_ns=each.started_ns + 5) for each in run.images
    ]
    return run._replace(images=images, ends=run.ends[::-1])


@settings(max_examples=25)
@given(runs())
def test_nothing_differs_between_a_session_and_itself(run: Run) -> None:
    with TemporaryDirectory() as home:
        assert found(Path(home), run, run) == []


@settings(max_examples=25)
@given(runs(), st.permutations(range(8001, 8010)))
def test_nothing_differs_if_processes_have_other_numbers(run: Run, pids: list[int]) -> None:
    with TemporaryDirectory() as home:
        assert found(Path(home), run, renumbered(run, pids)) == []


@settings(max_examples=25)
@given(runs(), runs())
def test_what_is_only_in_one_session_is_only_in_the_other_if_they_change_places(
    a: Run, b: Run
) -> None:
    with TemporaryDirectory() as home:
        there = compared(Path(home), a, b).differences
        back = compared(Path(home), b, a).differences
    changed = {"only A": "only B", "only B": "only A"}
    assert sorted((changed.get(d.change, d.change), d.kind, d.aspect) for d in there) == sorted(
        (d.change, d.kind, d.aspect) for d in back
    )


def test_what_varies_in_further_runs_is_left_out(tmp_path: Path) -> None:
    def run(number: int, *more: Event) -> Run:
        seen = event("fs.open", file=f"/home/ann/out-{number}", flags="O_RDONLY")
        return Run([seen, event("stdout", message=f"took {number} steps\n"), *more])

    bad = event("stderr", message="broken\n")
    difference = compared(tmp_path, run(1), run(3, bad), [run(2)])

    assert [(d.kind, d.b) for d in difference.differences] == [("stderr", "broken")]
    assert difference.ignored == 3
    assert len(compared(tmp_path, run(1), run(3, bad)).differences) == 4


def test_what_differs_is_true_and_nothing_is_false(tmp_path: Path) -> None:
    """Also where all that differs varies in further runs."""

    def run(number: int) -> Run:
        return Run([event("fs.open", file=f"/home/ann/out-{number}", flags="O_RDONLY")])

    assert not compared(tmp_path, run(1), run(1))
    assert compared(tmp_path, run(1), run(2))
    assert not compared(tmp_path, run(1), run(2), [run(3)])


def test_the_answers_stand_first(tmp_path: Path) -> None:
    def images(*more: Process) -> list[Process]:
        return [image(), *more]

    a = Run(
        [
            *[event("fs.open", file="/home/ann/in", flags="O_RDONLY")],
            closed("/home/ann/conf"),
            event("http.resp", http_method="GET", http_target="/", http_status_code=200),
        ],
        images(child(2, "tool")),
    )
    b = Run(
        [
            event("stdout", message="sorry\n"),
            event("fs.error", file="/home/ann/conf", error="ENOENT", op="openat"),
            event("fs.error", file="/etc/conf", error="ENOENT", op="openat"),
            event("http.resp", http_method="GET", http_target="/", http_status_code=500),
        ],
        images(),
        [ended_at(1, code=1)],
    )

    order = [(change, kind, what) for change, kind, what, *_ in found(tmp_path, a, b)]
    assert [(change, kind, re.sub(".*/", "", what)) for change, kind, what in order] == [
        ("result", "process", "python3 log.py"),
        ("only A", "process", "tool"),
        ("result", "file", "conf"),
        ("result", "request", ""),
        ("only A", "file", "in"),
        ("only B", "stdout", "stdout"),
        ("only B", "file", "conf"),
    ]  # fmt: skip
