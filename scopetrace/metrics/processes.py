"""The proc.* metrics of live processes, a few at each tick so that recording never waits for them.

A process that exits has a last sample of its gauges, from just before, and one of the rest of its
CPU time, so that the samples of proc.cpu add up to the `cpu_own` of proc.exit. CPU time belongs to
the process, not to one of its images: it goes on through an exec.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from scopetrace.metrics.meter import Meter
from scopetrace.metrics.proc import Status, cpu_us, open_fds, read_status
from scopetrace.model.image import Image
from scopetrace.model.named import values
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


class CpuSamples:
    """How much of the CPU time of a process is in samples."""

    __slots__ = ("at_ns", "before_us", "us")

    def __init__(self, before_us: int, at_ns: int) -> None:
        self.before_us = before_us
        """Used before it was a program of the session: that is in no sample."""
        self.us = 0
        self.at_ns = at_ns
        """Time of the last sample."""


class Processes:
    """Looks at the live processes of a session, once a period."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._live: dict[int, Image] = {}
        self._cpu: dict[int, CpuSamples] = {}
        self._waiting: deque[Image] = deque()
        self._children: dict[int, int] = {}
        """How many each process has that has any."""
        self._most_children: dict[int, int] = {}
        """Since the last sample. When a process exits, it has hardly any left."""
        self._round_ns = 0
        """When the period ended whose samples are being taken."""
        self._launched: Launched | None = None

    def process_written(self, image: Image) -> None:
        """Take in a new image of a process, which has its row in the session now."""
        pid = image.pid
        if not self._launched:
            self._launched = Launched(pid, cpu_us(pid) or 0)
        self._forget(pid)
        if PROCESS not in image.rules.measures:
            return
        self._live[pid] = image
        children = self._children[image.ppid] = self._children.get(image.ppid, 0) + 1
        if children > self._most_children.get(image.ppid, 0):
            self._most_children[image.ppid] = children
        if pid not in self._cpu:
            before_us = self._launched.before_us if pid == self._launched.pid else 0
            self._cpu[pid] = CpuSamples(before_us, image.started_ns)

    def on_leaving(self, operation: Leaving) -> None:
        """Sample the gauges of a process that is about to exit."""
        image, time_ns, fds, threads, virtual_kib, resident_kib = values(operation)
        status = Status(virtual_kib, resident_kib, threads)
        if threads and PROCESS in image.rules.measures:
            children = self._most_children.pop(image.pid, 0)
            self._sample_gauges(image, time_ns, status, fds, children)

    def on_exited(self, operation: Exited) -> None:
        """Sample the CPU time of a process since the last sample."""
        image = operation.image
        if PROCESS not in image.rules.measures:
            return
        samples = self._cpu.get(image.pid) or CpuSamples(0, image.started_ns)
        time_ns = operation.time_ns
        self._sample_cpu(image, time_ns, samples, operation.usage[OWN], time_ns)

    def on_image_ended(self, operation: ImageEnded) -> None:
        """Forget an image, and with the last one of a process its samples."""
        pid = operation.image.pid
        if self._live.get(pid) is operation.image:
            self._forget(pid)
        if not operation.replaced:
            self._cpu.pop(pid, None)
            self._most_children.pop(pid, None)

    def tick(self, now_ns: int) -> None:
        """Look at the next few processes; a new round begins when a period has ended."""
        if not self._live:
            return
        if not self._waiting and self._meter.period_ended_ns > self._round_ns:
            self._round_ns = self._meter.period_ended_ns
            self._waiting.extend(self._live.values())
        for _ in range(min(MOST_AT_ONCE, len(self._waiting))):
            image = self._waiting.popleft()
            if self._live.get(image.pid) is image:
                self._look_at(image, now_ns)

    def _forget(self, pid: int) -> None:
        image = self._live.pop(pid, None)
        if image is None:
            return
        children = self._children.pop(image.ppid, 0) - 1
        if children:
            self._children[image.ppid] = children

    def _look_at(self, image: Image, now_ns: int) -> None:
        samples, used_us = self._cpu[image.pid], cpu_us(image.pid)
        if used_us is not None:
            us = used_us - samples.before_us
            self._sample_cpu(image, self._round_ns, samples, us, now_ns)
        status = read_status(image.pid)
        if status is not None:
            children = self._children.get(image.pid, 0)
            self._most_children[image.pid] = children
            self._sample_gauges(image, self._round_ns, status, open_fds(image.pid) or 0, children)

    def _sample_gauges(
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
            self._meter.sample(image, time_ns, name, value)

    def _sample_cpu(
        self, image: Image, time_ns: int, samples: CpuSamples, us: int, until_ns: int
    ) -> None:
        """Sample the CPU time that a process has used since the last sample, of `us` in all."""
        spent_us = max(us - samples.us, 0)
        elapsed_us = (until_ns - samples.at_ns) // 1000
        samples.us, samples.at_ns = samples.us + spent_us, until_ns
        self._meter.sample(image, time_ns, "proc.cpu", spent_us)
        if elapsed_us > 0:
            percent = round(100 * spent_us / elapsed_us, 2)
            self._meter.sample(image, time_ns, "proc.cpu_perc", percent)
