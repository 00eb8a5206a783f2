"""Drives the engine through its Python face alone: what comes back is raw records."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scopetrace import _engine
from scopetrace.model.call import call_table
from scopetrace.model.raw import RawKind, RawRecord, unpack_batch
from support.interpreter import path_to_us

MODE_FAILURES, MODE_ALL = 1, 2
CALLS = call_table(_engine.calls())
EVERYTHING = dict.fromkeys((call.group for call in CALLS), MODE_ALL)
"""Modes that have every call of every group recorded."""

LAUNCHER = """
import os, sys
from scopetrace import _engine
gate, ready, program, *argv = sys.argv[1:]
os.close(int(ready))
os.read(int(gate), 1)
os.close(int(gate))
argv = [os.fsencode(argument) for argument in argv]
environ = [os.fsencode(f"{name}={value}") for name, value in os.environ.items()]
_engine.become(argv[0], argv, environ, bytes.fromhex(program))
"""


def engine_run(
    argv: Sequence[str | Path],
    folder: Path,
    *,
    modes: Mapping[str, int] = EVERYTHING,
    stdin: bytes = b"",
    before_reading: Callable[[_engine.Engine], object] = bool,
    **options: int,
) -> tuple[list[RawRecord], bytes]:
    """Run a program in a folder and return its raw records and its standard output.

    Options are those of `_engine.Engine`. stdin must fit into a pipe. What is done
    before reading lets the ring fill up.
    """
    engine = _engine.Engine(dict(modes), **options)
    gate, go = os.pipe()
    seen, ready = os.pipe()
    launcher = [
        sys.executable,
        "-P",
        "-c",
        LAUNCHER,
        str(gate),
        str(ready),
        _engine.build_filter(dict(modes), gate="gate_at" in options).hex(),
    ]
    output = folder.parent / f"{folder.name}.out"
    with output.open("wb") as stdout:
        program = subprocess.Popen(
            [*launcher, *map(str, argv)],
            cwd=folder,
            env=os.environ | path_to_us(),
            pass_fds=[gate, ready],
            stdin=subprocess.PIPE,
            stdout=stdout,
        )
    os.close(gate)
    os.close(ready)
    os.read(seen, 1)  # ends once the launcher runs: seized in its own exec, that would be the first
    os.close(seen)
    assert program.stdin
    program.stdin.write(stdin)
    program.stdin.close()
    errors: list[OSError] = []
    tracer = threading.Thread(target=trace, args=(engine, program.pid, go, errors))
    tracer.start()
    before_reading(engine)
    records = read_to_end(engine)
    tracer.join()
    assert errors == []
    program.wait()  # the tracer has reaped it, unless it was asked to end
    return records, output.read_bytes()


def trace(engine: _engine.Engine, pid: int, go: int, errors: list[OSError]) -> None:
    """Trace in this thread; leave an error for the other."""
    try:
        engine.run(pid, go)
    except OSError as error:
        errors.append(error)
        engine.stop_tracing()


def read_to_end(engine: _engine.Engine) -> list[RawRecord]:
    """Read all records, letting the program go on wherever it waits for us."""
    records: list[RawRecord] = []
    while not records or records[-1].kind != RawKind.END:
        for record in unpack_batch(engine.read()):
            records.append(record)
            if record.kind == RawKind.SYNC:
                engine.acknowledge()
    return records


def calls(records: Sequence[RawRecord], *names: str) -> list[RawRecord]:
    """Return the records of these calls."""
    return [r for r in records if r.kind == RawKind.SYSCALL and CALLS[r.syscall].name in names]


def of_kind(records: Sequence[RawRecord], kind: RawKind) -> list[RawRecord]:
    """Return the records of one kind."""
    return [record for record in records if record.kind == kind]
