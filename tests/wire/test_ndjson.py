from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.event import EventRecord
from scopetrace.wire.ndjson import event_body, json_line, metric_body
from support.session_builder import SENT

RECORD = EventRecord(
    id=3, time_ns=1_783_822_275_123_456_789, sourcetype="fs", source="fs.open", host="box",
    proc="ps", cmd="ps -e", pid=7, tid=8, uid=1000, gid=1001, username="ann", groupname="users",
    channel=5, data={"file": "/x", "op": "openat"}, args=("ps", "-e"),
)  # fmt: skip


def test_a_body_has_its_keys_in_order_and_fs_data_names_its_process():
    assert json_line(event_body(RECORD)) == (
        '{"id":3,"sourcetype":"fs","_time":1783822275.123456,"source":"fs.open","host":"box",'
        '"proc":"ps","cmd":"ps -e","pid":7,"uid":1000,"gid":1001,"username":"ann",'
        '"groupname":"users","args":["ps","-e"],'
        '"data":{"proc":"ps","pid":7,"host":"box","file":"/x","op":"openat"}}'
    )


def test_other_data_is_as_it_was_stored():
    record = RECORD._replace(sourcetype="console", source="stdout", data={"message": "hi\n"})

    assert event_body(record)["data"] == {"message": "hi\n"}


def test_readable_text_stays_readable():
    assert json_line({"file": "/home/zoë/été"}) == '{"file":"/home/zoë/été"}'


def test_bytes_that_are_no_utf_8_come_back_as_they_were():
    name = b"caf\xe9"

    text = json_line({"file": os.fsdecode(name)})

    assert text == '{"file":"caf\\udce9"}'
    assert os.fsencode(json.loads(text)["file"]) == name


@given(st.dictionaries(st.text(), st.text(st.characters(exclude_categories=()))))
def test_json_is_one_safe_line_that_means_the_same(value):
    text = json_line(value)

    assert text.isprintable()
    text.encode()
    # A high and a low surrogate side by side are one character to every reader of JSON.
    assert json.loads(text) == json.loads(json.dumps(value))


def test_the_body_is_what_appscope_calls_one():
    assert list(metric_body(SENT).items()) == [
        ("_metric", "net.tx"),
        ("_metric_type", "counter"),
        ("_value", 11),
        ("proto", "TCP"),
        ("class", "inet_tcp"),
        ("proc", "nc"),
        ("pid", 70),
        ("host", "box"),
        ("unit", "byte"),
        ("_time", 1643735835.454946),
    ]


@pytest.mark.parametrize(
    ("verbosity", "known"), [(0, set()), (3, {"unit"}), (4, {"unit", "proc", "pid", "host"})]
)
def test_little_verbosity_does_not_say_whose_value_it_is(verbosity, known):
    what = {"_metric", "_metric_type", "_value", "proto", "class", "_time"}
    assert metric_body(SENT, verbosity).keys() == what | known


def test_tags_win_over_what_we_know_but_not_over_what_it_is():
    body = metric_body(
        SENT._replace(unit="", tags={"proc": "mine", "_metric": "x", "_time": "noon"})
    )

    assert (body["proc"], body["_metric"], body["_time"]) == ("mine", "net.tx", 1643735835.454946)
    assert "unit" not in body


def test_a_tag_without_a_value_is_there():
    body = metric_body(SENT._replace(tags={"canary": ""}))

    assert body["canary"] == ""


def test_tags_stand_before_the_data_and_replace_nothing():
    body = event_body(RECORD._replace(tags={"stage": "test", "pid": "x"}))

    assert list(body)[-2:] == ["stage", "data"]
    assert (body["stage"], body["pid"]) == ("test", 7)
