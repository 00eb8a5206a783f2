from __future__ import annotations

from scopetrace.model.flow import Address
from scopetrace.model.image import Image
from scopetrace.model.operation import ImageEnded
from scopetrace.sources.statsd import SOURCE
from support.flow_reading import KeepingOutlet, image, rules, udp_flow

FLOW = udp_flow(Address("inet", "127.0.0.1", 8125))
WANTED = rules("metric:\n  watch: [{type: statsd}]\n")


def sent(outlet: KeepingOutlet, source, process: Image, *datagrams: bytes) -> None:
    reader = source.reader(process, FLOW, "STATSD")
    assert reader is not None
    for datagram in datagrams:
        reader.feed(process, 71, 5, True, datagram)


def test_what_is_sent_becomes_metrics():
    outlet = KeepingOutlet()

    sent(outlet, SOURCE(outlet), image(WANTED), b"a:2|c|@0.5|#x:y\nt:7|ms", b"u:bob|s")

    assert outlet.own == [
        ("a", "counter", 4.0, {"x": "y"}),
        ("t", "timer", 7.0, {}),
        ("u", "set", 1.0, {"member": "bob"}),
    ]
    assert outlet.events == []


def test_only_if_such_metrics_are_wanted():
    source = SOURCE(KeepingOutlet())

    assert source.reader(image(WANTED), FLOW, "HTTP") is None
    for text in (
        "metric:\n  watch: [{type: net}]\n",
        "metric:\n  enable: false\n  watch: [{type: statsd}]\n",
    ):
        assert source.reader(image(rules(text)), FLOW, "STATSD") is None


def test_a_gauge_is_known_from_one_flow_to_the_next_but_not_between_processes():
    outlet = KeepingOutlet()
    source = SOURCE(outlet)
    first, second = image(WANTED), image(WANTED, 80)

    sent(outlet, source, first, b"g:10|g")
    sent(outlet, source, first, b"g:-3|g")
    sent(outlet, source, second, b"g:+1|g")

    assert [value for _, _, value, _ in outlet.own] == [10, 7, 1]


def test_gauges_end_with_their_process():
    outlet = KeepingOutlet()
    source = SOURCE(outlet)
    process = image(WANTED)
    sent(outlet, source, process, b"g:10|g")

    source.handlers()[ImageEnded](ImageEnded(process, 9, 0, None, False))
    sent(outlet, source, process, b"g:+1|g")

    assert [value for _, _, value, _ in outlet.own] == [10, 1]
