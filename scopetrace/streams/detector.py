"""Which protocol a flow speaks, by the first bytes of each direction.

The rules of scope.yml come first and in their order, then the built-in signatures, but for those
that a rule of the same name replaces. The answer depends on the bytes alone, not on how they were
cut. A regular expression of scope.yml cannot say whether more bytes could match it. So while they
could, the rules after it wait: until it has its `len` bytes of a direction, or the other direction
answers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from scopetrace.config.patterns import compile_pattern
from scopetrace.model.rules import ProtocolRule
from scopetrace.protocols import tls
from scopetrace.protocols.signatures import (
    DNS_PORTS,
    SIGNATURES,
    FirstBytes,
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
    """Whether there is a net.app of it."""
    payload: bool
    """Whether the bytes of the flow are kept from then on."""
    details: dict[str, Any]
    """More fields for that event: tls_server_name, tls_alpn, tls_version."""


Refused = set[tuple[Test, bool]]
"""Tests that answered no for a direction (outgoing: True); more bytes of it do not change that."""


class _Rule(NamedTuple):
    """How to recognise one protocol."""

    name: str
    detect: bool
    payload: bool
    waits: bool
    """While it answers "not yet", the rules after it wait."""
    test: Test


class Detector:
    """Recognises protocols.

    Args:
        protocols: the section `protocol` of scope.yml.
    """

    def __init__(self, protocols: Sequence[ProtocolRule]) -> None:
        configured = [
            _Rule(each.name, each.detect, each.payload, True, _configured(each))
            for each in protocols
        ]
        self.tried_ports = DNS_PORTS
        """Where every datagram may show a protocol, whatever came before it."""
        names = {rule.name for rule in configured}
        known = [signature for signature in SIGNATURES if signature.name not in names]
        self._rules = {
            stream: configured
            + [
                _Rule(signature.name, True, False, False, signature.test)
                for signature in known
                if signature.is_stream is stream
            ]
            for stream in (True, False)
        }

    def recognise(
        self,
        outgoing: bytes,
        incoming: bytes,
        *,
        is_stream: bool,
        port: int,
        role: str,
        unanswered: bool | None = None,
        ended: bool = False,
        refused: Refused | None = None,
        candidates: Collection[str] | None = None,
    ) -> Match | None:
        """Return the protocol of a flow; None: it is not, or not yet, known.

        Args:
            outgoing: what the program sent first; of datagrams, one that it sent.
            incoming: what it received first; of datagrams, one that it received.
            is_stream: whether these are bytes in a row rather than a datagram each.
            port: the server's, if it is known which end that is, else the peer's.
            role: of this side: client, server or empty (`Flow.role`).
            unanswered: the direction (True: outgoing) that has begun, and was not answered yet.
            ended: no more bytes will come, or be known.
            refused: the tests that answered no until now; kept and given each time, it saves
                running them again.
            candidates: the protocols that it may be; None: any.
        """
        begun = _first_bytes(outgoing, incoming, ended or not is_stream, port, role)
        refused = set() if refused is None else refused
        for rule in self._allowed(is_stream, candidates):
            verdicts = {way: _ask(rule.test, way, begun[way], refused) for way in begun}
            if True in verdicts.values():
                details = _details(rule.name, begun.values())
                return Match(rule.name, rule.detect, rule.payload, details)
            if rule.waits and unanswered is not None and verdicts.get(unanswered, False) is None:
                return None
        return None

    def _allowed(self, is_stream: bool, candidates: Collection[str] | None) -> list[_Rule]:
        rules = self._rules[is_stream]
        return rules if candidates is None else [rule for rule in rules if rule.name in candidates]

    def exhausted(
        self,
        outgoing: bytes,
        incoming: bytes,
        *,
        is_stream: bool = True,
        port: int = 0,
        role: str = "",
        refused: Refused | None = None,
        candidates: Collection[str] | None = None,
    ) -> bool:
        """Return whether no rule could match any more, whatever else comes.

        A direction that has not begun may begin in any way. With `candidates`, there is but one.
        """
        begun = _first_bytes(outgoing, incoming, not is_stream, port, role)
        refused = set() if refused is None else refused
        return (len(begun) == 2 or candidates is not None) and all(
            _ask(rule.test, way, begun[way], refused) is False
            for rule in self._allowed(is_stream, candidates)
            for way in begun
        )


def _first_bytes(
    outgoing: bytes, incoming: bytes, whole: bool, port: int, role: str
) -> dict[bool, FirstBytes]:
    """Return the directions that have begun; True is the outgoing one."""
    sides = (
        (True, outgoing, role, incoming),
        (False, incoming, OTHER_SIDE.get(role, ""), outgoing),
    )
    return {
        way: FirstBytes(data, whole, port, side, other) for way, data, side, other in sides if data
    }


def _ask(test: Test, way: bool, first: FirstBytes, refused: Refused) -> Verdict:
    """Return what a test answers for a direction, and note a no."""
    if (test, way) in refused:
        return False
    verdict = test(first)
    if verdict is False:
        refused.add((test, way))
    return verdict


def _configured(protocol: ProtocolRule) -> Test:
    """Return the test of a rule of scope.yml."""
    place = f"regex of protocol {protocol.name}"
    regex = compile_pattern(protocol.regex, place, ignore_case=protocol.binary)

    def test(first: FirstBytes) -> Verdict:
        data = first.data[: protocol.len]
        if regex.search(data.hex() if protocol.binary else data.decode("latin-1")):
            return None if protocol.name == TLS and _is_partial_hello(first) else True
        return None if len(data) < protocol.len and not first.whole else False

    return test


def _is_partial_hello(first: FirstBytes) -> bool:
    """Return whether it is a hello that has not come whole."""
    kinds = (tls.CLIENT_HELLO, tls.SERVER_HELLO)
    may_be_hello = any(tls.begins_hello(first.data, kind) is not False for kind in kinds)
    return may_be_hello and is_growing_hello(first)


def _details(name: str, begun: Collection[FirstBytes]) -> dict[str, Any]:
    """Return the fields of a TLS hello: of the client's, else of the server's."""
    if name != TLS:
        return {}
    for kind in (tls.CLIENT_HELLO, tls.SERVER_HELLO):
        for first in begun:
            hello = tls.read_hello(first.data, kind)
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
