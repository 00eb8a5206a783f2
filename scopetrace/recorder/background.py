"""The recorder: the background process of one session.

It keeps no terminal, file descriptor or folder of the program open, but for the standard error on
which `run --summary` prints at the end of the program. Whatever fails here, the
program runs on and what is missing is counted. Its signals:

    SIGUSR1                    end the recording; the program goes on, its calls are let through
    SIGTERM, SIGINT, SIGHUP    end the recording and the recorder; the program is killed with it
    SIGXCPU                    like SIGUSR1: this process may not use much more CPU time
    SIGPROF                    check whether a regular expression takes too long (`config.patterns`)
"""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scopetrace import _engine
from scopetrace.capture import READ_TIMEOUT_MS, Capture
from scopetrace.config.patterns import limit_searches, note_time
from scopetrace.config.serialize import unpack_config
from scopetrace.db.cleanup import delete_leftovers
from scopetrace.errors import SessionError
from scopetrace.forward import forwarding_writer
from scopetrace.model.call import call_table
from scopetrace.pipeline import Pipeline
from scopetrace.recorder.ending import Ending
from scopetrace.recorder.handshake import (
    REFUSED,
    UNRECORDED,
    Order,
    receive_order,
    why_refused,
    why_unrecorded,
)
from scopetrace.recorder.recorded_calls import recorded_calls
from scopetrace.recorder.stderr import ProgramStderr
from scopetrace.store.sessions import SessionStore
from scopetrace.store.writer import SessionWriter
from scopetrace.watch import Watch

if TYPE_CHECKING:
    from scopetrace.recorder.live_calls import LiveCalls

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
COMMIT_INTERVAL_S = 0.04
"""Time between two commits. Records also wait in the ring before they are read: together less than
100 ms."""
COMMIT_INTERVAL_NS = int(COMMIT_INTERVAL_S * SECOND_NS)
PROGRAM_GOES_ON = (signal.SIGUSR1, signal.SIGXCPU)
END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, *PROGRAM_GOES_ON)
TRANSIENT_ERRORS = (errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE)
"""Errors that can pass: the program runs unrecorded. Any other one means that this machine does not
allow tracing."""
_ABOVE_ALL_FDS = 1 << 30
GATE_AT = {"off": 0, "auto": 12, "eager": 1, "verify": 1}
"""At which of its calls a program is enabled to make further ones without stops; 0: never. That
costs as much as some ten stops."""
CPU_USED_UP = "recording ended: the limit on CPU time (ulimit -t) leaves the recorder too little"


class Origin(NamedTuple):
    """What is kept of the place where `scopetrace run` was started, after `detach`."""

    cwd: str
    stderr: ProgramStderr


def prepare(order_fd: int, answer: int) -> Origin:
    """Detach this process from the terminal and the program; keep the two pipes of the handshake.

    Raises:
        OSError: an inherited file descriptor or folder cannot be given up.
    """
    origin = Origin(str(Path("/proc/self/cwd").readlink()), ProgramStderr())
    kept = () if origin.stderr.kept is None else (origin.stderr.kept,)
    detach(keep=(order_fd, answer, *kept))
    return origin


def record(order_fd: int, answer: int, origin: Origin) -> None:
    """Wait for the order, and record until the last process of the program has ended.

    Args:
        order_fd: pipe to read the order from.
        answer: pipe to write GO, REFUSED or UNRECORDED to.
        origin: what `prepare` returned.
    """
    order = receive_order(order_fd)
    if order is None:
        return
    try:
        recorder = _started(order, answer, origin)
    except Exception as error:
        with suppress(OSError):
            os.write(answer, UNRECORDED + why_unrecorded(error).encode(errors="backslashreplace"))
        return
    recorder.run(answer)


def _started(order: Order, answer: int, origin: Origin) -> Recorder:
    """Make a session and start its recorder; if that fails, delete the session."""
    args = [os.fsdecode(arg) for arg in order.args]
    writer = SessionStore().create(
        args[0], args, pid=order.pid, cwd=origin.cwd, config=order.config_text
    )
    try:
        recorder = Recorder(order, writer, origin.stderr)
        recorder.start(answer)
    except Exception:
        with suppress(Exception):
            writer.discard()
        raise
    return recorder


def detach(keep: tuple[int, ...]) -> None:
    """Close all inherited fds but `keep`, leave the folder, and become undumpable (prctl(2))."""
    _engine.retitle("scopetrace: recorder")
    _engine.refuse_inspection()
    if home := os.environ.get("SCOPETRACE_HOME"):
        os.environ["SCOPETRACE_HOME"] = str(Path(home).absolute())
    os.chdir("/")
    os.umask(0o077)
    at = 0
    for fd in (*sorted(keep), _ABOVE_ALL_FDS):  # fds can be above a limit that was lowered
        os.closerange(at, fd)
        at = fd + 1
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        if fd not in keep and fd != nowhere:
            os.dup2(nowhere, fd, inheritable=False)


