"""The engine in its own thread, and its records in batches.

ptrace ties a tracee to the thread that seized it: that thread does nothing else, and holds no GIL.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from threading import Thread

from scopetrace._engine import Engine

_ENOUGH_BYTES = 128 * 1024
PATIENCE_MS = 50
"""How long records wait for more, if nothing else is to be done."""
_RING_BYTES = 1 << 22
_EXEC_REST_BYTES = 1 << 20
"""Of the record of an exec: what is neither an argument nor a variable (ext/ptrace/engine.h)."""


class End(Enum):
    """What was asked to end."""

    NONE = auto()
    RECORDING = auto()
    TRACING = auto()


class Capture:
    """One traced command.

    Args:
        modes: what the engine does with each group of calls (`sources.needs.needed_calls`).
        snaplen: most bytes copied of one write.
        flow_snaplen: most bytes copied of what goes through a socket at once.
        args_limit: most bytes copied of a command line.
        env_limit: most bytes copied of an environment.
        environment: copy the environment at exec.
        counts: tell how often calls were made that make no records.
        leaves: tell how each process stands before it ends.
    """

    def __init__(
        self,
        modes: Mapping[str, int],
        *,
        snaplen: int,
        flow_snaplen: int,
        args_limit: int,
        env_limit: int,
        environment: bool,
        counts: bool,
        leaves: bool,
    ) -> None:
        exec_record = args_limit + env_limit + _EXEC_REST_BYTES
        enough = max(_RING_BYTES, 4 * max(snaplen, flow_snaplen), exec_record)
        self.engine = Engine(
            modes,
            snaplen=snaplen,
            flow_snaplen=flow_snaplen,
            args_limit=args_limit,
            env_limit=env_limit,
            environment=environment,
            counts=counts,
            leaves=leaves,
            ring_size=1 << (enough - 1).bit_length(),
        )
        self.refusal: OSError | None = None
        """Why the process could not be traced, if so."""
        self._thread: Thread | None = None
        self._end = End.NONE

    def start(self, pid: int, tid: int, go_fd: int) -> None:
        """Trace `pid`, of which thread `tid` execs when there is a byte on `go_fd`.

        Raises:
            RuntimeError: there can be no more threads.
        """
        self._thread = Thread(target=self._run, args=(pid, tid, go_fd), name="engine", daemon=True)
        self._thread.start()

    def read(self, patience_ms: int = PATIENCE_MS) -> bytes:
        """Return the next records; empty if there were none for a moment."""
        self._insist()
        return self.engine.read(_ENOUGH_BYTES, patience_ms)

    @property
    def ended(self) -> bool:
        """Whether all records that will ever come were read."""
        return self.engine.ended

    def end(self, *, tracing: bool) -> None:
        """Have the last records written; the program goes on, or with the `tracing` ends too."""
        self._end = End.TRACING if tracing else End.RECORDING
        self._insist()

    def join(self) -> None:
        """Wait until the last traced process is gone; signals are heard meanwhile."""
        while self._thread is not None and self._thread.is_alive():
            self._insist()
            self._thread.join(0.5)

    def _insist(self) -> None:
        """Ask once more: the engine does not hear what comes just before it begins to wait."""
        if self._end is End.TRACING:
            self.engine.stop_tracing()
        elif self._end is End.RECORDING and not self.ended:
            self.engine.stop_recording()

    def _run(self, pid: int, tid: int, go_fd: int) -> None:
        try:
            self.engine.run(pid, go_fd, tid)
        except OSError as error:
            self.refusal = error
        finally:
            self.engine.abandon()  # nothing more will come, whatever happened
