"""What the filters mean is checked against a plain loop over all events."""

from __future__ import annotations

import fnmatch
import random

import pytest

from scopetrace.errors import UsageError
from scopetrace.query import open_session
from scopetrace.query.events import EventFilter, EventQuery
from support.session_builder import STARTED_NS, begin, closed, event, image, record

SOURCES = ("fs.open", "fs.close", "fs.error", "proc.exit", "stdout", "/a.log", "/b.log")
PROCS = ("python3", "gcc", "cc1", "make")


def images():
    return [image(number, pid=60 + number // 2, proc=PROCS[number % 4]) for number in range(2, 41)]


def random_events():
    chance = random.Random(1)
    return [
        event(
            chance.choice(SOURCES),
            at=number / 10 + chance.random(),
            process=chance.randrange(1, 41),
            file=f"/f{number % 17}",
            duration=number % 5,
            message=chance.choice(["alpha", "be\nta", 'quo"ted', "\udcff raw", "gr\u00fcn"]),
        )
        for number in range(1, 1301)
    ]


@pytest.fixture(scope="module", params=["finished", "running"])
def session(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    if request.param == "finished":
        record(home, random_events(), images())
        with open_session(home=home) as opened:
            yield opened
        return
    writer = begin(home)
    for one in images():
        writer.add_process(one)
    writer.add_events(random_events())
    writer.commit()
    with open_session(home=home) as opened:
        yield opened
    writer.discard()


def listed(value):
    return [value] if isinstance(value, str | int) else list(value)


def glob(value, patterns):
    return any(
        fnmatch.fnmatchcase(value, f"{p}*" if p.endswith(".") else p) for p in listed(patterns)
    )


CHECKS = {
    "source": lambda r, wanted: glob(r.source, wanted),
    "sourcetype": lambda r, wanted: glob(r.sourcetype, wanted),
    "proc": lambda r, wanted: glob(r.proc, wanted),
    "pid": lambda r, wanted: r.pid in listed(wanted),
    "match": lambda r, wanted: any(
        text in part for text in listed(wanted) for part in (r.source, *map(str, r.data.values()))
    ),
    "since_ns": lambda r, wanted: r.time_ns >= wanted,
    "until_ns": lambda r, wanted: r.time_ns < wanted,
    "after_id": lambda r, wanted: r.id > wanted,
}
FILTERS = [
    {},
    {"source": "fs.close"},
    {"source": ["fs.close", "stdout"]},
    {"source": "fs."},
    {"source": "*"},
    {"source": "/*.log"},
    {"source": "/nothing"},
    {"source": ["/nothing", "fs.open"]},
    {"sourcetype": "fs"},
    {"sourcetype": ["fs", "file"]},
    {"sourcetype": "c*", "source": "std*"},
    {"sourcetype": "fs", "source": "stdout"},
    {"pid": 70},
    {"pid": [60 + n for n in range(20)]},
    {"pid": 1},
    {"pid": 99999999999999999999999},
    {"proc": "gcc"},
    {"proc": "*c*"},
    {"proc": ["gcc", "make"], "pid": [61, 62, 63]},
    {"pid": 64, "source": "fs."},
    {"pid": 64, "sourcetype": "process", "source": "proc.exit"},
    {"match": "alpha"},
    {"match": "be\nta"},
    {"match": 'o"t'},
    {"match": ["\udcff", "ü"]},
    {"match": "file"},
    {"match": "e"},
    {"match": "duration"},
    {"match": "n"},
    {"match": "u00"},
    {"match": ".log"},
    {"match": "/f16", "source": "fs.open"},
    {"since_ns": STARTED_NS + 50_000_000_000},
    {"since_ns": STARTED_NS + 50_000_000_000, "until_ns": STARTED_NS + 60_000_000_000},
    {"until_ns": -(10**30)},
    {"after_id": 1290},
    {"after_id": 1290, "source": "fs.", "pid": [70, 61, 62, 63, 64, 65]},
    {"after_id": 10**30},
]


def expected(session, filters):
    return [
        found.id
        for found in session.events()
        if all(CHECKS[name](found, wanted) for name, wanted in filters.items())
    ]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_filters_find_what_a_plain_loop_finds(session, filters):
    assert [r.id for r in session.events(**filters)] == expected(session, filters)


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("last", [0, 1, 7, 600, 5000])
def test_the_last_are_the_last_that_match_the_oldest_first(session, filters, last):
    found = [r.id for r in session.events(**filters, last=last)]

    assert found == expected(session, filters)[-last:] * (last > 0)


@pytest.mark.parametrize("field", ["duration", "file", "time", "id", "proc", "op", "_time", "pid"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("filters", [{}, {"source": "fs.", "pid": 64}, {"after_id": 1000}])
def test_sorting_puts_the_largest_first(session, field, reverse, filters):
    found = list(session.events(sort=field, reverse=reverse, **filters))
    key = {"time": "time_ns", "_time": "time_ns"}.get(field, field)
    values = [r.data.get(key, getattr(r, key, None)) for r in found]

    assert sorted(r.id for r in found) == expected(session, filters)
    if field == "op":  # nobody has it
        assert set(values) == {None}
    else:
        assert values == sorted(values, reverse=not reverse)
    top = [r.id for r in session.events(sort=field, reverse=reverse, last=5, **filters)]
    assert top == [r.id for r in found[:5]]


def test_events_without_the_field_come_last_either_way(tmp_path):
    record(tmp_path, [event("stdout", message="x"), closed("/a"), closed("/b", duration=5)])
    with open_session(home=tmp_path) as session:
        assert [r.id for r in session.events(sort="duration")] == [2, 3, 1]
        assert [r.id for r in session.events(sort="duration", reverse=True)] == [3, 2, 1]


def test_an_unknown_field_to_sort_by_is_one_sentence(session):
    with pytest.raises(UsageError, match="no event has a field named duratio; did you mean durati"):
        session.events(sort="duratio")


def test_a_negative_number_of_events_is_one_sentence(session):
    with pytest.raises(UsageError, match="cannot be negative"):
        session.events(last=-1)


def test_patterns_are_data_not_sql(session):
    for name in ("source", "sourcetype", "proc", "match"):
        assert list(session.events(**{name: "/' OR 1=1 --"})) == []


def test_more_processes_than_can_be_walked_are_found_too(tmp_path):
    many = [image(number, pid=1000 + number, proc="cc1") for number in range(2, 101)]
    events = [event("fs.open", process=number % 100 + 1, file="/x") for number in range(500)]
    record(tmp_path, events, many)
    with open_session(home=tmp_path) as session:
        assert len(list(session.events(proc="cc1"))) == 495
        assert len(list(session.events(proc="cc1", source="fs.open", last=20))) == 20


def test_an_event_whose_process_was_lost_is_shown(tmp_path):
    record(tmp_path, [event("fs.open", process=77, file="/x")])
    with open_session(home=tmp_path) as session:
        (found,) = session.events(where="file = '/x' and proc is null")

        assert (found.proc, found.pid, found.args) == ("", 0, ())


@pytest.mark.parametrize(
    "wanted",
    [
        EventFilter(source=("fs.close",)),
        EventFilter(source=("fs.",)),
        EventFilter(sourcetype=("fs",)),
        EventFilter(pid=(70,)),
        EventFilter(proc=("python3",), source=("fs.",)),
        EventFilter(source=("fs.close",), where="duration > 1"),
        EventFilter(where="duration > 1"),
        EventFilter(),
    ],
    ids=str,
)
def test_the_last_few_are_found_without_sorting_all(tmp_path, wanted):
    """Each walk follows an index, or the table, and nothing is collected to be sorted."""
    record(tmp_path, random_events(), images())
    with open_session(home=tmp_path) as session:
        query = EventQuery(session._db, session._failures, wanted)
        run = []
        session._db.set_trace_callback(run.append)
        query.page(("e.id",), 0, 1300, 20, backwards=True)
        session._db.set_trace_callback(None)

        assert run
        for sql in run:
            plan = " ".join(row[3] for row in session._db.execute(f"EXPLAIN QUERY PLAN {sql}"))
            assert "TEMP B-TREE" not in plan
            assert ("USING COVERING INDEX event_" in plan or "USING INDEX event_" in plan) == (
                query._driver is not None
            )


FIELDS_TO_GROUP = {
    "file": lambda event: event.data["file"],
    "source": lambda event: event.source,
    "pid": lambda event: event.pid,
    "proc": lambda event: event.proc,
    "message": lambda event: event.data["message"],
}


@pytest.mark.parametrize("field", FIELDS_TO_GROUP)
@pytest.mark.parametrize(
    "filters", [{}, {"source": "fs.open"}, {"proc": ["gcc", "make"]}, {"where": "duration > 2"}]
)
def test_groups_are_what_a_plain_loop_counts(session, field, filters):
    expected = {}
    for one in session.events(**filters):
        value = FIELDS_TO_GROUP[field](one)
        events, total = expected.get(value, (0, 0))
        expected[value] = events + 1, total + one.data["duration"]

    counted = session.event_groups(field, **filters)
    assert {group.value: group.events for group in counted} == {
        value: events for value, (events, _) in expected.items()
    }
    assert [group.events for group in counted] == sorted(
        (group.events for group in counted), reverse=True
    )
    query = EventQuery(session._db, session._failures, EventFilter())
    if not filters:
        summed = query.grouped(field, "duration", session.last_id, 3)
        assert [(group.value, (group.events, group.sum)) for group in summed] == sorted(
            expected.items(), key=lambda item: (-item[1][1], -item[1][0], item[0])
        )[:3]


def test_events_without_the_field_are_the_last_group(tmp_path):
    path = record(tmp_path, [event("stdout", message="x")] * 3 + [closed("/a"), closed("/b")])
    with open_session(path) as session:
        assert session.event_groups("file", "file_read_bytes") == [
            ("/a", 1, 5155),
            ("/b", 1, 5155),
            (None, 3, None),
        ]
        assert session.event_groups("file", top=1) == [("/a", 1, None)]


def test_a_duration_is_summed_up_in_one_unit(tmp_path):
    path = record(
        tmp_path,
        [
            event("fs.close", file="/a", duration=1500),
            event("net.close", duration=3),
            event("dns.resp", duration=2, duration_us=2100),
            event("stdout", message="x"),
        ],
    )
    with open_session(path) as session:
        in_us = {group.value: group.sum for group in session.event_groups("source", "duration_us")}
        in_ms = {group.value: group.sum for group in session.event_groups("source", "duration_ms")}
        sorted_ids = [each.id for each in session.events(sort="duration_us")]

    assert in_us == {"net.close": 3000, "dns.resp": 2100, "fs.close": 1500, "stdout": None}
    assert in_ms == {"net.close": 3, "dns.resp": 2, "fs.close": 1.5, "stdout": None}
    assert sorted_ids == [2, 3, 1, 4]


@pytest.mark.parametrize(
    ("field", "summed", "sentence"),
    [
        ("fiel", None, "no event has a field named fiel; did you mean file"),
        ("file", "pids", "no event has a field named pids; did you mean pid"),
        ("file", "file", "file is no number to sum up"),
        ("file", "pid", "pid is no number to sum up"),
        ("file", "duration", "duration has another unit in each source: sum up duration_us"),
    ],
)
def test_a_field_that_cannot_be_grouped_or_summed_is_refused(session, field, summed, sentence):
    with pytest.raises(UsageError, match=sentence):
        session.event_groups(field, summed)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("fs", {"fs.open", "fs.close", "fs.error"}),
        ("fs.o", {"fs.open"}),
        ("std", {"stdout"}),
        ("/a", set()),
        ("s", {"stdout"}),
    ],
)
def test_the_beginning_of_a_source_will_do(session, source, found):
    assert {event.source for event in session.events(source=source)} == found
