"""The configuration as frozen structs: the type and the allowed values of each key.

The defaults are in scope.yml, so the keys of the tree have no defaults here; only the keys of list
items have. Messages about wrong values are derived from these types (see `convert`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1)]
"""A text that is not empty."""
Natural = Annotated[int, Meta(ge=0, le=2**53)]
"""A whole number that JSON and SQLite can represent exactly."""
Verbosity = Annotated[int, Meta(ge=0, le=9)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]
SnapLength = Annotated[int, Meta(ge=0, le=1_048_576)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
FlowSnapLength = Annotated[int, Meta(ge=0, le=4_194_304)]
FlowMemory = Annotated[int, Meta(ge=65_536, le=1_073_741_824)]
RingSize = Annotated[int, Meta(ge=4_194_304, le=1_073_741_824)]
ArgsLimit = Annotated[int, Meta(ge=0, le=16_777_216)]
"""The kernel allows 6 MiB for arguments and environment (fs/exec.c: ¾ of _STK_LIM)."""
PatternLength = Annotated[int, Meta(ge=1, le=65_536)]

EventType = Literal[
    "file", "console", "fs", "process", "net", "http", "dns", "metric", "syslog", "sec"
]
"""The last two are accepted since AppScope and AppView have them; they select no events."""
MetricType = Literal["statsd", "fs", "net", "http", "dns", "process"]
MetricFormatType = Literal["statsd", "ndjson"]
EventFormatType = Literal["ndjson"]
TransportType = Literal["none", "file", "unix", "tcp", "udp", "tls"]


class Node(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping of the tree: an unknown key in it is an error."""


class Tls(Node, frozen=True):
    """How a `transport` is encrypted."""

    enable: bool
    """For type tcp; type tls is encrypted whatever this says."""
    validateserver: bool
    """Whether the server must have a trusted certificate for its host name."""
    cacertpath: str
    """File with the trusted CA certificates; empty: those of the system."""


class Transport(Node, frozen=True):
    """A destination to which events or metrics are sent while they are recorded."""

    type: TransportType
    host: str
    port: Port
    path: str
    """For type file and unix; of unix, `@name` is an abstract socket."""
    buffering: Literal["line", "full"]
    """For type file: write each line at once, or many together."""
    tls: Tls

    @property
    def encrypted(self) -> bool:
        """Whether TLS is used."""
        return self.type == "tls" or (self.type == "tcp" and self.tls.enable)


class MetricFormat(Node, frozen=True):
    """The format of metrics that are sent."""

    type: MetricFormatType
    statsdprefix: str
    statsdmaxlen: Natural
    """Bytes of one StatsD line; 0: no limit."""
    verbosity: Verbosity


class MetricWatch(Node, frozen=True):
    """A type of metrics to record."""

    type: MetricType


class Metric(Node, frozen=True):
    """The section `metric`."""

    enable: bool
    format: MetricFormat
    watch: tuple[MetricWatch, ...]
    transport: Transport


class WatchRule(Node, frozen=True):
    """A type of events to record; expressions are searched for anywhere in a text."""

    type: EventType
    name: str = ".*"
    """Searched for in the source: fs.open, stdout, or the absolute path of a `file` rule."""
    field: str = ".*"
    """Searched for in the names of data fields; fields that do not match are left out."""
    value: str = ".*"
    """Searched for in the values of data fields; if none matches, the event is not recorded."""
    headers: tuple[Text, ...] = ()
    """For http: headers to record; each expression is searched for in `Header: value`."""
    allowbinary: bool = False
    """For file and console: whether binary content is recorded."""


class EventFormat(Node, frozen=True):
    """The format of events that are sent, their rate, and optional fields."""

    type: EventFormatType
    maxeventpersec: Natural
    """Events of one process in one second; 0: no limit."""
    enhancefs: bool
    """Whether fs events also hold owner, group and permissions."""


class EventSection(Node, frozen=True):
    """The section `event`."""

    enable: bool
    format: EventFormat
    watch: tuple[WatchRule, ...]
    transport: Transport


class Payload(Node, frozen=True):
    """The section `payload`."""

    enable: bool


