"""The engine in its own thread, and its records in batches.

All ptrace requests must come from the thread that seized the tracee: it does nothing else, without
the GIL.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from threading import Thread

from scopetrace._engine import Engine

_ENOUGH_BYTES = 128 * 1024
READ_TIMEOUT_MS = 50
"""How long to wait for more records before fewer than `_ENOUGH_BYTES` are returned."""
_EXEC_REST_BYTES = 1 << 20
"""Most bytes of an EXEC record beside its arguments and environment (ext/ptrace/engine.h)."""


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
        ring_bytes: the room for records that wait to be read; more, if the limits need more.
        environment: copy the environment at exec.
        counts: write how often calls were made that make no record.
        leaves: write the state of each process before it ends.
        whole: which calls are recorded whole (`syscalls.call_set.WholeCalls`); None: none.
        gate_verify: whether some records of such calls are compared with those of traced ones.
        gate_at: at which of its calls a program is enabled to make further ones without stops; 0:
            never.
    """

    def __init__(
        self,
        modes: Mapping[str, int],
        *,
        snaplen: int,
        flow_snaplen: int,
        args_limit: int,
        env_limit: int,
        ring_bytes: int,
        environment: bool,
        counts: bool,
        leaves: bool,
        gate_at: int,
        gate_verify: bool,
        whole: tuple[bytes, bool, bytes, int] | None = None,
    ) -> None:
        exec_record = args_limit + env_limit + _EXEC_REST_BYTES
        enough = max(ring_bytes, 4 * max(snaplen, flow_snaplen), exec_record)
        self.engine = Engine(
            modes,
            snaplen=snaplen,
            flow_snaplen=flow_snaplen,
            args_limit=args_limit,
            env_limit=env_limit,
            environment=environment,
            counts=counts,
            leaves=leaves,
            whole=whole,
            gate_at=gate_at,
            gate_verify=gate_verify,
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

    def read(self, timeout_ms: int = READ_TIMEOUT_MS) -> bytes:
        """Return the next records; empty if none came within `timeout_ms`."""
        self._repeat_request()
        return self.engine.read(_ENOUGH_BYTES, timeout_ms)

    @property
    def ended(self) -> bool:
        """Whether all records that will ever come were read."""
        return self.engine.ended

    def end(self, *, tracing: bool) -> None:
        """Have the last records written; with `tracing` the program ends with this process."""
        self._end = End.TRACING if tracing else End.RECORDING
        self._repeat_request()

    def join(self) -> None:
        """Wait until the last traced process has ended, and handle signals meanwhile."""
        while self._thread is not None and self._thread.is_alive():
            self._repeat_request()
            self._thread.join(0.5)

    def _repeat_request(self) -> None:
        """Repeat the request: one that comes just before the engine begins to wait may be lost."""
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
            self.engine.abandon()  # however it ended, no more records will come
