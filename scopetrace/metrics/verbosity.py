"""What each verbosity lets through, and what it no longer sums up.

The levels are AppScope's, and each has all that those below it have. The fewer tags are kept, the
fewer rows there are: what differs only in a dropped tag is one value.
"""

from __future__ import annotations

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


MEANS = ("histogram", "timer")
"""Types of which a value is the mean over operations."""


class Plan:
    """What becomes of the measures of one metric at one verbosity."""

    __slots__ = (
        *("apart", "gauge", "kept", "lasting", "mean", "name", "numops", "places", "tags", "type"),
        "unit",
    )

    def __init__(self, name: str, verbosity: int) -> None:
        kind, sort, unit, tags = METRICS[name]
        shown = tuple(tag for tag in tags if SOONER.get((name, tag), TAG_LEVELS[tag]) <= verbosity)
        self.name, self.type, self.unit = name, sort, unit
        self.tags = TAGS[name]
        """All tags but numops."""
        self.kept = tuple(tag for tag in shown if tag != "numops")
        """Those that are kept."""
        self.places = tuple(map(self.tags.index, self.kept))
        """Where those are among all tags."""
        self.gauge = sort == "gauge"
        """The last value holds; else values add up."""
        self.mean = sort in MEANS
        """A sample is the mean over the operations."""
        self.numops = "numops" in shown
        """Whether a sample has the number of operations."""
        self.apart = verbosity >= APART_LEVELS.get(name, 10)
        """Each measure is a sample."""
        self.lasting = sort == "gauge" and kind == "net"
        """A gauge of things that are open: it keeps its value until it is set again. Things that
        differ in dropped tags only add up."""


_plans: dict[int, dict[str, Plan]] = {}


def plans(verbosity: int) -> dict[str, Plan]:
    """Return the plan of each metric."""
    found = _plans.get(verbosity)
    if found is None:
        found = _plans[verbosity] = {name: Plan(name, verbosity) for name in METRICS}
    return found
