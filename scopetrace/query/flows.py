"""The flows of a session, built in one pass over its net events and one over its payload.

A flow is everything of one channel. A connection that failed and a socket that only listens are no
flows. Addresses are those of the first event that has them; other fields are those of the last
event that has them; bytes are added up, since each process reports its own.

Payload is read before the events, so that in a session that is being recorded every flow with
payload has its events too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import nlargest, nsmallest
from typing import TYPE_CHECKING, Any

from scopetrace.db.schema import has_table
from scopetrace.errors import UsageError
from scopetrace.model.flow import Address
from scopetrace.model.flow_fields import ENDS
from scopetrace.model.flow_record import FLOW_FIELDS, FlowPayload, FlowRecord
from scopetrace.model.nearest import no_field
from scopetrace.query.answers import read_answer
from scopetrace.query.conditions import Condition, all_of, marks, of_processes
from scopetrace.query.few_events import few_events
from scopetrace.query.payload import NO_PAYLOAD, KeptPayload, channel_of_piece, read_kept
from scopetrace.query.sql_functions import JsonDecoder

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    Network = IPv4Network | IPv6Network

PAYLOAD_ONLY_ID = 10**12
"""The id of a flow without events is this plus the number of its first piece of payload."""
_SOURCES = "('net.open', 'net.close', 'net.app')"
_SQL = (
    "SELECT id, time_ns, process, source, channel, data FROM {events}"
    f" WHERE sourcetype = 'net' AND +source IN {_SOURCES} AND +channel"
)
_LAST_SQL = """
SELECT channel FROM (
    SELECT channel, id, process, CASE source WHEN 'net.open' THEN id END AS opened, NULL AS sent_ns,
        CASE source WHEN 'net.close' THEN time_ns END AS closed_ns
    FROM {events} WHERE sourcetype = 'net' AND +source IN {sources} AND +channel
    {or_payload}
) GROUP BY channel HAVING {having}
ORDER BY coalesce(max(sent_ns), max(closed_ns), channel) DESC,
    coalesce(max(opened), min(id)) DESC
