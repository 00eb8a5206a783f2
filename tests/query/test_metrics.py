from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from scopetrace.errors import UsageError
from scopetrace.model.metric import MetricRecord, Sample
from scopetrace.query import open_session
from scopetrace.query.metrics import MetricSettings, read_settings
from support.session_builder import STARTED_NS, begin, image, record
from support.session_builder import closed as closed_file


def sample(name, value=1, process=1, at=0, type="counter", unit="byte", **tags):
    return Sample(STARTED_NS + at, process, name, type, unit, value, tags)


def written(home, *samples, **facts):
    writer = begin(home, **facts)
    writer.add_process(image(2, pid=71, proc="nginx"))
    writer.add_metrics(samples)
    writer.finish()
    return writer.path


def test_metrics_come_back_as_they_were_written(tmp_path):
    written(
        tmp_path,
        sample("fs.read", 5155, op="read"),
        sample("fs.duration", 2.5, 2, 7, "histogram", "microsecond", file="/a", numops=2),
    )
    with open_session(home=tmp_path) as session:
        assert list(session.metrics()) == [
            MetricRecord(
                1, STARTED_NS, "fs.read", "counter", "byte", 5155, {"op": "read"}, "box",
                "python3", 70,
            ),
            MetricRecord(
                2, STARTED_NS + 7, "fs.duration", "histogram", "microsecond", 2.5,
                {"file": "/a", "numops": 2}, "box", "nginx", 71,
            ),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["fs.open", "fs.read", "net.tx", "fs.open"]),
        ({"name": "fs.open"}, ["fs.open", "fs.open"]),
        ({"name": ("net.tx", "fs.read")}, ["fs.read", "net.tx"]),
        ({"name": "fs."}, ["fs.open", "fs.read", "fs.open"]),
        ({"name": "*.[rt]*"}, ["fs.read", "net.tx"]),
        ({"pid": 71}, ["net.tx", "fs.open"]),
        ({"proc": "ngi*", "name": "fs.*"}, ["fs.open"]),
        ({"pid": (70, 10**30), "proc": "nginx"}, []),
        ({"last": 2}, ["net.tx", "fs.open"]),
        ({"last": 1, "name": "fs.read"}, ["fs.read"]),
        ({"last": 9, "pid": 70}, ["fs.open", "fs.read"]),
        ({"last": 0}, []),
        ({"last": 10**30}, ["fs.open", "fs.read", "net.tx", "fs.open"]),
    ],
)
def test_filters_choose(tmp_path, wanted, names):
    written(
        tmp_path,
        sample("fs.open"),
        sample("fs.read"),
        sample("net.tx", process=2),
        sample("fs.open", process=2),
    )

    with open_session(home=tmp_path) as session:
        assert [m.name for m in session.metrics(**wanted)] == names


def test_a_negative_number_is_refused(tmp_path):
    written(tmp_path)

    with open_session(home=tmp_path) as session, pytest.raises(UsageError, match="negative"):
        session.metrics(last=-1)


def test_many_are_read_page_by_page(tmp_path):
    written(tmp_path, *(sample("fs.read", n) for n in range(1, 1202)))

    with open_session(home=tmp_path) as session:
        assert [m.value for m in session.metrics()] == list(range(1, 1202))
        assert [m.value for m in session.metrics(last=700)] == list(range(502, 1202))


def test_what_is_added_while_reading_is_for_the_next_question(tmp_path):
    writer = begin(tmp_path)
    writer.add_metrics([sample("fs.read")])
    writer.commit()
    with open_session(home=tmp_path) as session:
        reading = session.metrics()
        next(reading)
        writer.add_metrics([sample("fs.write")])
        writer.commit()
        assert list(reading) == []
        assert [m.name for m in session.metrics()] == ["fs.read", "fs.write"]
    writer.discard()


def test_a_metric_whose_process_could_not_be_written_is_still_there(tmp_path):
    written(tmp_path, sample("fs.read", process=9))

    with open_session(home=tmp_path) as session:
        (found,) = session.metrics()
    assert (found.proc, found.pid) == ("", 0)


def test_a_session_of_the_first_version_has_events_and_no_metrics(tmp_path):
    path = record(tmp_path, [closed_file("/a"), closed_file("/b")])
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for drop in ("VIEW metrics", "TABLE metric", "TABLE payload"):
            db.execute(f"DROP {drop}")
        db.execute("PRAGMA user_version = 1")

    with open_session(path) as session:
        assert list(session.metrics()) == list(session.metrics("fs.*", last=3)) == []
        assert len(list(session.events(source="fs.close", last=5))) == 2


def test_the_configuration_says_how_metrics_look(tmp_path):
    config = "metric:\n  enable: true\n  format: {statsdprefix: me., statsdmaxlen: 99}\n"
    written(tmp_path, config=config)

    with open_session(home=tmp_path) as session:
        assert session.metric_settings == MetricSettings(True, "me.", 99)


@pytest.mark.parametrize("config", ["", "metric:\n", "metric: {format: {statsdprefix: ''}}"])
def test_what_a_configuration_does_not_say_is_as_usual(config):
    assert read_settings(config) == MetricSettings(False, "", 512)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("net.rx2", "no metric is named net.rx2; did you mean net.rx"),
        (["fs.open", "fsopen."], "no metric is named fsopen."),
    ],
)
def test_a_metric_that_is_nowhere_is_refused(tmp_path, name, sentence):
    path = written(tmp_path, sample("fs.open"))

    with open_session(path) as session, pytest.raises(UsageError, match=sentence):
        session.metrics(name=name)


def test_a_metric_of_the_program_itself_is_known(tmp_path):
    path = written(tmp_path, sample("hits"))

    with open_session(path) as session:
        assert [metric.name for metric in session.metrics(name="hits")] == ["hits"]
