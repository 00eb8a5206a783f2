"""Metrics: the table of those there are, and what one value of one period is.

Names, types and units are those that users of AppScope know. A counter's value is what happened in
the period; a gauge's is how things stood at its end; of a histogram and a timer it is the mean over
`numops` operations.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Metric(NamedTuple):
    """What a metric is."""

    kind: str
    """Type in `metric.watch` of scope.yml: fs, net, http, dns, process, statsd."""
    type: str
    """counter, gauge, timer or histogram."""
    unit: str


METRICS = {
    "proc.start": Metric("process", "counter", "process"),
    "proc.cpu": Metric("process", "counter", "microsecond"),
    "proc.cpu_perc": Metric("process", "gauge", "percent"),
    "proc.mem": Metric("process", "gauge", "kibibyte"),
    "proc.mem_rss": Metric("process", "gauge", "kibibyte"),
    "proc.thread": Metric("process", "gauge", "thread"),
    "proc.fd": Metric("process", "gauge", "file"),
    "proc.child": Metric("process", "gauge", "process"),
    "fs.open": Metric("fs", "counter", "operation"),
    "fs.close": Metric("fs", "counter", "operation"),
    "fs.read": Metric("fs", "counter", "byte"),
    "fs.write": Metric("fs", "counter", "byte"),
    "fs.duration": Metric("fs", "histogram", "microsecond"),
    "fs.error": Metric("fs", "counter", "operation"),
    "net.open": Metric("net", "counter", "connection"),
    "net.close": Metric("net", "counter", "connection"),
    "net.port": Metric("net", "gauge", "instance"),
    "net.tcp": Metric("net", "gauge", "connection"),
    "net.udp": Metric("net", "gauge", "connection"),
    "net.other": Metric("net", "gauge", "connection"),
    "net.rx": Metric("net", "counter", "byte"),
    "net.tx": Metric("net", "counter", "byte"),
    "net.duration": Metric("net", "timer", "millisecond"),
    "net.error": Metric("net", "counter", "operation"),
    "dns.req": Metric("dns", "counter", "request"),
    "dns.duration": Metric("dns", "timer", "millisecond"),
    "http.req": Metric("http", "counter", "request"),
    "http.duration.server": Metric("http", "timer", "millisecond"),
    "http.duration.client": Metric("http", "timer", "millisecond"),
    "http.req.content_length": Metric("http", "counter", "byte"),
    "http.resp.content_length": Metric("http", "counter", "byte"),
}
"""Every metric but those that the program itself sends (StatsD), which have names of their own."""


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