LIMIT ?"""
_OR_PAYLOAD = f"""
    UNION ALL
    SELECT channel, {PAYLOAD_ONLY_ID} + id, process, NULL,
        CASE direction WHEN 'out' THEN time_ns END, NULL
    FROM payload WHERE channel"""
ANY_PROCESS = Condition("true")
MOST_CHOSEN = 1000
"""Flows that are read by channel at most; for more, reading all flows is faster."""
_REASONS = ("", "idle", "local", "stop", "remote", "reset")
"""In ascending priority, for a flow whose processes report different reasons."""
_PEER, _LOCAL = ENDS


def read_last(
    db: sqlite3.Connection, last: int | None, users: Condition = ANY_PROCESS
) -> list[FlowRecord]:
    """Return the flows used last, ordered by id; all flows if `last` is None or large.

    With `users`, a condition on the table `process`, at least the last flows of these.
    """
    if last is None or not 0 < last <= MOST_CHOSEN:
        return read_flows(db)
    return read_flows(db, _last_channels(db, last, users))


def _last_channels(db: sqlite3.Connection, last: int, users: Condition) -> list[int]:
    """Return the channels of the flows used last, without decoding their events."""
    or_payload = _OR_PAYLOAD if has_table(db, "payload") else ""
    having = f"max(process IN (SELECT id FROM process WHERE {users.sql}))"
    if users == ANY_PROCESS:
        having = users.sql
    sql = _LAST_SQL.format(
        events=few_events(db), sources=_SOURCES, or_payload=or_payload, having=having
    )
    return [channel for (channel,) in db.execute(sql, (*users.parameters, last))]


def read_flows(db: sqlite3.Connection, channels: Sequence[int] | None = None) -> list[FlowRecord]:
    """Return the flows in the order of their ids; with `channels`, these alone."""
    answer = read_answer(db, FlowRecord) if channels is None else None
    return read_from_events(db, channels) if answer is None else answer


def read_from_events(
    db: sqlite3.Connection, channels: Sequence[int] | None = None
) -> list[FlowRecord]:
    """Return the flows of `read_flows`, put together from the events and the payload."""
    kept = read_kept(db, channels)
    drafts = _drafts(db, channels)
    for number in kept.keys() - drafts.keys():
        drafts[number] = _Draft(
            PAYLOAD_ONLY_ID + kept[number].first_id, next(iter(kept[number].processes))
        )
    facts = _Facts(db)
    found = [
        draft.record(number, kept.get(number), facts.of(draft.process))
        for number, draft in drafts.items()
    ]
    return sorted(found, key=lambda flow: flow.id)


def find_flow(db: sqlite3.Connection, number: int) -> FlowRecord | None:
    """Return the flow with this id, or that the event with this id is about; None: no flow."""
    if number > PAYLOAD_ONLY_ID:
        row = channel_of_piece(db, number - PAYLOAD_ONLY_ID)
    else:
        row = db.execute("SELECT channel FROM event WHERE id = ?", (number,)).fetchone()
    found = read_flows(db, row) if row and row[0] else []
    return found[0] if found else None


def images_of(db: sqlite3.Connection, pid: Sequence[int], proc: Sequence[str]) -> set[int]:
    """Return the ids of process images with these pids and programs; one filter at least."""
    chosen = all_of(of_processes(pid, proc))
    rows = db.execute(f"SELECT id FROM process WHERE {chosen.sql}", chosen.parameters)
    return {number for (number,) in rows}


def of_images(flows: Iterable[FlowRecord], images: set[int]) -> Iterator[FlowRecord]:
    """Yield the flows that any of the process images opened or used."""
    for flow in flows:
        if flow.process in images or not images.isdisjoint(flow.others):
            yield flow


def with_peer(flows: Iterable[FlowRecord], peers: Sequence[str]) -> Iterator[FlowRecord]:
    """Yield the flows whose peer is in one of the networks.

    Raises:
        UsageError: one is neither a network (10.0.0.0/8) nor an address.
    """
    networks = [_network(text) for text in peers]
    inside: dict[str, bool] = {}
    for flow in flows:
        if flow.peer is None:
            continue
        host = flow.peer.host
        if host not in inside:
            inside[host] = _is_inside(host, networks)
        if inside[host]:
            yield flow


def in_order(
    flows: Iterable[FlowRecord], sort: str | None, last: int | None, reverse: bool
) -> list[FlowRecord]:
    """Return the flows in the order of a field of `FLOW_FIELDS`, the largest first.

    Without `sort`, the flow used last is last. `last` limits their number: to the first ones in the
    order of the field, or to those used last. Flows without the field are last in either order.

    Raises:
        UsageError: there is no such field, or `last` is negative.
    """
    if last is not None and last < 0:
        raise UsageError("the number of last flows cannot be negative")
    flows = list(flows)
    most = len(flows) if last is None else last
    if sort is None:
        found = nlargest(most, flows, key=lambda flow: (_last_used_ns(flow), flow.id))
        return found if reverse else found[::-1]
    value = _value_of(sort)
    with_it = [(value(flow), flow.id, flow) for flow in flows if value(flow) is not None]
    without = [flow for flow in flows if value(flow) is None]
    first = nsmallest if reverse else nlargest
    return ([flow for *_, flow in first(most, with_it)] + without)[:most]


def _last_used_ns(flow: FlowRecord) -> int:
    return flow.opened_ns if flow.last_sent_ns is None else flow.last_sent_ns


def _value_of(name: str) -> Callable[[FlowRecord], Any]:
    """Return the getter of a field by its name, in which `net_` may be left out."""
    name = name if name in FLOW_FIELDS else f"net_{name}"
    if name not in FLOW_FIELDS:
        raise UsageError(no_field("flow", name.removeprefix("net_"), FLOW_FIELDS))
    value = FLOW_FIELDS[name]
    return (lambda flow: _address_sort_key(value(flow))) if name.endswith("_ip") else value


def _address_sort_key(host: str | None) -> tuple[int, int, str] | None:
    """Return the sort key of an address: numeric, 9.9.9.9 before 10.0.0.0."""
    if host is None:
        return None
    address = _parsed(host)
    return (0, 0, host) if address is None else (address.version, int(address), "")


def _network(text: str) -> Network:
    from ipaddress import ip_network

    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise UsageError(
            f"'{text}' is no network or address such as 10.0.0.0/8, 127.0.0.1 or ::1"
        ) from None


def _is_inside(host: str, networks: Iterable[Network]) -> bool:
    """Return whether an address, or the IPv4 address that it maps, is in one of the networks."""
    address = _parsed(host)
    if address is None:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(address in network or mapped in network for network in networks)


def _parsed(host: str) -> IPv4Address | IPv6Address | None:
    from ipaddress import ip_address

    try:
        return ip_address(host)
    except ValueError:
        return None


class _Facts:
    """Pids and programs of process images, cached."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[int, tuple[int, str]] = {}

    def of(self, process: int) -> tuple[int, str]:
        """Return pid and program of a process image; (0, "") if it could not be written."""
        if process not in self._known:
            row = self._db.execute("SELECT pid, proc FROM process WHERE id = ?", (process,))
            self._known[process] = row.fetchone() or (0, "")
        return self._known[process]


