from __future__ import annotations

import os

from scopetrace.metrics import Metrics
from scopetrace.model.operation import Exited, ImageEnded

SECOND = 1_000_000_000


def test_a_tick_ends_the_period_and_then_looks_at_processes(image):
    metrics, one = Metrics(2, lambda image: None), image(pid=os.getpid())
    metrics.process_written(one)
    metrics.meter.measure(one, SECOND, "fs.open", 1, op="open", file="/a", fd=3)
    metrics.tick(2 * SECOND)
    assert metrics.take() == []

    metrics.tick(3 * SECOND + 5)
    found = metrics.take()
    assert {sample.time_ns for sample in found} == {3 * SECOND}
    assert {"fs.open", "proc.mem"} <= {sample.name for sample in found}


def test_the_end_of_a_process_samples_its_cpu_time_and_what_waits(image):
    metrics, one = Metrics(2, lambda image: None), image(pid=1 << 27)
    metrics.process_written(one)
    metrics.meter.measure_own(one, SECOND, "jobs", "counter", 2, {})
    exited = Exited(one, one.pid, 5, 0, None, False, 1, (10, 20, 0, 0, 0, 25))
    ended = ImageEnded(one, 5, 0, None, False)
    for operation in (exited, ended):
        metrics.handlers()[type(operation)](operation)

    assert [(s.name, s.value) for s in metrics.take()] == [("proc.cpu", 25), ("jobs", 2)]
