"""Ends the processes that a run of the tests has left behind, also if the run itself was killed.

    python -P leftovers.py VARIABLE FOLDER

waits until its standard input ends, which the run holds open. Then it kills every process in whose
environment the variable names the folder, and removes the folder. A recorder ends with what it
records.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def watch(variable: str, folder: str) -> subprocess.Popen[bytes]:
    """Start the process that does so when its standard input is closed, or when we end."""
    command = [sys.executable, "-P", __file__, variable, folder]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def started_by(entry: bytes) -> Iterator[int]:
    """Yield the other processes that have this entry in their environment."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or it is another user's
            environ = (process / "environ").read_bytes().split(b"\0")
            if entry in environ and int(process.name) != os.getpid():
                yield int(process.name)


def main(variable: str, folder: str) -> None:
    """Wait for the end of the run, then end what is left of it."""
    sys.stdin.read()
    while pids := list(started_by(os.fsencode(f"{variable}={folder}"))):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