def _drafts(db: sqlite3.Connection, channels: Sequence[int] | None) -> dict[int, _Draft]:
    """Return a draft of each flow from its events, by channel."""
    decode = JsonDecoder()
    where, parameters = ("", ()) if channels is None else (f" IN ({marks(channels)})", channels)
    drafts: dict[int, _Draft] = {}
    for number, time_ns, process, source, at, data in db.execute(
        f"{_SQL.format(events=few_events(db))}{where} ORDER BY id", parameters
    ):
        if at not in drafts:
            drafts[at] = _Draft(number, process)
        drafts[at].add(number, time_ns, process, source, decode(data))
    return drafts


class _Draft:
    """A flow while its events are read."""

    __slots__ = (
        "client", "closed_ns", "error", "local", "number", "others", "peer", "peer_name",
        "process", "protocol", "reason", "received", "role", "sent", "target", "transport",
    )  # fmt: skip

    def __init__(self, number: int, process: int) -> None:
        self.number = number
        self.process = process
        self.others: set[int] | None = None
        self.transport = self.role = self.protocol = self.reason = self.error = ""
        self.peer_name = ""
        self.local: Address | None = None
        self.peer: Address | None = None
        self.client: Address | None = None
        self.target: Address | None = None
        self.closed_ns: int | None = None
        self.sent = self.received = 0

    def add(
        self, number: int, time_ns: int, process: int, source: str, data: dict[str, Any]
    ) -> None:
        """Take the next event."""
        self.transport = data.get("net_transport", self.transport)
        self.local = self.local or _address(data, *_LOCAL, self.transport)
        self.peer = self.peer or _address(data, *_PEER, self.transport)
        self.peer_name = data.get("net_peer_name", self.peer_name)
        self.role = data.get("role", self.role)
        self.client = self.client or _proxied_address(data, "net_client_ip", "net_client_port")
        self.target = self.target or _proxied_address(data, "net_target_host", "net_target_port")
        if process != self.process:
            self._add_process(process)
        if source == "net.open":
            self._open(number, process)
        elif source == "net.close":
            self._close(time_ns, data)
        elif "protocol" in data:
            self.protocol = ",".join(filter(None, (self.protocol, data["protocol"])))

    def _add_process(self, process: int) -> None:
        if self.others is None:
            self.others = set()
        self.others.add(process)

    def _open(self, number: int, process: int) -> None:
        if process != self.process:
            self._add_process(self.process)
        self.number, self.process = number, process

    def _close(self, time_ns: int, data: dict[str, Any]) -> None:
        self.closed_ns = time_ns if self.closed_ns is None else max(time_ns, self.closed_ns)
        self.sent += data.get("net_bytes_sent", 0)
        self.received += data.get("net_bytes_recv", 0)
        self.protocol = data.get("net_protocol", self.protocol)
        self.error = data.get("error", self.error)
        reason = data.get("net_close_reason", "")
        if reason in _REASONS and _REASONS.index(reason) > _REASONS.index(self.reason):
            self.reason = reason

    def record(self, channel: int, kept: KeptPayload | None, facts: tuple[int, str]) -> FlowRecord:
        """Return the flow."""
        pid, proc = facts
        sent, received = (kept.sent, kept.received) if kept else (NO_PAYLOAD, NO_PAYLOAD)
        others = (self.others or set()) | (kept.processes if kept else set())
        closed = self.closed_ns is not None
        return FlowRecord(
            self.number, channel, pid, proc, self.process, tuple(sorted(others - {self.process})),
            self.transport, self.local, self.peer, self.role, self.closed_ns,
            self.sent if closed else _transferred(kept, sent),
            self.received if closed else _transferred(kept, received),
            self.protocol, self.reason, self.error, sent, received, self.peer_name, self.client,
            self.target,
        )  # fmt: skip


def _transferred(kept: KeptPayload | None, payload: FlowPayload) -> int | None:
    return payload.bytes + payload.missing if kept else None


def _family(transport: str, host: str) -> str:
    """Return the family of an address, as far as it matters to a reader; else empty."""
    if transport.startswith("IP."):
        return "inet6" if ":" in host else "inet"
    return "netlink" if transport == "Netlink" else ""


def _address(data: dict[str, Any], network: str, unix: str, transport: str) -> Address | None:
    """Return the peer's or the local address from the data of an event, None if it has none."""
    host = data.get(f"{network}_ip")
    if host is not None:
        return Address(_family(transport, host), host, data.get(f"{network}_port", 0))
    path, inode = data.get(f"{unix}_path", ""), data.get(f"{unix}_inode", 0)
    if path or inode or transport.startswith("Unix."):
        return Address("unix", path, 0, inode)
    return None


def _proxied_address(data: dict[str, Any], host: str, port: str) -> Address | None:
    """Return the address of a client or target behind a proxy, None if it is not known."""
    return Address("", data[host], data.get(port, 0)) if host in data else None
