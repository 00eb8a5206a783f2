"""Where the time of a session went."""

from __future__ import annotations

from contextlib import closing as closing_db
from pathlib import Path
from typing import Any

from scopetrace.model.event import Event
from scopetrace.model.process import ProcessEnd
from scopetrace.model.summary import Slow
from scopetrace.query import open_session
from scopetrace.query.connect import connect
from scopetrace.query.slow import slowest
from support.session_builder import SECOND, STARTED_NS, closed, event, image, record


def slow_in(
    folder: Path, *events: Event, images: Any = (), ends: Any = (), lasted_s: int = 1
) -> tuple[Slow, ...]:
    """Return what was slow in a session that lasted so long."""
    path = record(folder, events, images, ends)
    with open_session(path) as session, closing_db(connect(path)) as db:
        return slowest(db, session.tree(), session.files(), lasted_s * SECOND)


def test_the_longest_of_each_kind_are_named_the_longest_first(tmp_path: Path) -> None:
    answer = {"http_method": "GET", "http_target": "/a", "http_duration_us": 300_000}
    found = slow_in(
        tmp_path,
        closed("/quick", io_duration=99_999, file_read_ops=1),
        closed("/slow", io_duration=200_000, file_read_ops=1),
        event("http.resp", **answer),
        event("http.resp", **{**answer, "http_duration_us": 50_000}),
        event("dns.resp", domain="example.org", duration_us=400_000),
    )

    assert [(slow.kind, slow.name, slow.duration_us) for slow in found] == [
        ("question", "example.org", 400_000),
        ("request", "GET /a", 300_000),
        ("file", "/slow", 200_000),
    ]


def test_what_was_served_is_no_request_of_the_program(tmp_path: Path) -> None:
    answer = {"http_method": "GET", "http_target": "/a", "http_duration_us": 300_000}
    found = slow_in(tmp_path, event("http.resp", **answer, http_server_duration=300))

    assert [slow.kind for slow in found] == ["served"]


def test_a_process_has_the_time_that_no_child_had(tmp_path: Path) -> None:
    images = [
        image(2, pid=71, cmd="cc", parent=1, started_ns=STARTED_NS + SECOND),
        image(3, pid=72, cmd="ld", parent=1, started_ns=STARTED_NS + 3 * SECOND),
    ]
    ends = [
        ProcessEnd(number, STARTED_NS + seconds * SECOND, 0, None, False)
        for number, seconds in ((1, 6), (2, 3), (3, 4))
    ]

    found = slow_in(tmp_path, images=images, ends=ends, lasted_s=6)

    assert [(slow.name, slow.duration_us) for slow in found] == [
        ("python3 log.py", 3_000_000),
        ("cc", 2_000_000),
        ("ld", 1_000_000),
    ]


def test_a_process_has_its_cpu_time_and_a_file_the_process_that_alone_used_it(
    tmp_path: Path,
) -> None:
    used = event("proc.exit", exit_code=0, duration=1, cpu_own=7)
    read = {"io_duration": 200_000, "file_read_ops": 1}
    found = slow_in(
        tmp_path,
        closed("/one", **read),
        closed("/both", **read),
        closed("/both", **read)._replace(process=2),
        used,
        images=[image(2, pid=71, parent=1, started_ns=STARTED_NS + 6 * SECOND)],
        ends=[ProcessEnd(1, STARTED_NS + 6 * SECOND, 0, None, False)],
    )

    assert [(slow.kind, slow.pid, slow.cpu_us) for slow in found] == [
        ("process", 70, 7), ("file", 0, None), ("file", 70, None),
    ]  # fmt: skip


def test_what_took_a_small_part_of_the_time_is_not_slow(tmp_path: Path) -> None:
    """A tenth of a session of 10 s is 1 s."""
    read = closed("/read", io_duration=999_999, file_read_ops=1)
    assert slow_in(tmp_path, read, lasted_s=10) == ()
    assert slow_in(tmp_path, read, lasted_s=9) != ()


def test_a_child_that_has_not_ended_takes_no_time_of_its_parent(tmp_path: Path) -> None:
    images = [image(2, pid=71, cmd="cc", parent=1, started_ns=STARTED_NS + SECOND)]
    ends = [ProcessEnd(1, STARTED_NS + 6 * SECOND, 0, None, False)]
    (slow,) = slow_in(tmp_path, images=images, ends=ends, lasted_s=6)

    assert (slow.name, slow.duration_us) == ("python3 log.py", 6_000_000)
