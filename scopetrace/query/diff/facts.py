"""What of a session is compared with another: its processes, files, flows, outcomes and text."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from scopetrace.model.difference import (
    ANSWER,
    ANSWER_BYTES,
    CALL,
    LOG,
    NAME,
    PEER,
    PORT,
    RECEIVED_BYTES,
    REQUEST,
    SENT_BYTES,
)
from scopetrace.model.file_record import FileRecord
from scopetrace.model.flow_record import FlowRecord
from scopetrace.model.process_tree import ProcessNode, all_nodes
from scopetrace.model.session import SessionInfo
from scopetrace.query.diff.names import EPHEMERAL_PORT, LEAST_PID, LOGGED_REQUEST, PLACE
from scopetrace.query.few_events import few_events
from scopetrace.query.files import read_files
from scopetrace.query.flows import read_flows
from scopetrace.query.path_classes import PathClasses
from scopetrace.query.startup import start_up_images
from scopetrace.query.tree import read_tree

CHANCE = frozenset(
    (
        *("EAGAIN", "EINTR", "EINPROGRESS", "EALREADY", "ECONNABORTED"),
        *("ECHILD", "EPIPE", "ESRCH"),
    )
)
"""Errors that depend on which process ran first."""
MOST_LINES = 50_000
"""Different lines of one log or stream that are compared; the rest is not."""
_BY_CHANCE = re.compile(rf"\[(?:debug|info|notice)\] \d+#\d+: |{LOGGED_REQUEST} 499 ")
"""What nginx writes of the course of things: who closed a connection first, and that a client did
so before it was answered (499)."""
_CONTROL = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]")
"""A sequence by which a text moves the cursor or changes colours (ECMA-48, CSI)."""
_OUTCOMES = (
    "SELECT source, data FROM {events} WHERE source IN ('net.listen', 'net.error', 'http.resp',"
    " 'dns.resp', 'dns.error', 'proc.error') ORDER BY id"
)
_TEXTS = (
    "SELECT sourcetype, source, process, data FROM {events}"
    " WHERE sourcetype IN ('console', 'file') ORDER BY id"
)

_ENCLOSING = frozenset(("HTTP", "TLS", "DNS"))
"""Protocols whose number of bytes in a connection says little: what is in them is compared."""

Thing = tuple[str, str]
"""A kind of thing (peer, request, log…) and which it is."""
Outcomes = dict[Thing, set[str]]
Sizes = dict[tuple[Thing, str], set[int]]
"""Thing and aspect (model.difference.BYTES) → bytes."""


class _Data(Struct):
    """What is read of the data of an event about an outcome; all the rest is skipped."""

    op: str = ""
    error: str = ""
    what: str = ""
    net_transport: str = ""
    net_peer_name: str = ""
    net_peer_ip: str = ""
    net_peer_port: int = 0
    net_host_ip: str = ""
    net_host_port: int = 0
    unix_peer_path: str = ""
    unix_local_path: str = ""
    http_method: str = ""
    http_target: str = ""
    http_host: str = ""
    http_status_code: int = 0
    http_response_content_length: int | None = None
    http_server_duration: int | None = None
    domain: str = ""
    type: str = ""
    rcode: str = ""


class _Message(Struct):
    """What is read of the data of an event of text."""

    message: str = ""


class Facts(NamedTuple):
    """What of one session is compared."""

    info: SessionInfo
    roots: tuple[ProcessNode, ...]
    start_up_images: frozenset[int]
    files: tuple[FileRecord, ...]
    flows: tuple[FlowRecord, ...]
    outcomes: Outcomes
    """How each thing that may fail went: errnos, statuses, or a word for success."""
    sizes: Sizes
    """How long the answers to each request were, as far as that was said, and how much was sent to
    and received from each peer, a connection each."""
    lines: dict[Thing, dict[str, None]]
    """The different lines of each stream and log."""
    environment: dict[str, str]
    """That of the first program, if it was recorded (scope.yml, `environment`)."""

    @property
    def numbers(self) -> dict[str, str]:
        """The numbers that other runs have otherwise: process ids, ports that the kernel chose."""
        pids = {node.pid for node in all_nodes(self.roots)}
        pids |= {self.info.recorder_pid, *(root.images[0].ppid for root in self.roots)}
        return dict.fromkeys(map(str, self._ports()), "PORT") | {
            str(pid): "PID" for pid in pids if pid >= LEAST_PID
        }

    def texts(self) -> Iterator[str]:
        """Yield the paths of files and the arguments of processes."""
        yield from (file.path for file in self.files)
        for node in all_nodes(self.roots):
            yield from node.process.args

    def _ports(self) -> Iterator[int]:
        for flow in self.flows:
            chosen = {"server": flow.peer, "client": flow.local}.get(flow.role)
            if chosen is not None and chosen.port >= 1024:
                yield chosen.port
            for end in (flow.local, flow.peer):
                if end is not None and end.port >= EPHEMERAL_PORT:
                    yield end.port
        for kind, subject in self.outcomes:
            port = subject.rpartition(":")[2]
            if kind in (PORT, PEER) and port.isdecimal() and int(port) >= EPHEMERAL_PORT:
                yield int(port)


def read_facts(db: sqlite3.Connection, info: SessionInfo, classes: PathClasses) -> Facts:
    """Return what of a session is compared, as it is now."""
    flows = tuple(read_flows(db))
    outcomes, sizes = _outcomes(db)
    for flow in flows:
        _add_peer(flow, outcomes, sizes)
    files = tuple(read_files(db, classes))
    return Facts(
        info,
        read_tree(db),
        start_up_images(db, classes),
        files,
        flows,
        outcomes,
        sizes,
        _lines(db),
        _environment(db),
    )


def _add_peer(flow: FlowRecord, outcomes: Outcomes, sizes: Sizes) -> None:
    """Add whom a flow connected to; datagram sockets that sent nothing only asked for a route."""
    if flow.peer is None or flow.role == "server":
        return
    if flow.transport.endswith(".UDP") and not (flow.bytes_sent or flow.bytes_recv):
        return
    subject = place(flow.peer_name or flow.peer.host, flow.peer.port)
    if subject:
        results = outcomes.setdefault((PEER, subject), set())
        results.add("connected")
        if flow.error and flow.error not in CHANCE and flow.role == "client":
            results.add(flow.error)
        if _ENCLOSING.isdisjoint(flow.protocol.split(",")):
            sizes.setdefault(((PEER, subject), SENT_BYTES), set()).add(flow.bytes_sent or 0)
            sizes.setdefault(((PEER, subject), RECEIVED_BYTES), set()).add(flow.bytes_recv or 0)


def place(host: str, port: int) -> str:
    """Return `host:port`, or what there is of it."""
    if not port:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _outcomes(db: sqlite3.Connection) -> tuple[Outcomes, Sizes]:
    found: Outcomes = {}
    sizes: Sizes = {}
    decode = Decoder(_Data).decode
    for source, text in db.execute(_OUTCOMES.format(events=few_events(db))):
        try:
            data = decode(text)
        except DecodeError:  # a lone surrogate, which msgspec refuses: bytes of no known encoding
            continue
        thing, result = _OUTCOME_OF[source](data)
        if thing[1] and result not in CHANCE:
            found.setdefault(thing, set()).add(result)
        if data.http_response_content_length is not None:
            length = data.http_response_content_length
            sizes.setdefault((thing, ANSWER_BYTES), set()).add(length)
    return found, sizes


def _listened(data: _Data) -> tuple[Thing, str]:
    return (PORT, data.unix_local_path or place(data.net_host_ip, data.net_host_port)), "listening"


def _not_connected(data: _Data) -> tuple[Thing, str]:
    peer = data.unix_peer_path or place(data.net_peer_name or data.net_peer_ip, data.net_peer_port)
    if data.op in ("bind", "listen"):
        return (PORT, _listened(data)[0][1]), data.error
    is_refused = data.op == "connect"
    return (PEER, peer if is_refused else ""), data.error


def _answered(data: _Data) -> tuple[Thing, str]:
    asked = f"{data.http_method} {data.http_target}"
    if data.http_server_duration is not None:
        return (ANSWER, asked), str(data.http_status_code)
    host = data.http_host or place(data.net_peer_name or data.net_peer_ip, data.net_peer_port)
    return (REQUEST, f"{data.http_method} {host}{data.http_target}"), str(data.http_status_code)


def _looked_up(data: _Data) -> tuple[Thing, str]:
    return (NAME, f"{data.domain} {data.type}"), data.rcode or data.error


def _failed(data: _Data) -> tuple[Thing, str]:
    return (CALL, f"{data.op} {data.what}".rstrip()), data.error


_OUTCOME_OF = {
    "net.listen": _listened,
    "net.error": _not_connected,
    "http.resp": _answered,
    "dns.resp": _looked_up,
    "dns.error": _looked_up,
    "proc.error": _failed,
}


def _lines(db: sqlite3.Connection) -> dict[Thing, dict[str, None]]:
    """Return the lines of streams and logs; what one process writes is put together by itself."""
    found: dict[Thing, dict[str, None]] = {}
    begun: dict[tuple[Thing, int], str] = {}
    decode = Decoder(_Message).decode
    for sourcetype, source, process, data in db.execute(_TEXTS.format(events=few_events(db))):
        thing = (source if sourcetype == "console" else LOG, source)
        try:
            text = begun.pop((thing, process), "") + decode(data).message
        except DecodeError:  # a lone surrogate, which msgspec refuses
            text = begun.pop((thing, process), "") + _message_of(data)
        *whole, rest = text.split("\n")
        if rest:
            begun[thing, process] = rest
        _add_lines(found, thing, whole)
    for (thing, _), rest in begun.items():
        _add_lines(found, thing, [rest])
    return found


def _add_lines(found: dict[Thing, dict[str, None]], thing: Thing, lines: Iterable[str]) -> None:
    kept = found.setdefault(thing, {})
    for line in lines:
        shown = line.rstrip("\r").rpartition("\r")[2]
        if "\x1b" in shown:
            shown = _CONTROL.sub("", shown)
        if PLACE in shown:
            shown = shown.replace(PLACE, "\\0")
        if len(kept) < MOST_LINES and shown.strip() and not _is_by_chance(shown):
            kept[shown] = None


def _is_by_chance(line: str) -> bool:
    """Return whether a line is of the course of things; so is the progress that curl shows."""
    may_be = "#" in line or " 499 " in line
    return (may_be and _BY_CHANCE.search(line) is not None) or "--:--:--" in line


def _environment(db: sqlite3.Connection) -> dict[str, str]:
    row = db.execute(
        f"SELECT data FROM {few_events(db)} WHERE source = 'proc.start' ORDER BY id LIMIT 1"
    ).fetchone()
    variables = json.loads(row[0]).get("env", []) if row else []
    return dict(each.partition("=")[::2] for each in variables)


def _message_of(data: str) -> str:
    return str(json.loads(data).get("message", ""))
