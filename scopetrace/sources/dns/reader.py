"""Reads a flow of DNS: each question is one dns.req, and ends in one dns.resp or dns.error.

The messages show who asks, so a server's flow is read as a client's is. Question and answer belong
together by id, name (in any case) and type. A question without an answer is an error when the
process that asked closes the flow, or when it asks the same again. No error is made up:

1. A question is dropped if its answer may be among what was not read, or if too many wait.
2. A truncated answer is asked for again over TCP. The program may then not wait for what else it
   asked about that name, so none of that is an error.
3. Multicast questions never wait: any host may answer, elsewhere, or none.

Names in a message are short by pointers, and long in events. What goes beyond some times the bytes
of a message is left out, and the event or a notice says how much that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any, NamedTuple

from scopetrace.model.counts import number_of
from scopetrace.model.flow import Flow
from scopetrace.model.flow_fields import flow_fields
from scopetrace.model.image import Image
from scopetrace.model.peer_names import learn_names
from scopetrace.protocols.dns.framing import Framing
from scopetrace.protocols.dns.message import Message, Question, Record, read_message
from scopetrace.protocols.dns.questions import Asked, PendingQuestions
from scopetrace.source import ITEMS_PER_MESSAGE, Outlet
from scopetrace.sources.dns.names import DNS, PROTOCOL, UNKNOWN

MDNS_PORT, LLMNR_PORT = 5353, 5355
ADDRESSES = ("A", "AAAA")
INTERNET = "IN"
SERIAL = 2
"""Bytes of a message's id."""
MS_NS = 1_000_000
LEAST_TEXT, TEXT_PER_BYTE = 4096, 4
"""How many characters of names and data events have of a message: so many, and so many a byte."""
QUESTION_TEXT = 100
"""What an event of a question has besides the name, in characters."""


class Moment(NamedTuple):
    """Which thread transferred a message, and when."""

    image: Image
    tid: int
    time_ns: int


