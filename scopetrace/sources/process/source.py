"""Process: programs started, processes made and ended, signals delivered, what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from scopetrace.model.form import Data, form
from scopetrace.model.image import Image
from scopetrace.model.named import values
from scopetrace.model.names import error_name, signal_name
from scopetrace.model.operation import Executed, Exited, Forked, KillSent, ProcessFailed, Signalled
from scopetrace.model.signal_codes import code_name
from scopetrace.source import Handlers, Needs, Source

PROCESS = "process"
MOST_ARGS = 65_536
"""Characters of a command line in a metric; the event has all of it."""


class ProcessSource(Source):
    """Makes proc.* events. Their calls are watched always, but for those that may only fail."""

    sourcetype = PROCESS
    measures = PROCESS
    needs: ClassVar[Needs] = {
        "proc.start": {},
        "proc.fork": {},
        "proc.exit": {},
        "proc.signal": {},
        "proc.error": {},
        "proc.kill": {},
    }
    failures: ClassVar[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
        "proc.error": {"rare": ("permit", "make", "room"), "all": ("heap",)}
    }

    def handlers(self) -> Handlers:
        """Return what this source does with operations."""
        return {
            Executed: self._executed,
            Forked: self._forked,
            Exited: self._exited,
            Signalled: self._signalled,
            ProcessFailed: self._failed,
            KillSent: self._killed,
        }

    def _emit(self, name: str, image: Image, time_ns: int, tid: int, data: Data) -> None:
        rules = image.rules
        if rules.wants(PROCESS, name):
            self.outlet.emit(image, time_ns, tid, PROCESS, name, 0, data)

    def _executed(self, operation: Executed) -> None:
        image, tid, time_ns, op = values(operation)
        if PROCESS in image.rules.measures:
            args = image.cmd[:MOST_ARGS]
            tags = (image.uid, image.username, image.gid, image.groupname, args)
            self.outlet.measure_with(image, time_ns, "proc.start", 1, 1, tags)
        with_env = image.rules.environment
        data = (
            STARTED,
            op,
            image.exe,
            image.args,
            image.args_missing or None,
            image.cwd,
            image.ppid,
            image.uid,
            image.gid,
            image.env if with_env else None,
            image.env_missing or None if with_env else None,
        )
        self._emit("proc.start", image, time_ns, tid, data)

    def _forked(self, operation: Forked) -> None:
        image, tid, time_ns, op, child_pid = values(operation)
        self._emit("proc.fork", image, time_ns, tid, (FORKED, op, child_pid))

    def _exited(self, operation: Exited) -> None:
        image, tid, time_ns, exit_code, signal, core_dumped, duration_ns, usage, group = values(
            operation
        )
        data = (
            EXITED,
            exit_code,
            None if signal is None else signal_name(signal),
            None if signal is None else core_dumped,
            None if signal is None else group or None,
            duration_ns // 1000,
            *usage,
        )
        self._emit("proc.exit", image, time_ns, tid, data)

    def _signalled(self, operation: Signalled) -> None:
        image, tid, time_ns, signal, code, sender_pid, sender_uid, count, address = values(
            operation
        )
        data = (
            SIGNALLED,
            signal_name(signal),
            sender_pid or None,
            sender_uid if sender_pid else None,
            code_name(signal, code),
            None if address is None else hex(address),
            count if count > 1 else None,
        )
        self._emit("proc.signal", image, time_ns, tid, data)

    def _killed(self, operation: KillSent) -> None:
        image, tid, time_ns, op, what, target_pid, target_group = values(operation)
        data: dict[str, Any] = {"op": op, "what": what}
        if target_pid:
            data["target_pid"] = target_pid
        if target_group:
            data["target_group"] = target_group
        self._emit("proc.kill", image, time_ns, tid, data)

    def _failed(self, operation: ProcessFailed) -> None:
        image, tid, time_ns, op, what, errno, evidence = values(operation)
        data: dict[str, Any] = {"op": op, "error": error_name(errno)}
        if what:
            data["what"] = what
        if evidence is not None:
            data.update(evidence.fields())
        self._emit("proc.error", image, time_ns, tid, data)


USAGE = ("cpu_user", "cpu_system", "max_rss", "minor_faults", "major_faults", "cpu_own")
"""Names of the numbers that a process leaves: µs, µs, KiB, counts, µs."""
STARTED = form(
    *("op", "exe", "args", "args_missing", "cwd", "ppid", "proc_uid", "proc_gid"),
    *("env", "env_missing"),
)
FORKED = form("op", "child_pid")
EXITED = form("exit_code", "signal", "core_dumped", "process_group", "duration", *USAGE)
SIGNALLED = form("signal", "sender_pid", "sender_uid", "code", "address", "count")
