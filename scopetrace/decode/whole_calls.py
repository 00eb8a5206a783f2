"""Calls that are recorded whole (RAW_CALL): they are passed on as they are."""

from __future__ import annotations

from scopetrace.decode import fds
from scopetrace.decode.state import State
from scopetrace.decode.tasks import Task
from scopetrace.model.call import Call
from scopetrace.model.named import build
from scopetrace.model.operation import CalledWhole
from scopetrace.model.raw import RESULT_REFUSED, Part, RawRecord, Seen
from scopetrace.model.whole_call import FOUND

NOTHING = b"\0"
"""A packed call without arguments and memory."""
PACKED = int(Part.CALL)


def on_call(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit a call as it is packed."""
    packed = record.first_part(PACKED) or NOTHING
    time_ns = record.entered_ns + state.offset_ns
    known = record.result if record.result > RESULT_REFUSED else None
    made = (record.tid, time_ns, record.elapsed_ns, record.syscall, record.transferred)
    state.emit(build(CalledWhole, (task.group.image, *made, known, packed)))


def on_fd(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Decode an fd that was found open; one that the program inherited is passed on, too."""
    fds.on_fd(state, task, record, call)
    if record.arg2 == Seen.INHERITED:
        link = record.parts().get(Part.LINK, b"")
        time_ns = record.entered_ns + state.offset_ns
        state.emit(
            CalledWhole(task.group.image, record.tid, time_ns, 0, FOUND, record.arg1, None, link)
        )
