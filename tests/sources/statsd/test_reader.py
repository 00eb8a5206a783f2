from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.flow import Address
from scopetrace.model.image import Image
from scopetrace.protocols.statsd import Value
from scopetrace.sources.statsd.reader import MOST_IN_LINE, StatsdReader
from support.flow_reading import KeepingOutlet, bytewise, cuts, image, rules, tcp_flow, udp_flow

SERVER = Address("inet", "127.0.0.1", 8125)
RULES = rules("metric:\n  watch: [{type: statsd}]\n")
SHORT = rules("metric:\n  watch: [{type: statsd}]\nscopetrace:\n  flowsnaplen: 16\n")


class Session:
    """A flow that is read."""

    def __init__(self, stream: bool, chosen=RULES) -> None:
        self.outlet = KeepingOutlet()
        self.image = image(chosen, proc="app")
        self.taken: list[Value] = []
        self.times: list[int] = []
        flow = (tcp_flow if stream else udp_flow)(SERVER)
        self.reader = StatsdReader(self.outlet, flow, self._take)

    def _take(self, image: Image, time_ns: int, read: Value) -> None:
        self.taken.append(read)
        self.times.append(time_ns)

    def feed(self, data: bytes, outgoing: bool = True, at: int = 5) -> None:
        self.reader.feed(self.image, 71, at, outgoing, data)

    def gap(self, size: int, outgoing: bool = True) -> None:
        self.reader.gap(self.image, 71, 5, outgoing, size)

    def close(self) -> list[tuple[str, int, str]]:
        self.reader.close(self.image, 71, 9)
        return self.outlet.notices

    def values(self) -> dict[str, float]:
        return {reading.name: reading.value for reading in self.taken}


def test_a_datagram_holds_several_lines():
    session = Session(stream=False)

    session.feed(b"a:1|c\nb:2:3|ms|#x:y\r\n\n_sc|up|0\nc:4|g", at=7)

    assert session.taken == [
        Value("a", "counter", 1, {}),
        Value("b", "timer", 2, {"x": "y"}),
        Value("b", "timer", 3, {"x": "y"}),
        Value("c", "gauge", 4, {}),
    ]
    assert session.times == [7] * 4
    assert session.close() == []


def test_a_datagram_is_for_itself():
    session = Session(stream=False)
    session.feed(b"a:1|")
    session.feed(b"c\nb:1|c")

    assert session.values() == {"b": 1}
    assert session.close() == [
        ("malformed", 2, "2 lines of StatsD that app (70) sent could not be understood")
    ]


def test_what_the_program_receives_is_not_its_own():
    session = Session(stream=False)
    session.feed(b"a:1|c", outgoing=False)
    session.gap(5, outgoing=False)

    assert session.taken == []
    assert session.close() == []


def test_malformed_lines_are_reported_once():
    session = Session(stream=True)
    session.feed(b"nonsense\na:1|c\n")

    assert session.close()[0][:2] == ("malformed", 1)
    assert len(session.close()) == 1
    assert session.values() == {"a": 1}


STREAM = b"a:1|c\nlong.name:2.5|ms|@0.5|#x:y\n\nbad\r\nb:3|g\r\nlast:4|c"


def read(pieces: list[bytes]) -> Session:
    session = Session(stream=True)
    for piece in pieces:
        session.feed(piece)
    session.close()
    return session


@given(st.data())
def test_the_cut_of_a_stream_changes_nothing(data):
    whole, cut = read([STREAM]), read(data.draw(cuts(STREAM)))

    assert whole.values() == {"a": 1, "long.name": 2.5, "b": 3, "last": 4}
    assert cut.taken == whole.taken == read(bytewise(STREAM)).taken
    assert cut.outlet.notices == whole.outlet.notices
    assert whole.outlet.notices[0][:2] == ("malformed", 1)


def test_the_last_line_ends_with_its_direction():
    session = Session(stream=True)
    session.feed(b"a:1|c")
    session.reader.end(session.image, 71, 6, False)
    assert session.taken == []

    session.reader.end(session.image, 71, 6, True)
    assert session.values() == {"a": 1}


def test_another_process_that_lets_go_ends_no_line():
    session = Session(stream=True)
    session.feed(b"a:1|")
    session.reader.close(image(RULES, 80), 80, 6)
    session.feed(b"c\n")

    assert session.values() == {"a": 1}
    assert session.close() == []


def test_a_gap_in_a_stream_costs_the_line_that_it_is_in():
    session = Session(stream=True)
    session.feed(b"a:1|c\nb:2")
    session.gap(100)
    session.gap(100)
    session.feed(b":3|c\nd:4|c\n")

    assert session.values() == {"a": 1, "d": 4}
    assert session.close()[0][:2] == ("malformed", 1)


def test_a_datagram_that_may_be_cut_loses_its_last_line():
    session = Session(stream=False, chosen=SHORT)
    session.feed(b"aa:1|c\nb:12|c|@0")
    session.gap(2)
    session.feed(b"c:1|c")
    session.gap(9)

    assert session.values() == {"aa": 1, "c": 1}
    assert session.close()[0][:2] == ("malformed", 2)


def test_a_line_that_is_too_long_is_malformed():
    session = Session(stream=True)
    for _ in range(3):
        session.feed(b"x" * MOST_IN_LINE)
        assert len(session.reader._pending) <= MOST_IN_LINE
    session.feed(b":1|c\nb:1|c\n")

    assert session.values() == {"b": 1}
    assert session.close()[0][:2] == ("malformed", 1)


@pytest.mark.parametrize("stream", [True, False])
@given(pieces=st.lists(st.one_of(st.binary(max_size=60), st.integers(1, 99)), max_size=10))
def test_no_bytes_raise(stream, pieces):
    session = Session(stream)
    for piece in pieces:
        if isinstance(piece, int):
            session.gap(piece)
        else:
            session.feed(piece)
    session.reader.end(session.image, 71, 6, True)
    session.close()
