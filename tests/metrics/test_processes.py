"""With real processes: what the kernel says of them is the measure of it all."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scopetrace.metrics.meter import Meter
from scopetrace.metrics.proc import cpu_us
from scopetrace.metrics.processes import MOST_AT_ONCE, Processes
from scopetrace.model.operation import Exited, ImageEnded, Leaving

PERIOD = 1000
BURN = """
import sys, time
for line in sys.stdin:
    end = time.process_time() + float(line)
    while time.process_time() < end:
        pass
    print("done", flush=True)
"""


class Burner:
    """A process that uses CPU time on demand."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self.process.pid

    def burn(self, seconds: float) -> None:
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def end(self) -> int:
        """Return the CPU time that it has used by itself, in µs, as its exit is recorded with."""
        self.process.stdin.close()
        self.process.stdout.close()
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        used_us = cpu_us(self.pid)
        self.process.wait()
        return used_us


@pytest.fixture
def burner():
    burner = Burner()
    yield burner
    if burner.process.poll() is None:
        burner.process.kill()
        burner.end()


@pytest.fixture
def meter():
    meter = Meter(PERIOD, lambda image: None)
    meter.end_period(1)
    return meter


def turn(meter, processes, now_ns):
    meter.end_period(now_ns)
    processes.tick(now_ns)
    return {sample.name: sample for sample in meter.take()}


def exit_of(image, own_us, time_ns=9000):
    usage = (1 << 40, 1 << 40, 0, 0, 0, own_us)
    return Exited(image, image.pid, time_ns, 0, None, False, 1, usage)


def test_a_live_process_is_looked_at_once_a_period(meter, image, burner):
    processes, one = Processes(meter), image(pid=burner.pid)
    child = image(pid=1 << 27, serial=2)
    child.ppid = burner.pid
    processes.process_written(one)
    processes.process_written(child)
    burner.burn(0.05)
    assert turn(meter, processes, 500) == {}

    found = turn(meter, processes, 1001)
    assert found.keys() == {
        "proc.cpu",
        "proc.cpu_perc",
        "proc.mem",
        "proc.mem_rss",
        "proc.thread",
        "proc.fd",
        "proc.child",
    }
    assert {s.process for s in found.values()} == {1}
    assert {s.time_ns for s in found.values()} == {1001}
    assert found["proc.fd"].value == 3
    assert (found["proc.thread"].value, found["proc.child"].value) == (1, 1)
    assert found["proc.mem"].value > found["proc.mem_rss"].value > 1000
    assert turn(meter, processes, 1500) == {}
    assert "proc.mem" in turn(meter, processes, 2002)


def test_the_first_program_does_not_pay_for_what_was_before_it(meter, image, burner):
    burner.burn(0.1)
    before_us = cpu_us(burner.pid)
    processes = Processes(meter)
    processes.process_written(image(pid=burner.pid))
    burner.burn(0.05)

    sampled = turn(meter, processes, 1001)["proc.cpu"].value
    assert 50_000 <= sampled <= cpu_us(burner.pid) - before_us


def test_cpu_time_adds_up_to_what_the_exit_says(meter, image, burner):
    processes, one, sampled = Processes(meter), image(pid=burner.pid), 0
    processes.process_written(image(pid=1 << 27, serial=9))  # the first program is another
    processes.process_written(one)
    for now_ns in (1001, 2002, 3003):
        burner.burn(0.02)
        sampled += turn(meter, processes, now_ns)["proc.cpu"].value
    next_image = image(pid=burner.pid, serial=2)
    processes.on_image_ended(ImageEnded(one, 3500, None, None, True))
    processes.process_written(next_image)
    burner.burn(0.02)
    used_us = burner.end()
    processes.on_exited(exit_of(next_image, used_us))
    meter.finish(9000)

    last, percent = meter.take()
    assert (last.process, last.name, percent.name) == (2, "proc.cpu", "proc.cpu_perc")
    assert sampled >= 60_000
    assert sampled + last.value == used_us


def test_a_process_that_was_never_sampled_has_all_samples_at_its_end(meter, image):
    processes, one = Processes(meter), image(pid=1 << 27)
    processes.process_written(one)
    processes.on_leaving(Leaving(one, 1_999_000, 7, 2, 90, 80))
    processes.on_exited(exit_of(one, 730, 3_000_000))
    processes.on_image_ended(ImageEnded(one, 3_000_000, 0, None, False))
    meter.finish(9000)

    samples = meter.take()
    assert [(s.name, s.value) for s in samples] == [
        ("proc.mem", 90),
        ("proc.mem_rss", 80),
        ("proc.thread", 2),
        ("proc.fd", 7),
        ("proc.cpu", 730),
        ("proc.cpu_perc", 24.33),
    ]
    assert {s.time_ns for s in samples} == {1_999_000, 3_000_000}
    assert not processes._live and not processes._cpu and not processes._children


def test_children_of_a_short_life_are_sampled_at_their_maximum(meter, image):
    processes, one = Processes(meter), image(pid=1 << 27)
    processes.process_written(one)
    for serial in (2, 3, 4):
        child = image(pid=(1 << 27) + serial, serial=serial)
        child.ppid = one.pid
        processes.process_written(child)
        if serial > 2:
            processes.on_image_ended(ImageEnded(child, 1000, 0, None, False))
    processes.on_leaving(Leaving(one, 2000, 3, 1, 90, 80))

    assert {s.name: s.value for s in meter.take()}["proc.child"] == 2


def test_a_process_that_is_gone_is_passed_over(meter, image, burner):
    processes = Processes(meter)
    processes.process_written(image(pid=burner.pid))
    burner.end()

    assert turn(meter, processes, 1001) == {}


def test_many_processes_are_looked_at_a_few_at_a_time(meter, image):
    processes = Processes(meter)
    for serial in range(1, MOST_AT_ONCE + 11):
        one = image(pid=os.getpid() if serial == MOST_AT_ONCE + 10 else (1 << 27) + serial)
        processes.process_written(one)

    assert "proc.mem" not in turn(meter, processes, 1001)
    found = turn(meter, processes, 1500)
    assert found["proc.mem"].time_ns == 1001


def test_what_the_rules_do_not_measure_is_not_looked_at(meter, image):
    one = image(pid=os.getpid())
    one.rules.measures = frozenset({"fs"})
    processes = Processes(meter)
    processes.process_written(one)
    processes.on_leaving(Leaving(one, 1, 7, 2, 9, 8))
    processes.on_exited(exit_of(one, 1))
    meter.finish(1)

    assert turn(meter, processes, 1001) == {}
