"""Coverage-guided fuzzing of all readers of network traffic: `make fuzz`.

The invariant of a reader: any bytes give events, or one notice that it gave up, never an exception;
the events are the same however the bytes are cut, except for times; and reading takes no more CPU
time than `streams.cpu_budget` allows for the bytes and their items. If the fuzzer stops with a
trace, there is a bug; it writes the input to a file, which can be given as an argument.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import thread_time_ns

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

PARSERS = ["scopetrace", "httptools", "hpack", "hyperframe", "dnslib"]

with atheris.instrument_imports(include=PARSERS):
    import scopetrace.sources.dns.reader
    import scopetrace.sources.http.reader  # noqa: F401  (sources import them late)
    from scopetrace.model.flow import Address, Flow
    from scopetrace.model.operation import FlowTransferred
    from scopetrace.source import Source
    from scopetrace.sources.dns.source import DnsSource
    from scopetrace.sources.http.source import HttpSource
    from scopetrace.sources.needs import source_classes
    from scopetrace.sources.statsd.source import StatsdSource
    from scopetrace.streams.cpu_budget import PER_BYTE_NS, PER_ITEM_NS, PER_PIECE_NS
    from scopetrace.streams.detector import Detector
    from scopetrace.streams.reading import Reading
    from scopetrace.streams.recognition import Recognition
    from support.flow_reading import KeepingOutlet, image, rules

RULES = rules("")
HERE, THERE = Address("inet", "10.0.0.1", 4000), Address("inet", "10.0.0.2", 53)
TARGETS: list[tuple[type[Source], str, str]] = [
    (HttpSource, "HTTP", "IP.TCP"),
    (DnsSource, "DNS", "IP.TCP"),
    (DnsSource, "DNS", "IP.UDP"),
    (StatsdSource, "STATSD", "IP.UDP"),
    (StatsdSource, "STATSD", "IP.TCP"),
]
Talk = list[tuple[bool, bytes]]
SLOWED_BY = 40
"""How much slower code is with the instrumentation of the fuzzer."""
TRIES = 3
"""The least of this many measurements counts, since a machine may pause."""


def read(target: int, role: str, talk: Talk) -> tuple[object, int]:
    """Feed a talk to a reader; return its events and notices without times, and its items."""
    source, protocol, transport = TARGETS[target]
    outlet, program = KeepingOutlet(), image(RULES)
    reader = source(outlet).reader(program, Flow(transport, HERE, THERE, role, 5), protocol)
    assert reader is not None
    for outgoing, data in talk:
        if not reader.done:
            reader.feed(program, 1, 0, outgoing, data)
    if not reader.done:
        reader.end(program, 1, 0, False)
    if not reader.done:
        reader.close(program, 1, 0)
    return (outlet.events, outlet.notices), reader.items


def in_time(size: int, pieces: int, work: Callable[[], tuple[object, int]]) -> object:
    """Return the output of `work`, if it took no more CPU time than it may."""
    taken = []
    for _ in range(TRIES):
        began_ns = thread_time_ns()
        said, items = work()
        taken.append(thread_time_ns() - began_ns)
        # Creating, ending and closing a reader count as 5 more pieces.
        earned = PER_BYTE_NS * size + PER_PIECE_NS * (pieces + 5) + PER_ITEM_NS * items
        if taken[-1] <= SLOWED_BY * earned:
            return said
    raise AssertionError(f"{size} bytes in {pieces} pieces take {min(taken)} ns")


def recognised(role: str, talk: Talk) -> tuple[object, int]:
    """Recognise the protocols of a talk, one after the other; return all output, and the items."""
    outlet, program, reading = KeepingOutlet(), image(RULES), Reading(keeping=False)
    flow = Flow("IP.TCP", HERE, THERE, role, 5)
    sources = [source(outlet) for source in source_classes()]
    recognition = Recognition(outlet, sources, lambda _piece: None)
    for outgoing, data in talk:
        if not reading.idle:
            piece = FlowTransferred(program, 1, 0, flow, outgoing, data, len(data), 3)
            recognition.process(reading, piece)
    return (outlet.events, outlet.notices, flow.layers, flow.facts), reading.items


def cut(talk: Talk) -> Talk:
    """Return the same bytes, one at a time."""
    return [(outgoing, data[at : at + 1]) for outgoing, data in talk for at in range(len(data))]


def test_one(data: bytes) -> None:
    """Derive a target, a role and a talk from one input, and test them."""
    given = atheris.FuzzedDataProvider(data)
    target = given.ConsumeIntInRange(0, len(TARGETS) - 1)
    role = given.PickValueInList(["client", "server", ""])
    talk: Talk = []
    while given.remaining_bytes() and len(talk) < 8:
        outgoing = given.ConsumeBool()
        talk.append((outgoing, given.ConsumeBytes(given.ConsumeIntInRange(1, 400))))
    size = sum(len(piece) for _, piece in talk)
    said = in_time(size, len(talk), lambda: read(target, role, talk))
    if TARGETS[target][2] == "IP.TCP":
        assert in_time(size, size, lambda: read(target, role, cut(talk))) == said
    said = in_time(size, len(talk), lambda: recognised(role, talk))
    assert in_time(size, size, lambda: recognised(role, cut(talk))) == said
    sides = [b"".join(piece for out, piece in talk if out is way) for way in (True, False)]
    in_time(size, 1, lambda: (recognise(target, role, *sides), 0))


DETECTOR = Detector(())


def recognise(target: int, role: str, outgoing: bytes, incoming: bytes) -> object:
    """Have the protocol of a talk recognised."""
    return DETECTOR.recognise(
        outgoing, incoming, is_stream=bool(target % 2), port=80, role=role, ended=True
    )


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one)
    atheris.Fuzz()