class Libscope(Node, frozen=True):
    """The section `libscope`: those of AppScope's keys that apply without its library."""

    summaryperiod: Seconds
    """Period over which metrics are aggregated, in seconds."""
    configevent: bool
    """Whether the first line that is sent describes the program and the configuration."""


class Protocol(Node, frozen=True):
    """A protocol that is recognised by the first bytes of a connection."""

    name: Text
    regex: Text
    binary: bool = False
    """Whether `regex` is searched for in the bytes written as hexadecimal digits."""
    len: PatternLength = 256
    """Bytes in which `regex` is searched."""
    detect: bool = True
    payload: bool = False


class PathRules(Node, frozen=True):
    """The section `scopetrace.pathclasses`: regular expressions, searched for in absolute paths.

    A path has the first of these classes with one that is found, and else the class `own`.
    """

    caches: tuple[Text, ...]
    """What interpreters write beside what they load."""
    packages: tuple[Text, ...]
    """What was installed for a language, beside its standard library."""
    interpreter: tuple[Text, ...]
    """Standard libraries of interpreters, and compilers."""
    locale: tuple[Text, ...]
    """Languages, time zones, character sets, terminals, names of users and hosts."""
    loader: tuple[Text, ...]
    """ld.so and shared libraries."""
    system: tuple[Text, ...]
    """Files of the kernel, and of services that every program asks."""


class Recording(Node, frozen=True):
    """The section `scopetrace`: keys that AppScope does not have."""

    snaplen: SnapLength
    """Bytes that are copied of one write to a file, at most."""
    flowsnaplen: FlowSnapLength
    """Bytes that are copied of one send to or receive from a connection, at most."""
    flowmemory: FlowMemory
    """Bytes that are buffered for one connection while it is read, at most, of each kind."""
    payloadlimit: Natural
    """Bytes of payloads in one session, at most."""
    ringsize: RingSize
    """Bytes of records that may wait until they are read."""
    failures: Literal["none", "rare", "all"]
    """Which calls are watched only to record their failures."""
    gate: Literal["auto", "eager", "off", "verify"]
    """Whether programs make calls without stops, where that is possible."""
    argslimit: ArgsLimit
    """Bytes of the arguments of one program, at most."""
    environment: bool
    """Whether proc.start has the environment of the program."""
    envlimit: ArgsLimit
    """Bytes of the environment of one program, at most."""
    syscalls: str
    """Which system calls are recorded whole (`syscalls.call_set`); empty: none."""
    syscallsnaplen: SnapLength
    """Bytes that are copied of one buffer of such a call, at most."""
    syscallsprint: bool
    """Whether `run` prints such calls to standard error while they are recorded."""
    summary: bool
    """Whether `run` prints the summary of the session when the program ends."""
    hint: bool
    """Whether `run` ends with a line that names the session, on a terminal."""
    report: str
    """The file into which `run` writes the page of the session when the program ends; empty:
    none."""
    pathclasses: PathRules


class Sections(Node, frozen=True):
    """The tree of scope.yml without `custom`."""

    metric: Metric
    event: EventSection
    payload: Payload
    libscope: Libscope
    tags: dict[str, str]
    protocol: tuple[Protocol, ...]
    scopetrace: Recording


class Filter(Node, frozen=True):
    """The processes that an entry of `custom` applies to: all keys that are given must match."""

    procname: str | None = None
    """Base name of the program."""
    arg: str | None = None
    """Part of the command line."""
    hostname: str | None = None
    username: str | None = None
    env: str | None = None
    """NAME, or NAME=value."""
    ancestor: str | None = None
    """Base name of the program of its parent, its parent's parent…"""


class Entry(Node, frozen=True):
    """An entry of `custom` before it is converted."""

    filter: dict[str, Any]
    config: dict[str, Any]


class Custom(Struct, frozen=True, kw_only=True):
    """An entry of `custom`: settings for some processes."""

    name: str
    filter: Filter
    config: dict[str, Any]
    """The keys it sets, as plain data."""


class Config(Sections, frozen=True):
    """A whole configuration, ready for use."""

    custom: tuple[Custom, ...]
    """In file order, which is the order in which they apply."""
    path: Path | None
    """Where it came from; None: the stock file."""
    warnings: tuple[str, ...]
    """Sentences for the person who wrote it."""