def _keep_answers(db: sqlite3.Connection) -> None:
    from scopetrace.query.keep_answers import keep_answers

    keep_answers(db)


def _write_report(path: str, report: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.write(report)


def _live_calls(stderr: ProgramStderr) -> LiveCalls:
    """Return what prints system calls: few recordings need what it imports."""
    from scopetrace.recorder.live_calls import LiveCalls

    return LiveCalls(stderr)


class Recorder:
    """One recording, from the first exec to the last exit."""

    def __init__(self, order: Order, writer: SessionWriter, stderr: ProgramStderr) -> None:
        self._order = order
        self._stderr = stderr
        self._writer = writer
        config = unpack_config(order.config)
        self._ending = Ending(config.scopetrace, stderr, order.pid)
        watch = Watch(config)
        self._capture = Capture(
            order.modes,
            snaplen=config.scopetrace.snaplen,
            flow_snaplen=config.scopetrace.flowsnaplen,
            args_limit=config.scopetrace.argslimit,
            env_limit=config.scopetrace.envlimit,
            ring_bytes=config.scopetrace.ringsize,
            environment=watch.needs_environment,
            counts=watch.could_measure("fs"),
            leaves=watch.could_measure("process"),
            whole=recorded_calls(config),
            gate_at=GATE_AT[config.scopetrace.gate],
            gate_verify=config.scopetrace.gate == "verify",
        )
        host = os.uname().nodename
        self._forwarding = forwarding_writer(config, host, writer)
        offset_ns = time.time_ns() - time.monotonic_ns()
        self._live_calls = _live_calls(stderr) if config.scopetrace.syscallsprint else None
        self._pipeline = Pipeline(
            call_table(_engine.calls()),
            watch,
            host,
            offset_ns,
            self._forwarding or writer,
            self._capture.engine.mute,
            self._live_calls.take if self._live_calls else None,
        )
        self._end_signal = 0
        self._committed_ns = 0
        self._has_started = False
        self._uncommitted = False
        self._period_ns = config.libscope.summaryperiod * SECOND_NS if config.metric.enable else 0
        self._flushed_ns = time.monotonic_ns()
        self._problem = ""
        """The first error of the session file; only that one is printed."""

    def start(self, answer: int) -> None:
        """Start tracing; the engine then writes GO to `answer`, on which the program starts.

        Raises:
            OSError, RuntimeError: there are not enough descriptors or threads.
        """
        for number in END_SIGNALS:
            signal.signal(number, self._on_signal)
        limit_searches()
        self._capture.start(self._order.pid, self._order.tid, os.dup(answer))

    def run(self, answer: int) -> None:
        """Record until the last process has ended and the session is closed."""
        try:
            self._record()
            if self._capture.refusal is not None and self._pipeline.main is None:
                self._refuse(answer, self._capture.refusal)
                return
            os.close(answer)
            self._finish()
        except Exception:
            from traceback import format_exc

            self._give_up(format_exc())
        self._capture.join()

    def _on_signal(self, number: int, _frame: object) -> None:
        if number == signal.SIGXCPU and self._end_signal:
            return  # the kernel sends it again each second (setrlimit(2))
        self._end_signal = number
        self._capture.end(tracing=number not in PROGRAM_GOES_ON)

    def _record(self) -> None:
        """Read batches of records until the engine has ended."""
        while not self._capture.ended:
            self._take(self._capture.read(self._patience_ms()))

    def _patience_ms(self) -> int:
        """Return how many ms to wait for records: until a commit, or a text that waits, is due."""
        now_ns = time.monotonic_ns()
        wait_ns = READ_TIMEOUT_MS * MILLISECOND_NS
        if self._uncommitted:
            wait_ns = min(wait_ns, self._committed_ns + COMMIT_INTERVAL_NS - now_ns)
        due_ns = self._pipeline.due_ns
        if due_ns is not None:
            wait_ns = min(wait_ns, due_ns - now_ns)
        return max(0, -(-wait_ns // MILLISECOND_NS))

    def _take(self, batch: bytes) -> None:
        note_time()
        now_ns = time.monotonic_ns()
        record_ns = now_ns
        if self._period_ns and now_ns - self._flushed_ns >= self._period_ns:
            self._flushed_ns = now_ns
            self._capture.engine.flush_tallies()  # of files and flows that stay open
        with self._going_on():
            if batch:
                self._pipeline.feed(batch)
                if self._live_calls is not None:
                    self._live_calls.flush()
                self._uncommitted = True
                self._note_start()
                if self._capture.engine.has_more:  # what comes next may have been made long ago
                    record_ns = self._pipeline.record_ns
            text_is_late = record_ns >= (self._pipeline.due_ns or record_ns + 1)
            self._pipeline.tick(record_ns)
            is_due = now_ns - self._committed_ns > COMMIT_INTERVAL_NS or text_is_late
            if is_due or self._pipeline.sync_requested:
                self._commit(now_ns)
        if self._pipeline.sync_requested:
            self._pipeline.sync_requested = False
            self._print_ending()
            self._capture.engine.acknowledge()

    def _note_start(self) -> None:
        """The session starts with the program, not with what scopetrace prepares before it."""
        main = self._pipeline.main
        if main is not None and not self._has_started:
            self._has_started = True
            self._writer.update(started_ns=main.started_ns)

    def _commit(self, now_ns: int) -> None:
        self._committed_ns = now_ns
        self._uncommitted = False
        if self._pipeline.sync_requested:
            self._writer.update(**self._outcome())
            self._writer.count_ways(self._pipeline.ways)
        (self._forwarding or self._writer).commit()
        self._print_setback()

    def _print_setback(self) -> None:
        setback, self._writer.setback = self._writer.setback, ""
        if setback:
            self._print_once(setback)

    def _outcome(self) -> dict[str, Any]:
        end = self._pipeline.main_end
        return {"exit_code": end.exit_code, "signal": end.signal} if end else {}

    def _print_ending(self) -> None:
        """Print the summary or a line, while the parent does not know yet that the program ended.

        A fault in it must not keep the engine waiting.
        """
        end = self._pipeline.main_end
        try:
            if end is not None:
                self._ending.print(self._writer, end, self._pipeline.programs)
        except Exception as error:
            self._stderr.print(f"there is no summary ({error})", self._order.pid)

    def _finish(self) -> None:
        self._stderr.release()
        if self._pipeline.main is None:
            self._writer.discard()  # the command could not be executed: there was no program
            return
        self._writer.release_reserve()
        with self._going_on():
            self._report_losses()
            self._report_early_end()
            self._pipeline.finish(time.monotonic_ns())
        ended_ns = time.time_ns()
        with self._going_on():
            self._end_forwarding(ended_ns)
        counts = self._pipeline.counts
        lost = counts.lost if counts else 0
        if not self._end_signal:
            ended_ns = self._pipeline.last_end_ns or ended_ns
        self._writer.count_ways(self._pipeline.ways)
        facts = {"ended_ns": ended_ns, "lost": lost, **self._outcome()}
        status = "stopped" if self._end_signal else "finished"
        with self._going_on():
            self._writer.finish(status, keep_answers=_keep_answers, **facts)
        self._print_setback()
        delete_leftovers(self._writer.path.parent)

    def _report_losses(self) -> None:
        """Report by a notice how many rows could not be written to the session."""
        lost, image = self._writer.lost, self._pipeline.main
        if lost and image is not None:
            what = f"{lost:,} of the events, values of metrics and pieces of payloads"
            message = f"{what} could not be written to this session: {self._problem}"
            self._pipeline.notice(image, time.time_ns(), image.pid, message, "unwritten", lost)

    def _report_early_end(self) -> None:
        """Report, by a notice too, that the limit on CPU time ended the recording."""
        image = self._pipeline.main
        if self._end_signal == signal.SIGXCPU and image is not None:
            self._stderr.print(f"{CPU_USED_UP}; the program runs on", self._order.pid)
            self._pipeline.notice(image, time.time_ns(), image.pid, CPU_USED_UP, "cpulimit", 1)

    def _end_forwarding(self, ended_ns: int) -> None:
        """Wait a little for lines that are not sent yet; report those that could not be."""
        image = self._pipeline.main
        if self._forwarding is None or image is None:
            return
        with self._going_on():
            self._forwarding.commit()
        for count, message in self._forwarding.close():
            self._pipeline.notice(image, ended_ns, image.pid, message, "unsent", count)
        self._pipeline.flush()

    def _give_up(self, report: str) -> None:
        """End the recording after a bug in scopetrace, and write a fault report beside the session.

        The program runs on.
        """
        self._capture.engine.abandon()
        self._stderr.release()
        with suppress(OSError):
            _write_report(f"{self._writer.path}.fault.txt", report)
        with suppress(Exception):
            self._writer.finish("incomplete", **self._outcome())
        fault = report.strip().rpartition("\n")[2]
        self._stderr.print(
            f"recording ended by a fault of scopetrace ({fault}); the program runs on. Please"
            f" report {self._writer.path}.fault.txt",
            self._order.pid,
        )
        if self._forwarding is not None:
            self._forwarding.close()

    def _refuse(self, answer: int, error: OSError) -> None:
        self._writer.discard()
        reason = why_refused(error.errno or errno.EPERM, self._order.pid)
        answered = UNRECORDED if error.errno in TRANSIENT_ERRORS else REFUSED
        os.write(answer, answered + reason.encode())

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        """Go on after what an error of the session file ends."""
        try:
            yield
        except SessionError as error:
            self._print_once(str(error))

    def _print_once(self, problem: str) -> None:
        """Print what is wrong with the session file on the program's standard error, once."""
        if self._problem:
            return
        self._problem = problem
        self._stderr.print(
            f"{problem}; the program runs on, what is missing is counted", self._order.pid
        )
