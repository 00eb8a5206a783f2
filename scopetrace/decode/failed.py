"""Operations of calls that failed."""

from __future__ import annotations

import errno

from scopetrace.decode.evidence import evidence_of
from scopetrace.decode.parts import LINK
from scopetrace.decode.path_arguments import NO_NAMES, Names
from scopetrace.decode.paths import text
from scopetrace.decode.state import INT, State
from scopetrace.decode.tasks import Task
from scopetrace.model.named import build, values
from scopetrace.model.open_file import OpenFile
from scopetrace.model.operation import Failed, ProcessFailed
from scopetrace.model.raw import RESULT_REFUSED, RawRecord

MAX_ERRNO = 4095
"""Results below its negative are no errors (include/linux/err.h)."""
ORDINARY = frozenset((errno.EAGAIN, errno.EINTR, errno.EINVAL, errno.ESPIPE))
"""Errors by which programs learn what a pipe or the like is, and how it stands."""
REFUSED = -RESULT_REFUSED
FIRST_RESTART, LAST_RESTART = 512, 516
"""Errors that only the kernel sees: the call goes on (include/linux/errno.h)."""


def emit_failed(
    state: State,
    task: Task,
    record: RawRecord,
    op: str,
    kind: str,
    name: Names,
    other: Names = NO_NAMES,
) -> None:
    """Emit that a call failed, unless its end is not known or it goes on."""
    error = -record.result
    if not _is_error(error):
        return
    time_ns = record.entered_ns + state.offset_ns
    image = task.group.image
    evidence = evidence_of(state, task, record, op, name, other)
    file, passed = values(name)
    to, to_passed = values(other)
    what = (image, task.tid, time_ns, op, kind, file, passed, to, to_passed, error, evidence)
    state.emit(build(Failed, what))


def emit_failed_fd(
    state: State, task: Task, record: RawRecord, op: str, kind: str, fd: int
) -> None:
    """Emit that a call on an fd failed; of a socket no call is about files.

    Of a pipe, of memory and the like only what programs do not meet on purpose (`ORDINARY`). Both
    ends of a new pipe have no name until its record has one.
    """
    file = task.table.fds.get(fd & INT)
    if file is None or file.named or _is_failure(file, -record.result):
        name = (file.path if file else "") or text(record.parts().get(LINK, b""))
        emit_failed(state, task, record, op, kind, Names(name))


def _is_failure(file: OpenFile, error: int) -> bool:
    """Whether an error of a file that has no path is worth an event."""
    return file.path[:7] != "socket:" and error not in ORDINARY


def emit_process_failed(state: State, task: Task, record: RawRecord, op: str, what: str) -> None:
    """Emit that a call about something else than a file failed, as `emit_failed` does."""
    error = -record.result
    if not _is_error(error):
        return
    time_ns = record.entered_ns + state.offset_ns
    evidence = evidence_of(state, task, record, op)
    state.emit(ProcessFailed(task.group.image, task.tid, time_ns, op, what, error, evidence))


def _is_error(error: int) -> bool:
    """Whether a call has ended with this error, or was refused by a filter of the program's own."""
    if error == REFUSED:
        return True
    return 0 < error <= MAX_ERRNO and not FIRST_RESTART <= error <= LAST_RESTART
