from __future__ import annotations

import os
import subprocess
import time

import pytest

from scopetrace.metrics.proc import Status, cpu_us, open_fds, parse_status, read_status

STATUS = b"Name:\tVmSize: 5\nState:\tS\nVmSize:\t   8 kB\nVmRSS:\t   4 kB\nThreads:\t3\n"


def test_the_status_of_a_process_is_read():
    status = read_status(os.getpid())

    assert status.virtual_kib > status.resident_kib > 0
    assert status.threads >= 1


def test_a_status_is_parsed_line_by_line():
    assert parse_status(STATUS) == Status(8, 4, 3)


@pytest.mark.parametrize("text", [b"", STATUS[:60], STATUS.replace(b"VmRSS", b"VmNot")])
def test_a_status_that_lacks_something_is_none(text):
    assert parse_status(text) is None


def test_cpu_time_is_that_of_all_threads():
    before = cpu_us(os.getpid())
    sum(range(300_000))
    used = cpu_us(os.getpid()) - before

    assert 0 < used <= time.process_time_ns() // 1000


def test_open_fds_are_counted():
    before = open_fds(os.getpid())
    extra = [os.dup(0) for _ in range(3)]
    assert open_fds(os.getpid()) == before + 3
    for fd in extra:
        os.close(fd)


def test_a_process_that_has_exited_is_none():
    child = subprocess.Popen(["true"])
    child.wait()

    assert (cpu_us(child.pid), read_status(child.pid), open_fds(child.pid)) == (None, None, None)
