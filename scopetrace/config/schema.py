"""The configuration as frozen structs: what a key may hold stands here, and only here.

What a key holds *unless said otherwise* stands in scope.yml, so no key of the tree has a default
in this module; only the members of list items do, which a stock file cannot give. Messages about
wrong values are derived from these types (see `convert`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1)]
"""A text that says something."""
Natural = Annotated[int, Meta(ge=0, le=2**53)]
"""A whole number that JSON and SQLite can hold too."""
Verbosity = Annotated[int, Meta(ge=0, le=9)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]
SnapLength = Annotated[int, Meta(ge=0, le=1_048_576)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
FlowSnapLength = Annotated[int, Meta(ge=0, le=4_194_304)]
FlowMemory = Annotated[int, Meta(ge=65_536, le=1_073_741_824)]
ArgsLimit = Annotated[int, Meta(ge=0, le=16_777_216)]
"""The kernel lets in 6 MiB of both (fs/exec.c: three quarters of _STK_LIM)."""
PatternLength = Annotated[int, Meta(ge=1, le=65_536)]

EventType = Literal[
    "file", "console", "fs", "process", "net", "http", "dns", "metric", "syslog", "sec"
]
"""The last two are read, because files of AppScope and AppView hold them, and select nothing."""
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
    """Whether the server must have a certificate for its name, from someone who is trusted."""
    cacertpath: str
    """File of who is trusted; empty: whom the system trusts."""


class Transport(Node, frozen=True):
    """Where what is recorded is also sent, at once."""

    type: TransportType
    host: str
    port: Port
    path: str
    """Of type file and unix; there `@name` is an abstract socket."""
    buffering: Literal["line", "full"]
    """Of type file: whether lines are written at once, or many together."""
    tls: Tls

    @property
    def encrypted(self) -> bool:
        """Whether it is TLS."""
        return self.type == "tls" or (self.type == "tcp" and self.tls.enable)


class MetricFormat(Node, frozen=True):
    """How metrics look when they are sent."""

    type: MetricFormatType
    statsdprefix: str
    statsdmaxlen: Natural
    """Bytes of one statsd line."""
    verbosity: Verbosity


class MetricWatch(Node, frozen=True):
    """A kind of metric that is wanted."""

    type: MetricType


class Metric(Node, frozen=True):
    """The section `metric`."""

    enable: bool
    format: MetricFormat
    watch: tuple[MetricWatch, ...]
    transport: Transport


class WatchRule(Node, frozen=True):
    """A kind of event that is wanted; each expression is searched for, unanchored."""

    type: EventType
    name: str = ".*"
    """Searched for in the source: fs.open, stdout, or the absolute path of a `file` rule."""
    field: str = ".*"
    """Searched for in the names of the data fields; those that do not match are left out."""
    value: str = ".*"
    """Searched for in the values of the data fields; without any match there is no event."""
    headers: tuple[Text, ...] = ()
    """For http: headers to keep, each expression searched for in `Header: value`."""
    allowbinary: bool = False
    """For file and console: whether content that is no text is recorded."""


class EventFormat(Node, frozen=True):
    """What events hold, and how many there may be."""

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
    """The section `libscope`: what is left of it without a library inside the program."""

    summaryperiod: Seconds
    configevent: bool
    """Whether the first line that is sent says who is recorded, and with which configuration."""


class Protocol(Node, frozen=True):
    """How to recognise a protocol by the first bytes of a connection."""

    name: Text
    regex: Text
    binary: bool = False
    """Whether `regex` is searched for in the bytes written as hexadecimal digits."""
    len: PatternLength = 256
    """Bytes looked at."""
    detect: bool = True
    payload: bool = False


class PathRules(Node, frozen=True):
    """The section `scopetrace.pathclasses`: regular expressions, searched for in absolute paths.

    A path has the first of these classes with one that is found, and else the class `own`.
    """

    packages: tuple[Text, ...]
    """What was installed for a language, beside its standard library."""
    interpreter: tuple[Text, ...]
    """Standard libraries and caches of interpreters."""
    locale: tuple[Text, ...]
    """Languages, time zones, character sets, terminals, names of users and hosts."""
    loader: tuple[Text, ...]
    """ld.so and shared libraries."""
    system: tuple[Text, ...]
    """Files of the kernel, and of services that every program asks."""


class Recording(Node, frozen=True):
    """The section `scopetrace`: what AppScope has no key for."""

    snaplen: SnapLength
    """Bytes copied of one write at most."""
    flowsnaplen: FlowSnapLength
    """Bytes copied of what goes through a connection at once, at most."""
    flowmemory: FlowMemory
    """Bytes of one connection that wait while it is read, at most, of each kind."""
    payloadlimit: Natural
    """Bytes of payloads that a session keeps at most."""
    failures: Literal["none", "rare", "all"]
    """Which calls stop the program for the sake of those that fail."""
    argslimit: ArgsLimit
    """Bytes of the arguments of one program at most."""
    environment: bool
    """Whether proc.start holds the environment of the program."""
    envlimit: ArgsLimit
    """Bytes of the environment of one program at most."""
    pathclasses: PathRules


class Sections(Node, frozen=True):
    """The tree of scope.yml but for `custom`."""

    metric: Metric
    event: EventSection
    payload: Payload
    libscope: Libscope
    tags: dict[str, str]
    protocol: tuple[Protocol, ...]
    scopetrace: Recording


class Filter(Node, frozen=True):
    """Which processes an entry of `custom` is about: all that is given must match."""

    procname: str | None = None
    """Base name of the program."""
    arg: str | None = None
    """Part of the command line."""
    hostname: str | None = None
    username: str | None = None
    env: str | None = None
    """NAME, or NAME=value."""
    ancestor: str | None = None
    """Base name of the program of its parent, or of its parent's parent…"""


class Entry(Node, frozen=True):
    """An entry of `custom` as it is written."""

    filter: dict[str, Any]
    config: dict[str, Any]


class Custom(Struct, frozen=True, kw_only=True):
    """An entry of `custom`: what is different for some processes."""

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
