"""Who talked to a peer: its flows, sockets that listen there, failures and look-ups of its name.

A flow is one touch, at the time at which it was opened. Either end may be the one that is asked
for, so that the port of a server finds its clients.
"""

from __future__ import annotations

import json
import posixpath
import re
import sqlite3
from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

from scopetrace.db.text import encode_json
from scopetrace.model.flow import Address
from scopetrace.model.flow_record import FLOW_FIELDS, FlowRecord
from scopetrace.model.touch import COMMON_FIELDS, PEER, TOUCH_FIELDS, Touch, Who
from scopetrace.query.chains import Chains
from scopetrace.query.few_events import few_events
from scopetrace.query.flows import read_flows
from scopetrace.query.sql_functions import has_bytes

_HOST_PORT = re.compile(r"\[?(?P<host>[^\]/]*?)\]?:(?P<port>\d{1,5})")
_ENDS = (
    ("net_peer_ip", "net_peer_port"),
    ("net_peer_name", "net_peer_port"),
    ("net_host_ip", "net_host_port"),
    ("net_client_ip", "net_client_port"),
    ("net_target_host", "net_target_port"),
    ("unix_peer_path", ""),
    ("unix_peer_bind_path", ""),
    ("unix_local_path", ""),
    ("unix_local_bind_path", ""),
)
"""The fields that name an end of a flow, and those of its port."""
_FLOW_ENDS = tuple(
    {name: FLOW_FIELDS[name] for pair in _ENDS for name in pair if name in FLOW_FIELDS}.items()
)
_ACTIONS = {
    "net.listen": "listen",
    "net.error": "fail",
    "dns.resp": "lookup",
    "dns.error": "lookup",
}
_FLOW_FACTS = tuple(
    (name, FLOW_FIELDS[name])
    for name in TOUCH_FIELDS[PEER]
    if name in FLOW_FIELDS and name not in COMMON_FIELDS
)
_ROLES = {"client": "connect", "server": "accept"}
_LOCALHOST = {"localhost": ("localhost", "127.0.0.1", "::1")}
"""What the name means without a look-up (RFC 6761, section 6.3)."""


class Peer(NamedTuple):
    """What is asked for."""

    hosts: tuple[str, ...]
    """An address, a name or paths of a unix socket, in lower case; empty: any."""
    port: int | None
    """None: any."""

    def is_end_of_flow(self, flow: FlowRecord) -> bool:
        """Return whether it is an end of a flow."""
        ends = (flow.peer, flow.local, flow.client, flow.target)
        named = [(end.host, _port(end)) for end in ends if end is not None]
        if flow.peer_name:
            named.append((flow.peer_name, None if flow.peer is None else _port(flow.peer)))
        return any(
            (not self.hosts or host.lower() in self.hosts) and self.port in (None, port)
            for host, port in named
        )

    def has_port(self, flow: FlowRecord) -> bool:
        """Return whether an end of a flow has its port."""
        ports = {_port(end) for end in (flow.peer, flow.local) if end is not None}
        return self.port is None or self.port in ports

    def is_end_of(self, fields: Mapping[str, Any]) -> bool:
        """Return whether it is an end of the socket that these fields describe."""
        return any(
            (not self.hosts or str(fields[host]).lower() in self.hosts)
            and (self.port is None or fields.get(port) == self.port)
            for host, port in _ENDS
            if fields.get(host) is not None
        )


def _port(end: Address) -> int | None:
    return None if end.family == "unix" else end.port


def parse_peer(text: str, folder: str = "/") -> Peer:
    """Return the peer that HOST:PORT, :PORT, [HOST]:PORT, HOST or the path of a socket names.

    Args:
        text: as the user wrote it.
        folder: where relative paths begin.
    """
    text = text.lower()
    is_address = text.count(":") > 1 and not text.startswith("[")
    found = None if is_address else _HOST_PORT.fullmatch(text)
    if found is not None:
        host = found["host"]
        return Peer(_LOCALHOST.get(host, (host,)) if host else (), int(found["port"]))
    path = posixpath.normpath(posixpath.join(folder, text)).lower()
    host = text.strip("[]")
    hosts = (*_LOCALHOST.get(host, (host,)), path)
    return Peer(tuple(dict.fromkeys(hosts)), None)


def peer_touches(db: sqlite3.Connection, text: str, folder: str = "/") -> Who | None:
    """Return who talked, listened or tried to connect there; None: no process."""
    peer, chains = parse_peer(text, folder), Chains(db)
    found = [*_of_flows(db, peer, chains), *_of_events(db, peer, chains)]
    found.sort(key=lambda touch: (touch.time_ns, touch.id))
    return Who(PEER, text, (), tuple(found)) if found else None


