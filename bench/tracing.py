"""Trace a program as the recorder does, and yield its raw records, or throw them away.

    python bench/tracing.py nginx -c FILE

runs a program with the gate and decodes nothing: what it then takes longer is the engine's.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence

from scopetrace import _engine
from scopetrace.config.load import load_config
from scopetrace.recorder.background import GATE_AT
from scopetrace.sources.needs import needed_calls
from scopetrace.watch import Watch


def raw_batches(argv: Sequence[str], gate: str = "off") -> Iterator[bytes]:
    """Run a program with the stock configuration, but for its `gate`; yield records in batches."""
    modes = needed_calls(Watch(load_config(None, {})))
    path = shutil.which(argv[0])
    if path is None:
        sys.exit(f"bench: no program {argv[0]!r}")
    program = _engine.build_filter(modes, gate=gate != "off")
    waiting, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        os.read(waiting, 1)
        environ = [os.fsencode(f"{name}={value}") for name, value in os.environ.items()]
        _engine.become(os.fsencode(path), [*map(os.fsencode, argv)], environ, program)
    os.close(waiting)
    engine = _engine.Engine(modes, gate_at=GATE_AT[gate])
    tracer = threading.Thread(target=engine.run, args=(pid, go))
    tracer.start()
    while not engine.ended:
        if batch := engine.read():
            engine.acknowledge()  # the last record of a batch may be one that the tracer waits for
            yield batch
    tracer.join()


if __name__ == "__main__":
    for _ in raw_batches(sys.argv[1:], "auto"):
        pass
