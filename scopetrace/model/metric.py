"""Metrics: the table of those there are, and what one value of one period is.

Names, types and units are those that users of AppScope know. A counter's value is what happened in
the period; a gauge's is how things stood at its end, and in the last one of a process the most
there was of what came and went (connections, children); of a histogram and a timer it is the mean
over `numops` operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from scopetrace.model.json_value import Json


class Metric(NamedTuple):
    """What a metric is."""

    kind: str
    """Type in `metric.watch` of scope.yml: fs, net, http, dns, process, statsd."""
    type: str
    """counter, gauge, timer or histogram."""
    unit: str
    tags: tuple[str, ...] = ()
    """The tags of its values, besides process and unit. `numops`, how many operations a value sums
    up, is here where that matters; no source passes it as a tag."""


_TRANSFER_TAGS = (
    "data",
    "class",
    "proto",
    "domain",
    "localip",
    "localp",
    "remoteip",
    "remotep",
    "numops",
)
_SOCKET_TAGS = ("proto", "port", "fd")
_FILE_TRANSFER_TAGS = ("op", "file", "fd", "numops")

METRICS = {
    "proc.start": Metric(
        "process", "counter", "process", ("uid", "username", "gid", "groupname", "args")
    ),
    "proc.cpu": Metric("process", "counter", "microsecond"),
    "proc.cpu_perc": Metric("process", "gauge", "percent"),
    "proc.mem": Metric("process", "gauge", "kibibyte"),
    "proc.mem_rss": Metric("process", "gauge", "kibibyte"),
    "proc.thread": Metric("process", "gauge", "thread"),
    "proc.fd": Metric("process", "gauge", "file"),
    "proc.child": Metric("process", "gauge", "process"),
    "fs.open": Metric("fs", "counter", "operation", ("op", "file", "fd")),
    "fs.close": Metric("fs", "counter", "operation", ("op", "file", "fd")),
    "fs.read": Metric("fs", "counter", "byte", _FILE_TRANSFER_TAGS),
    "fs.write": Metric("fs", "counter", "byte", _FILE_TRANSFER_TAGS),
    "fs.duration": Metric("fs", "histogram", "microsecond", _FILE_TRANSFER_TAGS),
    "fs.stat": Metric("fs", "counter", "operation", ("op",)),
    "fs.seek": Metric("fs", "counter", "operation", ("op",)),
    "fs.error": Metric("fs", "counter", "operation", ("class", "op", "file")),
    "net.open": Metric("net", "counter", "connection", ("proto", "op", "port")),
    "net.close": Metric("net", "counter", "connection", ("proto", "op", "port")),
    "net.port": Metric("net", "gauge", "instance", _SOCKET_TAGS),
    "net.tcp": Metric("net", "gauge", "connection", _SOCKET_TAGS),
    "net.udp": Metric("net", "gauge", "connection", _SOCKET_TAGS),
    "net.other": Metric("net", "gauge", "connection", _SOCKET_TAGS),
    "net.rx": Metric("net", "counter", "byte", _TRANSFER_TAGS),
    "net.tx": Metric("net", "counter", "byte", _TRANSFER_TAGS),
    "net.duration": Metric("net", "timer", "millisecond", ("proto", "port", "numops")),
    "net.error": Metric("net", "counter", "operation", ("class", "op")),
    "dns.req": Metric("dns", "counter", "request", ("domain",)),
    "dns.duration": Metric("dns", "timer", "millisecond", ("domain", "numops")),
    "http.req": Metric("http", "counter", "request", ("http_target", "http_status_code")),
    "http.duration.server": Metric("http", "timer", "millisecond", ("http_target", "numops")),
    "http.duration.client": Metric("http", "timer", "millisecond", ("http_target", "numops")),
    "http.req.content_length": Metric("http", "counter", "byte", ("http_target", "numops")),
    "http.resp.content_length": Metric("http", "counter", "byte", ("http_target", "numops")),
}
"""Every metric but those that the program itself sends (StatsD), which have names of their own."""

TAGS = {
    name: tuple(tag for tag in metric.tags if tag != "numops") for name, metric in METRICS.items()
}
"""The tags that a source passes, in their order."""


def in_order(name: str, tags: dict[str, Any]) -> tuple[Any, ...]:
    """Return the values of the tags of a metric; None: it is not known."""
    return tuple(map(tags.get, TAGS[name]))


MEMBER = "member"
"""The tag of a program's own set that names a member which is no number; the value is 1 then."""


class Sample(NamedTuple):
    """One value of one metric of one process image, summed up over a period."""

    time_ns: int
    """Unix time, ns: the end of the period."""
    process: int
    """Serial of the process image (`Process.id`)."""
    name: str
    type: str
    unit: str
    value: float
    tags: dict[str, Any]
    """What the verbosity lets through; `numops` is in it from verbosity 8 on."""


OF_EACH = {"proc": 4, "pid": 4, "host": 4, "unit": 1}
"""What is known of each value besides its tags → the verbosity from which on it is sent."""
MOST_VERBOSE = 9


class MetricRecord(NamedTuple):
    """One value as read back: a `Sample` with its id and what its process was."""

    id: int
    time_ns: int
    name: str
    type: str
    unit: str
    """Empty for a metric of the program's own."""
    value: float
    """A whole number where one was measured."""
    tags: dict[str, Json]
    host: str
    proc: str
    pid: int

    def known(self, verbosity: int = MOST_VERBOSE) -> dict[str, Any]:
        """Return what of `OF_EACH` there is, as far as the verbosity lets it through."""
        found = {name: getattr(self, name) for name in OF_EACH if OF_EACH[name] <= verbosity}
        return {name: value for name, value in found.items() if value != ""}