def _may_have_flows(db: sqlite3.Connection, peer: Peer) -> bool:
    """Return whether an event of a flow contains the name of a peer: reading flows takes longer."""
    if not all(host.isascii() for host in peer.hosts):
        return True  # lower() of SQL knows only these letters
    parts = " OR ".join(f"{has_bytes(db)}(lower(data), ?)" for _ in peer.hosts)
    sql = (
        f"SELECT 1 FROM {few_events(db)} WHERE (sourcetype = 'net' OR source = 'http.req')"
        f" AND ({parts or 'true'}) LIMIT 1"
    )
    texts = tuple(encode_json(host)[1:-1] for host in peer.hosts)
    return db.execute(sql, texts).fetchone() is not None


def peer_names(db: sqlite3.Connection) -> set[str]:
    """Return how peers can be asked for: host:port, names, paths."""
    found: set[str] = set()
    for flow in read_flows(db):
        fields = _ends_of(flow)
        port = fields.get("net_peer_port")
        for name in ("net_peer_name", "net_peer_ip"):
            if name in fields:
                found |= {fields[name], f"{fields[name]}:{port}"}
        found |= {fields[name] for name in ("unix_peer_path", "unix_local_path") if name in fields}
    return found


def _ends_of(flow: FlowRecord) -> dict[str, Any]:
    values = ((name, value(flow)) for name, value in _FLOW_ENDS)
    return {name: value for name, value in values if value is not None}


def _of_flows(db: sqlite3.Connection, peer: Peer, chains: Chains) -> Iterator[Touch]:
    requests: dict[int, int] | None = None
    flows = read_flows(db) if _may_have_flows(db, peer) else ()
    named = cache(partial(_named_channels, db, peer))  # of no use where each flow has that end
    for flow in flows:
        if not (peer.is_end_of_flow(flow) or (peer.has_port(flow) and flow.channel in named())):
            continue
        if requests is None:
            requests = _requests(db)
        facts = {name: value(flow) for name, value in _FLOW_FACTS}
        facts["duration_ms"] = None if flow.duration_ns is None else flow.duration_ns // 1_000_000
        facts["requests"] = requests.get(flow.channel)
        others = (chains.of(number) for number in flow.others)
        facts["users"] = [chain[0].label for chain in others if chain] or None
        action = _ROLES.get(flow.role, "talk")
        yield Touch(flow.id, flow.opened_ns, action, chains.of(flow.process), facts)


def _named_channels(db: sqlite3.Connection, peer: Peer) -> set[int]:
    """Return the channels of flows in which TLS (server name) or HTTP (Host) names the peer so.

    A program that knows the address without DNS still sends the name to the server.
    """
    rows = db.execute(
        "SELECT DISTINCT channel, lower(coalesce(json_extract(data, '$.tls_server_name'),"
        f" json_extract(data, '$.http_host'))) AS name FROM {few_events(db)}"
        " WHERE source IN ('net.app', 'http.req') AND name IS NOT NULL"
    )
    return {channel for channel, name in rows if _without_port(name) in peer.hosts}


def _without_port(name: str) -> str:
    found = _HOST_PORT.fullmatch(name)
    return found["host"] if found else name.strip("[]")


def _requests(db: sqlite3.Connection) -> dict[int, int]:
    """Return the number of HTTP requests of each flow, by its channel."""
    rows = db.execute(
        f"SELECT channel, count(*) FROM {few_events(db)} WHERE source = 'http.req'"
        " AND sourcetype = 'http'"
        " GROUP BY channel"
    )
    return dict(rows.fetchall())


def _of_events(db: sqlite3.Connection, peer: Peer, chains: Chains) -> Iterator[Touch]:
    sources = ", ".join(f"'{source}'" for source in _ACTIONS)
    rows = db.execute(
        f"SELECT id, time_ns, process, source, data FROM {few_events(db)}"
        f" WHERE source IN ({sources}) AND sourcetype IN ('net', 'dns') ORDER BY id"
    )
    for number, time_ns, process, source, text in rows:
        data = json.loads(text)
        lookup = source.startswith("dns.")
        asked = lookup and str(data.get("domain", "")).lower() in peer.hosts
        if asked or (not lookup and peer.is_end_of(data)):
            facts = {name: data[name] for name in TOUCH_FIELDS[PEER] if name in data}
            yield Touch(number, time_ns, _ACTIONS[source], chains.of(process), facts)
