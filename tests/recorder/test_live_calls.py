"""Calls that are printed while they are recorded."""

from __future__ import annotations

import os

import pytest

from scopetrace.model.image import Image
from scopetrace.recorder.live_calls import LiveCalls
from support.packed_builder import call, end, text


class Stderr:
    """A copy of standard error that is the end of a pipe."""

    def __init__(self) -> None:
        self.reader, self.kept = os.pipe()

    def release(self) -> None:
        os.close(self.kept)
        self.kept = None

    def read(self) -> str:
        os.set_blocking(self.reader, False)
        return os.read(self.reader, 65536).decode()


@pytest.fixture
def stderr():
    pipe = Stderr()
    yield pipe
    for fd in (pipe.reader, pipe.kept):
        if fd is not None:
            os.close(fd)


@pytest.fixture
def image():
    made = Image(1, 70, 1, 0)
    made.proc, made.cwd = "prog", "/work"
    return made


def test_lines_are_printed_with_what_descriptors_are(stderr, image):
    live = LiveCalls(stderr)
    live.take(image, call("openat", -100, 0x2000, 0, 0, result=3, memory=[text(1, "a")]))
    live.take(image, call("close", 3))
    live.take(image, call("getpid", result=70, tid=71))
    live.take(image, end(0))
    live.flush()

    opened, closed, other, ended = stderr.read().splitlines()
    assert opened.endswith(" = 3</work/a>")
    assert closed == "close(3</work/a>) = 0"
    assert other == "[pid    71] getpid() = 70"
    assert ended == "[pid    70] +++ exited with 0 +++"


def test_nothing_is_printed_once_the_copy_is_released(stderr, image):
    live = LiveCalls(stderr)
    live.take(image, call("close", 3))
    stderr.release()

    live.flush()


def test_a_reader_that_is_gone_ends_it(stderr, image):
    live = LiveCalls(stderr)
    os.close(stderr.reader)
    stderr.reader = None
    live.take(image, call("close", 3))

    live.flush()

    assert stderr.kept is None
