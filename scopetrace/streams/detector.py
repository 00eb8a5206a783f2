"""Which protocol a flow speaks, told by the first bytes of each direction.

The rules of scope.yml come first and in their order, then the openings that are known anyway, but
for those that a rule of the same name replaces. The answer depends on the bytes alone, not on how
they were cut. A rule of scope.yml says nothing of what it could match with more bytes, so while it
may, the rules after it wait: until it has its `len` bytes of a direction, or the other one answers.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from scopetrace.config.patterns import compile_pattern
from scopetrace.config.schema import Protocol
from scopetrace.protocols import tls
from scopetrace.protocols.signatures import (
    DNS_PORTS,
    OPENINGS,
    Start,
    Test,
    Verdict,
    is_growing_hello,
)
from scopetrace.streams.net_app import TLS

OTHER_SIDE = {"client": "server", "server": "client"}


class Match(NamedTuple):
    """What a flow was recognised as."""

    name: str
    detect: bool
    """Whether an event tells of it."""
    payload: bool
    """Whether what goes through it is to be kept."""
    details: dict[str, Any]
    """More fields for that event: tls_server_name, tls_alpn, tls_version."""


Refused = set[tuple[Test, bool]]
"""Tests that said no to a direction (outgoing: True), which no more bytes of it change."""


class _Rule(NamedTuple):
    """How to recognise one protocol."""

    name: str
    detect: bool
    payload: bool
    waits: bool
    """While it cannot tell, the rules after it wait."""
    test: Test


class Detector:
    """Recognises protocols.

    Args:
        protocols: the section `protocol` of scope.yml.
    """

    def __init__(self, protocols: tuple[Protocol, ...]) -> None:
        configured = [
            _Rule(each.name, each.detect, each.payload, True, _configured(each))
            for each in protocols
        ]
        self.tried_ports = DNS_PORTS
        """Where every datagram may show a protocol, whatever came before it."""
        names = {rule.name for rule in configured}
        known = [opening for opening in OPENINGS if opening.name not in names]
        self._rules = {
            stream: configured
            + [
                _Rule(opening.name, True, False, False, opening.test)
                for opening in known
                if opening.stream is stream
            ]
            for stream in (True, False)
        }

    def recognise(
        self,
        outgoing: bytes,
        incoming: bytes,
        *,
        stream: bool,
        port: int,
        role: str,
        saying: bool | None = None,
        ended: bool = False,
        refused: Refused | None = None,
        only: Collection[str] | None = None,
    ) -> Match | None:
        """Return what a flow speaks; None: it is not, or not yet, known.

        Args:
            outgoing: what the program sent first; of datagrams, one that it sent.
            incoming: what it received first; of datagrams, one that it received.
            stream: whether these are bytes in a row rather than a datagram each.
            port: the server's, if it is known which end that is, else the peer's.
            role: of this side: client, server or empty (`Flow.role`).
            saying: the direction (True: outgoing) that has begun, and was not answered yet.
            ended: no more bytes will come, or be known.
            refused: what was found until now of this flow; kept and given each time, it saves
                asking again.
            only: the protocols that it may be; None: any.
        """
        starts = _starts(outgoing, incoming, ended or not stream, port, role)
        refused = set() if refused is None else refused
        for rule in self._allowed(stream, only):
            verdicts = {way: _ask(rule.test, way, starts[way], refused) for way in starts}
            if True in verdicts.values():
                details = _details(rule.name, starts.values())
                return Match(rule.name, rule.detect, rule.payload, details)
            if rule.waits and saying is not None and verdicts.get(saying, False) is None:
                return None
        return None

    def _allowed(self, stream: bool, only: Collection[str] | None) -> list[_Rule]:
        rules = self._rules[stream]
        return rules if only is None else [rule for rule in rules if rule.name in only]

    def exhausted(
        self,
        outgoing: bytes,
        incoming: bytes,
        *,
        stream: bool = True,
        port: int = 0,
        role: str = "",
        refused: Refused | None = None,
        only: Collection[str] | None = None,
    ) -> bool:
        """Return whether no rule could match any more, whatever else comes.

        A direction that has not begun may begin in any way. With `only`, there is but one.
        """
        starts = _starts(outgoing, incoming, not stream, port, role)
        refused = set() if refused is None else refused
        return (len(starts) == 2 or only is not None) and all(
            _ask(rule.test, way, starts[way], refused) is False
            for rule in self._allowed(stream, only)
            for way in starts
        )


def _starts(
    outgoing: bytes, incoming: bytes, whole: bool, port: int, role: str
) -> dict[bool, Start]:
    """Return the directions that have begun; True is the outgoing one."""
    sides = (
        (True, outgoing, role, incoming),
        (False, incoming, OTHER_SIDE.get(role, ""), outgoing),
    )
    return {way: Start(data, whole, port, side, other) for way, data, side, other in sides if data}


def _ask(test: Test, way: bool, start: Start, refused: Refused) -> Verdict:
    """Return what a test says of a direction, and note a no."""
    if (test, way) in refused:
        return False
    verdict = test(start)
    if verdict is False:
        refused.add((test, way))
    return verdict


def _configured(protocol: Protocol) -> Test:
    """Return the test of a rule of scope.yml."""
    place = f"regex of protocol {protocol.name}"
    regex = compile_pattern(protocol.regex, place, ignore_case=protocol.binary)

    def test(start: Start) -> Verdict:
        data = start.data[: protocol.len]
        if regex.search(data.hex() if protocol.binary else data.decode("latin-1")):
            return None if protocol.name == TLS and _has_more_to_say(start) else True
        return None if len(data) < protocol.len and not start.whole else False

    return test


def _has_more_to_say(start: Start) -> bool:
    """Return whether it is a hello that has not come whole."""
    kinds = (tls.CLIENT_HELLO, tls.SERVER_HELLO)
    may_be_hello = any(tls.begins_hello(start.data, kind) is not False for kind in kinds)
    return may_be_hello and is_growing_hello(start)


def _details(name: str, starts: Collection[Start]) -> dict[str, Any]:
    """Return what a hello of TLS says: the client's, else the server's."""
    if name != TLS:
        return {}
    for kind in (tls.CLIENT_HELLO, tls.SERVER_HELLO):
        for start in starts:
            hello = tls.read_hello(start.data, kind)
            if hello is not None:
                return _fields(hello)
    return {}


def _fields(hello: tls.Hello) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if hello.server_name:
        fields["tls_server_name"] = hello.server_name
    if hello.alpn:
        fields["tls_alpn"] = list(hello.alpn)
    if hello.version:
        fields["tls_version"] = hello.version
    return fields