class DnsReader:
    """Reads one flow (`source.Reader`)."""

    def __init__(
        self, outlet: Outlet, flow: Flow, pending: PendingQuestions, asks: Callable[[Image], None]
    ) -> None:
        self.done = False
        self.items = 0
        self._asks = asks
        """Called with the process of each question."""
        self._outlet = outlet
        self._flow = flow
        self._multicast = _is_multicast(flow)
        self._framing = (Framing(), Framing()) if flow.is_stream else None
        self._pending = pending
        self._cut = False
        """The last datagram was no message, perhaps because it was cut."""
        self._truncated = ("", 0)
        """The name of the last answer that was truncated, in lower case, and when it came."""
        self._malformed = 0
        """Messages that could not be read and were not reported yet."""
        self._left_out = 0
        """Questions without an event, as their message has too many, not reported yet."""

    def feed(self, image: Image, tid: int, time_ns: int, outgoing: bool, data: bytes) -> None:
        """Read the next bytes of one direction, or one datagram."""
        if not data:
            return
        messages: list[bytes | None] = [data]
        if self._framing is not None:
            messages = self._framing[outgoing].feed(data)
        for message in messages:
            self._take(Moment(image, tid, time_ns), outgoing, message)

    def gap(self, image: Image, tid: int, time_ns: int, outgoing: bool, size: int) -> None:
        """Note missing bytes: the rest of a datagram, or a part of a stream."""
        if self._framing is None:
            if not self._cut:
                self._miss(outgoing, None)
            self._cut = False
            return
        messages = self._framing[outgoing].gap(size)
        moment = Moment(image, tid, time_ns)
        if messages is None:
            self._give_up(moment)
            return
        for message in messages:
            self._take(moment, outgoing, message)

    def end(self, image: Image, tid: int, time_ns: int, outgoing: bool) -> None:
        """End one direction; questions wait until the flow is closed."""

    def close(self, image: Image, tid: int, time_ns: int) -> None:
        """Emit errors for the questions of the process that were not answered; report the rest."""
        moment = Moment(image, tid, time_ns)
        for asked in self._pending.of_process(self._flow.peer, image.pid):
            if not self._is_given_up(asked):
                self._fail(moment, asked)
        self._report(moment)

    def give_up(self, image: Image, tid: int, time_ns: int) -> None:
        """Drop the questions of the flow, and report what could not be read."""
        self.done = True
        for outgoing in (True, False):
            self._pending.forget(self._flow.peer, outgoing)
        self._report(Moment(image, tid, time_ns))

    def _is_given_up(self, asked: Asked) -> bool:
        """Return whether a truncated answer came about the name of a question while that waited."""
        name, time_ns = self._truncated
        return asked.name.lower() == name and asked.time_ns <= time_ns

    def _give_up(self, moment: Moment) -> None:
        """Read no more of a stream where it is not known where messages begin."""
        self.done = True
        self._malformed += 1
        self._pending.clear()
        self._report(moment)

    def _report(self, moment: Moment) -> None:
        """Report what could not be read, and what was dropped, since the last time."""
        malformed, self._malformed = self._malformed, 0
        forgotten, self._pending.forgotten = self._pending.forgotten, 0
        left_out, self._left_out = self._left_out, 0
        fate = "could not be read" + (", nor what followed them" if self.done else "")
        self._notice(moment, malformed, "DNS message", fate, "malformed")
        self._notice(
            moment, forgotten, "DNS question", "had to be forgotten: too many waited", "forgotten"
        )
        self._notice(
            moment, left_out, "DNS question", "got no event: too many in a message", "left-out"
        )

    def _notice(self, moment: Moment, count: int, what: str, fate: str, reason: str) -> None:
        image, tid, time_ns = moment
        if count:
            message = f"{number_of(count, what)} of {image.proc} ({image.pid}) {fate}"
            self._outlet.notice(image, time_ns, tid, message, reason, count)

    def _take(self, moment: Moment, outgoing: bool, data: bytes | None) -> None:
        found = read_message(data) if data else None
        if found is None or not self._is_sound(found):
            self._miss(outgoing, data)
            self._cut = True
            return
        self._cut = False
        self.items += ITEMS_PER_MESSAGE + len(found.questions) + len(found.answers)
        room = LEAST_TEXT + TEXT_PER_BYTE * len(data or b"")
        if found.is_answer:
            self._answered(moment, outgoing, found, room)
            return
        kept = fitting(room, (QUESTION_TEXT + len(each.name) for each in found.questions))
        self._left_out += len(found.questions) - kept
        for question in found.questions[:kept]:
            self._asked(moment, outgoing, found, question)

    def _is_sound(self, message: Message) -> bool:
        """Return whether a message asks no more than it may.

        Only multicast messages ask several questions (RFC 9619; RFC 6762, section 5.3).
        """
        return self._multicast or len(message.questions) <= 1

    def _miss(self, outgoing: bool, data: bytes | None) -> None:
        """Count a message that could not be read, and drop the questions it may have answered.

        One whose bytes are missing (None) may have answered any.
        """
        self._malformed += 1
        if data is None:
            self._pending.forget(self._flow.peer, not outgoing)
        elif len(data) >= SERIAL:
            serial = int.from_bytes(data[:SERIAL], "big")
            self._pending.forget(self._flow.peer, not outgoing, serial)

    def _asked(self, moment: Moment, outgoing: bool, message: Message, question: Question) -> None:
        image, _, time_ns = moment
        self._asks(image)
        if not self._multicast:
            earlier = self._pending.add(
                Asked(
                    self._flow.peer,
                    outgoing,
                    message.id,
                    question.name,
                    question.type,
                    question.dns_class,
                    image.pid,
                    time_ns,
                    self._flow.error,
                )
            )
            if earlier is not None:
                self._fail(moment, earlier)
        data: dict[str, Any] = {"domain": question.name, **_kind(question.type, question.dns_class)}
        if message.operation != "QUERY":
            data["op"] = message.operation
        self._emit(moment, "dns.req", data)
        if DNS in image.rules.measures:
            self._outlet.measure(image, time_ns, "dns.req", 1, domain=question.name)

    def _answered(self, moment: Moment, outgoing: bool, message: Message, room: int) -> None:
        question = message.questions[0] if message.questions else None
        asked = self._pending.take(self._flow.peer, not outgoing, message.id, question)
        name, kind, family = _subject(message, asked)
        if not name:
            return
        data: dict[str, Any] = {"domain": name, **_kind(kind, family)}
        if asked is not None:
            self._add_duration(moment, asked, data)
        data["rcode"] = message.rcode
        if message.truncated:
            data["truncated"] = True
            self._truncated = (name.lower(), moment.time_ns)
        chain = names_followed(name, message.answers)
        data["addrs"] = _addresses(message, chain)
        if not outgoing:
            learn_names(moment.image, name, data["addrs"])
        if len(chain) > 1:
            data["cname"] = chain[1:][: fitting(room, map(len, chain[1:]))]
        kept = fitting(room, (len(each.name) + len(each.data) for each in message.answers))
        data["answers"] = [_record(record) for record in message.answers[:kept]]
        if kept < len(message.answers):
            data["answers_missing"] = len(message.answers) - kept
        if message.errors:
            data["extended_errors"] = [error._asdict() for error in message.errors]
        self._emit(moment, "dns.resp", data)

    def _add_duration(self, moment: Moment, asked: Asked, data: dict[str, Any]) -> None:
        image, _, time_ns = moment
        duration_ns = max(0, time_ns - asked.time_ns)
        data["duration"] = duration_ns // MS_NS
        data["duration_us"] = duration_ns // 1000
        if DNS in image.rules.measures:
            self._outlet.measure(
                image, time_ns, "dns.duration", data["duration"], domain=asked.name
            )

    def _fail(self, moment: Moment, asked: Asked) -> None:
        """Emit an error, unless the answer may be among what came and is not read as DNS."""
        unknown = self._flow.socket_shared.get(UNKNOWN)
        if isinstance(unknown, Flow) and PROTOCOL not in unknown.layers and asked.outgoing:
            return
        data = {
            "domain": asked.name,
            **_kind(asked.type, asked.dns_class),
            "error": "timeout" if self._flow.error == asked.error else self._flow.error,
            "duration": max(0, moment.time_ns - asked.time_ns) // MS_NS,
        }
        self._emit(moment, "dns.error", data)

    def _emit(self, moment: Moment, name: str, data: dict[str, Any]) -> None:
        image, tid, time_ns = moment
        if image.rules.wants(DNS, name):
            data |= flow_fields(self._flow)
            self._outlet.emit(image, time_ns, tid, DNS, name, self._flow.opened_ns, data)


