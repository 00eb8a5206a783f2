"""What each verbosity lets through, and what it no longer sums up.

The levels are AppScope's, and each has all that those below it have. The fewer tags are kept, the
fewer rows there are: what differs only in a dropped tag is one value.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from scopetrace.model.metric import METRICS, TAGS

TAG_LEVELS = {
    "class": 2,
    "proto": 2,
    "op": 3,
    "http_status_code": 4,
    "http_target": 4,
    "uid": 4,
    "username": 4,
    "gid": 4,
    "groupname": 4,
    "data": 1,
    "domain": 5,
    "file": 5,
    "localip": 6,
    "localp": 6,
    "remoteip": 6,
    "remotep": 6,
    "port": 6,
    "fd": 7,
    "args": 7,
    "numops": 8,
}
"""Tag → the verbosity from which on it is kept."""

SOONER = {
    ("proc.start", "args"): 4,
    ("http.duration.server", "numops"): 4,
    ("http.duration.client", "numops"): 4,
    ("http.req.content_length", "numops"): 4,
    ("http.resp.content_length", "numops"): 4,
}
"""(metric, tag) → the verbosity from which on it is kept there, as AppScope's schemas require."""

APART_LEVELS = {
    "fs.error": 5,
    "net.error": 5,
    "fs.open": 6,
    "fs.close": 6,
    "dns.req": 6,
    "dns.duration": 6,
    "net.open": 7,
    "net.close": 7,
    "net.duration": 7,
    "fs.read": 9,
    "fs.write": 9,
    "fs.duration": 9,
    "net.rx": 9,
    "net.tx": 9,
}
"""Metric → the verbosity from which on each measure is a value of its own."""


class Plan(NamedTuple):
    """What becomes of the measures of one metric at one verbosity."""

    name: str
    type: str
    unit: str
    tags: tuple[str, ...]
    """All tags but numops."""
    kept: tuple[str, ...]
    """Those that are kept."""
    places: tuple[int, ...]
    """Where those are among all tags."""
    gauge: bool
    """The last value holds; else values add up."""
    mean: bool
    """A sample is the mean over the operations."""
    numops: bool
    """Whether a sample has the number of operations."""
    apart: bool
    """Each measure is a sample."""
    lasting: bool
    """A gauge of things that are open: it keeps its value until it is set again. Things that
    differ in dropped tags only add up."""


@cache
def plans(verbosity: int) -> dict[str, Plan]:
    """Return the plan of each metric."""
    return {name: _plan(name, verbosity) for name in METRICS}


def _plan(name: str, verbosity: int) -> Plan:
    kind, sort, unit, tags = METRICS[name]
    shown = tuple(tag for tag in tags if SOONER.get((name, tag), TAG_LEVELS[tag]) <= verbosity)
    kept = tuple(tag for tag in shown if tag != "numops")
    return Plan(
        name=name,
        type=sort,
        unit=unit,
        tags=TAGS[name],
        kept=kept,
        places=tuple(map(TAGS[name].index, kept)),
        gauge=sort == "gauge",
        mean=sort in MEANS,
        numops="numops" in shown,
        apart=verbosity >= APART_LEVELS.get(name, 10),
        lasting=sort == "gauge" and kind == "net",
    )


MEANS = ("histogram", "timer")
"""Types of which a value is the mean over operations."""
