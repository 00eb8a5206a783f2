from __future__ import annotations

import json
import os

import msgspec
import pytest

from scopetrace.config.schema import MetricFormat
from scopetrace.forward.lines import Lines
from scopetrace.model.metric import Sample
from support.session_builder import event, image

NDJSON = MetricFormat(type="ndjson", statsdprefix="", statsdmaxlen=512, verbosity=4)
STATSD = MetricFormat(type="statsd", statsdprefix="me.", statsdmaxlen=31, verbosity=4)
SENT = Sample(1_643_735_835_454_946_001, 1, "net.tx", "counter", "byte", 11, {"proto": "TCP"})


def test_an_event_is_in_the_envelope_of_appscope():
    opened = event("fs.open", at=0.25, channel=5890, file="/x", op="openat")
    process = image(cmd="python3 " + "x" * 40, tags={"team": "blue"})

    line = Lines("box", NDJSON).event(opened, process)

    assert line.decode() == (
        '{"type":"evt","id":"box-python3-' + "x" * 32 + '","_channel":"5890","body":{'
        '"sourcetype":"fs","_time":1783822275.25,"source":"fs.open","host":"box",'
        '"proc":"python3","cmd":"python3 ' + "x" * 40 + '","pid":70,"team":"blue",'
        '"data":{"proc":"python3","pid":70,"host":"box","file":"/x","op":"openat"}}}\n'
    )


def test_a_command_line_of_megabytes_is_not_in_every_line():
    line = Lines("box", NDJSON).event(event("fs.delete", file="/x"), image(cmd="c" * (2 << 20)))

    assert json.loads(line)["body"]["cmd"] == "c" * 65536


def test_an_event_of_no_open_file_has_no_channel():
    line = Lines("box", NDJSON).event(event("fs.delete", file="/x"), image())

    assert json.loads(line)["_channel"] == "none"


def test_a_tag_takes_no_name_of_the_body():
    line = Lines("box", NDJSON).event(event("stdout"), image(tags={"uid": "x", "pid": "y"}))

    assert json.loads(line)["body"]["pid"] == 70
    assert "uid" not in json.loads(line)["body"]


def test_names_that_are_no_utf_8_come_through():
    name = b"/caf\xe9\n\xff"

    line = Lines("box", NDJSON).event(event("fs.open", file=os.fsdecode(name)), image())

    assert line.count(b"\n") == 1
    assert os.fsencode(json.loads(line)["body"]["data"]["file"]) == name


def test_a_metric_is_in_the_envelope_of_appscope():
    assert Lines("box", NDJSON).metric(SENT, image()).decode() == (
        '{"type":"metric","body":{"_metric":"net.tx","_metric_type":"counter","_value":11,'
        '"proto":"TCP","proc":"python3","pid":70,"host":"box","unit":"byte",'
        '"_time":1643735835.454946}}\n'
    )


def test_a_gauge_below_0_is_two_lines_of_statsd():
    below = SENT._replace(type="gauge", value=-5)
    assert Lines("box", STATSD).metric(below, image()).count(b"\n") == 2


def test_a_metric_can_be_a_line_of_statsd():
    assert Lines("box", STATSD).metric(SENT, image()) == b"me.net.tx:11|c|#proc:python3\n"


@pytest.mark.parametrize("form", [NDJSON, STATSD])
def test_a_metric_of_little_verbosity_does_not_say_whose_it_is(form):
    line = Lines("box", msgspec.structs.replace(form, verbosity=1)).metric(SENT, image())

    assert b"byte" in line
    assert b"python3" not in line