def fitting(room: int, sizes: Iterable[int]) -> int:
    """Return how many texts of these sizes, from the first on, have room."""
    return sum(total <= room for total in accumulate(sizes))


def names_followed(name: str, answers: tuple[Record, ...]) -> list[str]:
    """Return the names from `name` along its aliases, in whatever order the records are."""
    aliases = {record.name.lower(): record.data for record in answers if record.type == "CNAME"}
    chain = [name]
    while (following := aliases.pop(chain[-1].lower(), None)) is not None:
        chain.append(following)
    return chain


def _addresses(message: Message, chain: list[str]) -> list[str]:
    """Return the addresses of the names in `chain`; of any name, if no address was asked for."""
    names = {name.lower() for name in chain} if message.questions else None
    return [
        record.data
        for record in message.answers
        if record.type in ADDRESSES and (names is None or record.name.lower() in names)
    ]


def _subject(message: Message, asked: Asked | None) -> tuple[str, str, str]:
    """Return name, type and class that an answer is about; empty if it does not say."""
    if asked is not None:
        return asked.name, asked.type, asked.dns_class
    about = message.questions or message.answers
    return (about[0].name, about[0].type, about[0].dns_class) if about else ("", "", "")


def _kind(kind: str, family: str) -> dict[str, str]:
    """Return the fields of a type and a class; without a class, it is IN."""
    return {"type": kind} if family == INTERNET else {"type": kind, "class": family}


def _record(record: Record) -> dict[str, Any]:
    kind = _kind(record.type, record.dns_class)
    return {"name": record.name, **kind, "ttl": record.ttl, "data": record.data}


def _is_multicast(flow: Flow) -> bool:
    """Return whether messages of a flow go to a group, or come from those who answer one.

    Multicast DNS has its port at both ends (RFC 6762, section 11); a server of unicast DNS that
    sits on that port is asked from another one. Who listens for LLMNR may well not answer.
    """
    if flow.is_stream:
        return False
    peer, local = flow.peer, flow.local
    if local is not None and (local.port == LLMNR_PORT or _is_group(local.host)):
        return True
    if peer is None:
        return False
    both = local is not None and local.port == peer.port == MDNS_PORT
    return both or _is_group(peer.host)


def _is_group(host: str) -> bool:
    """Return whether an address is in 224.0.0.0/4 or ff00::/8."""
    first, dot, _ = host.partition(".")
    if dot and first.isdecimal():
        return 224 <= int(first) <= 239
    return host[:2].lower() == "ff" and ":" in host
