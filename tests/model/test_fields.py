from __future__ import annotations

from itertools import groupby

import pytest

from scopetrace.model.event import EventRecord
from scopetrace.model.fields import BODY, FIELDS, NUMBERS, RECORDS, SOURCES, column
from scopetrace.model.file_record import FILE_FIELDS
from scopetrace.model.flow_record import FLOW_FIELDS
from scopetrace.model.metric import METRICS, MetricRecord
from scopetrace.sources.needs import source_classes
from scopetrace.wire.ndjson import event_body, metric_body

FIELD = [(source.view, field) for source in SOURCES for field in source.fields]


def test_every_event_that_a_source_makes_has_a_row():
    names = {name for source in source_classes() for name in source.needs if name}
    rows = {source.name for source in SOURCES}

    assert {name for name in names if "." in name} <= rows


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.view)
def test_a_source_says_when_and_names_each_field_once(source):
    names = [field.name for field in source.fields]

    assert source.meaning.endswith(".")
    assert len(names) == len(set(names))
    for field in source.fields:
        assert field.meaning, field.name
        assert field.type in ("text", "integer", "number", "boolean", "list"), field.name


def test_a_name_is_a_number_everywhere_or_nowhere():
    by_name = sorted(FIELD, key=lambda row: row[1].name)
    for name, rows in groupby(by_name, key=lambda row: row[1].name):
        kinds = {field.type in ("text", "list") for _view, field in rows}
        assert len(kinds) == 1, f"{name} is text in one event and a number in another"
        assert (name in NUMBERS) is not kinds.pop()


def test_the_body_has_the_fields_of_the_table_in_their_order():
    record = EventRecord(1, 0, "net", "net.open", "h", "p", "p", 1, 1, 0, 0, "u", "g", 0, {})

    assert list(event_body(record)) == [field.name for field in BODY]


def test_every_tag_of_a_metric_is_a_field_or_has_a_name_that_the_body_takes():
    tags = {tag for metric in METRICS.values() for tag in metric.tags}

    assert tags - {field.name for field in BODY} <= set(FIELDS)


def test_a_column_is_a_word_of_sql():
    assert column("x-appscope") == "x_appscope"


@pytest.mark.parametrize(
    ("name", "known"),
    [("flows", FLOW_FIELDS), ("files", FILE_FIELDS), ("events", [field.name for field in BODY])],
)
def test_what_a_command_prints_is_described_in_its_order(name, known):
    (record,) = [record for record in RECORDS if record.name == name]

    assert [field.name for field in record.fields] == list(known)


def test_what_the_body_of_a_metric_has_is_described():
    record = MetricRecord(1, 0, "n", "counter", "byte", 1, {"numops": 1}, "h", "p", 1)
    (described,) = [record for record in RECORDS if record.name == "metrics"]

    assert metric_body(record).keys() == {field.name for field in described.fields}
