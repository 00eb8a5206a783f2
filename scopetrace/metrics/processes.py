"""The proc.* metrics of live processes, a few at each tick so that recording never waits for them.

At the end of a process what is left is told: how it stood when it was about to go, and the rest of
its CPU time, so that all of that adds up to the `cpu_own` of proc.exit. CPU time belongs to the
process, not to one of its images: an exec goes on where the program before it was.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import NamedTuple

from scopetrace.metrics.meter import Meter
from scopetrace.metrics.proc import Status, cpu_us, open_fds, parse_status, read_status
from scopetrace.model.image import Image
from scopetrace.model.operation import Exited, ImageEnded, Leaving

MOST_AT_ONCE = 50
"""Processes looked at in one tick, which takes some 0.1 ms each."""
PROCESS = "process"

OWN = 5
"""Where in the usage of a process the CPU time of its own is."""


class Launched(NamedTuple):
    """The first process, which was a part of scopetrace until its exec."""

    pid: int
    before_us: int
    """CPU time it had used by then."""


class Told:
    """What has been told of the CPU time of a process."""

    __slots__ = ("at_ns", "before_us", "us")

    def __init__(self, before_us: int, at_ns: int) -> None:
        self.before_us = before_us
        """Used before it was a program of the session: that is not told."""
        self.us = 0
        self.at_ns = at_ns
        """Until when."""


class Processes:
    """Looks at the live processes of a session, once a period."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._live: dict[int, Image] = {}
        self._told: dict[int, Told] = {}
        self._waiting: deque[Image] = deque()
        self._children: Counter[int] = Counter()
        self._most_children: Counter[int] = Counter()
        """Since that was told last. At the end of a process there are hardly any left."""
        self._round_ns = 0
        """Which period is being told of: when it ended."""
        self._launched: Launched | None = None

    def started(self, image: Image) -> None:
        """Learn of a new image of a process, and that it has a row in the session."""
        pid = image.pid
        if not self._launched:
            self._launched = Launched(pid, cpu_us(pid) or 0)
        self._forget(pid)
        if PROCESS not in image.rules.measures:
            return
        self._live[pid] = image
        self._children[image.ppid] += 1
        most = max(self._most_children[image.ppid], self._children[image.ppid])
        self._most_children[image.ppid] = most
        if pid not in self._told:
            before_us = self._launched.before_us if pid == self._launched.pid else 0
            self._told[pid] = Told(before_us, image.started_ns)

    def leaving(self, operation: Leaving) -> None:
        """Tell how a process stood when it was about to end."""
        image, time_ns, fds, text = operation
        status = parse_status(text)
        if status is not None and PROCESS in image.rules.measures:
            children = self._most_children.pop(image.pid, 0)
            self._tell_gauges(image, time_ns, status, fds, children)

    def exited(self, operation: Exited) -> None:
        """Tell what is left to tell of the CPU time of a process."""
        image = operation.image
        if PROCESS not in image.rules.measures:
            return
        told = self._told.get(image.pid) or Told(0, image.started_ns)
        self._tell_cpu(image, operation.time_ns, told, operation.usage[OWN], operation.time_ns)

    def ended(self, operation: ImageEnded) -> None:
        """Forget an image, and with the last one of a process what was told of it."""
        pid = operation.image.pid
        if self._live.get(pid) is operation.image:
            self._forget(pid)
        if not operation.replaced:
            self._told.pop(pid, None)
            self._most_children.pop(pid, None)

    def tick(self, now_ns: int) -> None:
        """Look at the next few processes; a new round begins when a period has ended."""
        if not self._live:
            return
        if not self._waiting and self._meter.turned_ns > self._round_ns:
            self._round_ns = self._meter.turned_ns
            self._waiting.extend(self._live.values())
        for _ in range(min(MOST_AT_ONCE, len(self._waiting))):
            image = self._waiting.popleft()
            if self._live.get(image.pid) is image:
                self._look_at(image, now_ns)

    def _forget(self, pid: int) -> None:
        image = self._live.pop(pid, None)
        if image is None:
            return
        self._children[image.ppid] -= 1
        if not self._children[image.ppid]:
            del self._children[image.ppid]

    def _look_at(self, image: Image, now_ns: int) -> None:
        told, used_us = self._told[image.pid], cpu_us(image.pid)
        if used_us is not None:
            self._tell_cpu(image, self._round_ns, told, used_us - told.before_us, now_ns)
        status = read_status(image.pid)
        if status is not None:
            children = self._children[image.pid]
            self._most_children[image.pid] = children
            self._tell_gauges(image, self._round_ns, status, open_fds(image.pid) or 0, children)

    def _tell_gauges(
        self, image: Image, time_ns: int, status: Status, fds: int, children: int
    ) -> None:
        gauges = {
            "proc.mem": status.virtual_kib,
            "proc.mem_rss": status.resident_kib,
            "proc.thread": status.threads,
            "proc.fd": fds,
            "proc.child": children,
        }
        for name, value in gauges.items():
            self._meter.tell(image, time_ns, name, value)

    def _tell_cpu(self, image: Image, time_ns: int, told: Told, us: int, until_ns: int) -> None:
        """Tell of the CPU time that a process has used by now, and has not been told of."""
        spent_us = max(us - told.us, 0)
        elapsed_us = (until_ns - told.at_ns) // 1000
        told.us, told.at_ns = told.us + spent_us, until_ns
        self._meter.tell(image, time_ns, "proc.cpu", spent_us)
        if elapsed_us > 0:
            percent = round(100 * spent_us / elapsed_us, 2)
            self._meter.tell(image, time_ns, "proc.cpu_perc", percent)
