"""Process: programs started, processes made and ended, signals delivered, what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from scopetrace.model.image import Image
from scopetrace.model.names import error_name, signal_name
from scopetrace.model.operation import Executed, Exited, Forked, KillSent, ProcessFailed, Signalled
from scopetrace.model.signal_codes import code_name
from scopetrace.source import Handlers, Needs, Source

MOST_ARGS = 65_536
"""Characters of a command line in a metric; the event has all of it."""


class ProcessSource(Source):
    """Makes proc.* events. Their calls are watched always, but for those that may only fail."""

    sourcetype = "process"
    measures = "process"
    needs: ClassVar[Needs] = {
        "proc.start": {},
        "proc.fork": {},
        "proc.exit": {},
        "proc.signal": {},
        "proc.error": {},
        "proc.kill": {},
    }
    failures: ClassVar[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
        "proc.error": {"rare": ("birth", "permit", "make", "room"), "all": ("heap",)}
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

    def _emit(self, name: str, image: Image, time_ns: int, tid: int, data: dict[str, Any]) -> None:
        if image.rules.wants(self.sourcetype, name):
            self.outlet.emit(image, time_ns, tid, self.sourcetype, name, 0, data)

    def _executed(self, operation: Executed) -> None:
        image, tid, time_ns, op = operation
        if self.measures in image.rules.measures:
            args = image.cmd[:MOST_ARGS]
            tags = (image.uid, image.username, image.gid, image.groupname, args)
            self.outlet.measure_with(image, time_ns, "proc.start", 1, 1, tags)
        data: dict[str, Any] = {
            "op": op,
            "exe": image.exe,
            "args": image.args,
            **({"args_missing": image.args_missing} if image.args_missing else {}),
            "cwd": image.cwd,
            "ppid": image.ppid,
            "proc_uid": image.uid,
            "proc_gid": image.gid,
        }
        if image.rules.environment:
            data["env"] = image.env
            if image.env_missing:
                data["env_missing"] = image.env_missing
        self._emit("proc.start", image, time_ns, tid, data)

    def _forked(self, operation: Forked) -> None:
        image, tid, time_ns, op, child_pid = operation
        self._emit("proc.fork", image, time_ns, tid, {"op": op, "child_pid": child_pid})

    def _exited(self, operation: Exited) -> None:
        image, tid, time_ns, exit_code, signal, core_dumped, duration_ns, usage, group = operation
        data: dict[str, Any] = {}
        if exit_code is not None:
            data["exit_code"] = exit_code
        if signal is not None:
            data["signal"] = signal_name(signal)
            data["core_dumped"] = core_dumped
            if group:
                data["process_group"] = group
        data["duration"] = duration_ns // 1000
        data.update(zip(USAGE, usage, strict=False))
        self._emit("proc.exit", image, time_ns, tid, data)

    def _signalled(self, operation: Signalled) -> None:
        image, tid, time_ns, signal, code, sender_pid, sender_uid, count, address = operation
        data: dict[str, Any] = {"signal": signal_name(signal)}
        if sender_pid:
            data["sender_pid"] = sender_pid
            data["sender_uid"] = sender_uid
        data["code"] = code_name(signal, code)
        if address is not None:
            data["address"] = hex(address)
        if count > 1:
            data["count"] = count
        self._emit("proc.signal", image, time_ns, tid, data)

    def _killed(self, operation: KillSent) -> None:
        image, tid, time_ns, op, what, target_pid, target_group = operation
        data: dict[str, Any] = {"op": op, "what": what}
        if target_pid:
            data["target_pid"] = target_pid
        if target_group:
            data["target_group"] = target_group
        self._emit("proc.kill", image, time_ns, tid, data)

    def _failed(self, operation: ProcessFailed) -> None:
        image, tid, time_ns, op, what, errno, evidence = operation
        data: dict[str, Any] = {"op": op, "error": error_name(errno)}
        if what:
            data["what"] = what
        if evidence is not None:
            data.update(evidence.fields())
        self._emit("proc.error", image, time_ns, tid, data)


USAGE = ("cpu_user", "cpu_system", "max_rss", "minor_faults", "major_faults", "cpu_own")
"""Names of the numbers that a process leaves: µs, µs, KiB, counts, µs."""
