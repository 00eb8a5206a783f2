"""One sentence reaches whoever reads the program's standard error, even after its end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SAYS = """
import os, sys
from scopetrace.recorder.stderr import ProgramStderr
stderr = ProgramStderr()
if sys.argv[1] == "released":
    stderr.release()
os.dup2(os.open(os.devnull, os.O_RDWR), 2)
os.read(0, 1)
stderr.print("something is amiss", os.getpid())
"""
"""Says it about itself; released, it has no standard error any more, like a program that ended."""


@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_a_sentence_reaches_the_reader_of_a_pipe_and_the_end_of_a_file(
    kind: str, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    said.touch()
    reading, writing = (
        os.pipe()
        if kind == "pipe"
        else (os.open(said, os.O_RDONLY), os.open(said, os.O_WRONLY | os.O_APPEND))
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", SAYS, "released"], stdin=subprocess.PIPE, stderr=writing
    ) as program:
        os.close(writing)  # from here on there is the other end of a pipe, and that is ours
        program.communicate(b"!", timeout=30)

    assert os.read(reading, 1000) == b"scopetrace: something is amiss\n"
    os.close(reading)


def test_a_sentence_reaches_a_socket_that_the_program_still_has() -> None:
    ours, its = socket.socketpair()
    with (
        ours,
        subprocess.Popen(
            [sys.executable, "-P", "-c", SAYS, "kept"], stdin=subprocess.PIPE, stderr=its
        ) as program,
    ):
        its.close()
        program.communicate(b"!", timeout=30)

        assert ours.recv(1000) == b"scopetrace: something is amiss\n"
