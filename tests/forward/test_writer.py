from __future__ import annotations

import json

import pytest

from scopetrace.config.schema import MetricFormat
from scopetrace.errors import SessionError
from scopetrace.forward.lines import Lines
from scopetrace.forward.sender import Sender
from scopetrace.forward.writer import MOST_ENDED, ForwardingWriter
from scopetrace.model.metric import Sample
from scopetrace.model.payload import Payload
from scopetrace.model.process import ProcessEnd
from scopetrace.query import open_session
from support.session_builder import STARTED_NS, begin, event, image

FORM = MetricFormat(type="ndjson", statsdprefix="", statsdmaxlen=512, verbosity=4)


@pytest.fixture
def session(tmp_path):
    writer = begin(tmp_path / "home")
    yield writer
    writer.finish()


@pytest.fixture
def forwarding(session, transport, tmp_path):
    events = Sender(transport("file", path=tmp_path / "events"))
    metrics = Sender(transport("file", path=tmp_path / "metrics"))
    return ForwardingWriter(session, Lines("box", FORM), events, metrics)


def sent(path):
    return [json.loads(line)["body"] for line in path.read_bytes().splitlines()]


def test_what_is_committed_is_sent_and_is_in_the_session(forwarding, session, tmp_path):
    forwarding.add_process(image(2, proc="cat", pid=71))
    forwarding.add_events([event("fs.open", process=2, file="/x")])
    forwarding.add_metrics([Sample(STARTED_NS, 2, "net.tx", "counter", "byte", 11, {})])
    forwarding.add_payloads([Payload(STARTED_NS, 2, 5, True, b"secret", 0)])
    forwarding.end_process(ProcessEnd(2, STARTED_NS, 0, None, False))
    forwarding.commit()
    assert forwarding.close() == []

    (opened,), (moved,) = sent(tmp_path / "events"), sent(tmp_path / "metrics")
    assert (opened["source"], opened["proc"], opened["pid"]) == ("fs.open", "cat", 71)
    assert (moved["_metric"], moved["_value"], moved["proc"]) == ("net.tx", 11, "cat")
    with open_session(session.path) as recorded:
        assert [found.source for found in recorded.events()] == ["fs.open"]
        assert [found.name for found in recorded.metrics()] == ["net.tx"]


def test_what_is_not_committed_is_not_sent(forwarding, tmp_path):
    forwarding.add_events([event("fs.open", file="/x")])

    assert forwarding.close() == []
    assert not (tmp_path / "events").exists()


def test_what_the_session_lost_is_not_sent(forwarding, session, tmp_path):
    forwarding.add_process(image())
    forwarding.add_events([event("fs.open", file="/lost")])
    with pytest.raises(SessionError):
        # A row that the table refuses undoes all since the last commit.
        forwarding.add_events([event("fs.open", file="/lost")._replace(sourcetype=None)])
    forwarding.add_events([event("fs.open", file="/kept")])
    forwarding.commit()

    assert forwarding.close() == []
    assert [body["data"]["file"] for body in sent(tmp_path / "events")] == ["/kept"]
    assert session.lost == 2


def test_the_last_words_about_a_process_still_know_it(forwarding, tmp_path):
    for number in range(1, 2 * MOST_ENDED):
        forwarding.add_process(image(number, pid=number))
        forwarding.end_process(ProcessEnd(number, STARTED_NS, 0, None, False))
        forwarding.commit()
    numbers = [1, MOST_ENDED - 5, MOST_ENDED + 5, 2 * MOST_ENDED - 1]
    forwarding.add_events([event("notice", process=number, message="") for number in numbers])
    forwarding.commit()
    forwarding.close()

    pids = [body["pid"] for body in sent(tmp_path / "events")]
    assert pids == [1, 0, MOST_ENDED + 5, 2 * MOST_ENDED - 1]


def test_what_comes_after_the_end_is_written_and_not_sent(forwarding, session, tmp_path):
    forwarding.add_events([event("stdout", message="one")])
    forwarding.commit()
    assert forwarding.close() == []

    forwarding.add_events([event("notice", message="two")])
    forwarding.commit()

    assert forwarding.close() == []
    assert [body["source"] for body in sent(tmp_path / "events")] == ["stdout"]
    with open_session(session.path) as recorded:
        assert [found.source for found in recorded.events()] == ["stdout", "notice"]


def test_what_could_not_be_sent_is_said(session, transport):
    full = Sender(transport("file", path="/dev/full"))
    forwarding = ForwardingWriter(session, Lines("box", FORM), full, None)
    forwarding.add_events([event("fs.open", file="/x"), event("fs.open", file="/y")])
    forwarding.add_metrics([Sample(STARTED_NS, 1, "net.tx", "counter", "byte", 11, {})])
    forwarding.commit()

    assert forwarding.close() == [
        (2, "2 events could not be sent to file:///dev/full: No space left on device")
    ]
