"""Notices about what the engine could not see, or refused so that it goes on seeing."""

from __future__ import annotations

from scopetrace.decode.state import State
from scopetrace.decode.tasks import Task
from scopetrace.model.call import Call
from scopetrace.model.operation import Noticed
from scopetrace.model.raw import Note, RawRecord

SENTENCES: dict[int, tuple[str, str]] = {
    Note.IO_URING: (
        "io_uring",
        "{proc} ({pid}) uses io_uring in a way that cannot be seen: {unseen}; some of what it does"
        " is not recorded",
    ),
    Note.OWN_FILTER: (
        "own_filter",
        "{proc} ({pid}) loaded a seccomp filter of its own: it is recorded still, but every system"
        " call of it now takes longer",
    ),
    Note.PTRACE: (
        "ptrace",
        "{proc} ({pid}) tried to trace a process and was refused, because it is being recorded",
    ),
    Note.STRICT: (
        "strict",
        "{proc} ({pid}) asked for seccomp's strict mode and was refused, because it is being"
        " recorded",
    ),
    Note.UNGATED: ("ungated", "{proc} ({pid}) stops at each recorded call: {why}"),
    Note.DIFFERS: (
        "differs",
        "{proc} ({pid}) made a call without a stop, and its record differs from that of a traced"
        " one in {what} (system call {number}): please report this",
    ),
    Note.SPOILED: (
        "spoiled",
        "{proc} ({pid}) wrote into memory that it shares with the recorder: calls may be"
        " missing, and from now on each recorded call stops it",
    ),
}
"""(reason, sentence) of each note."""

WHY_UNSEEN = {
    1: "the kernel takes its operations without a system call (IORING_SETUP_SQPOLL)",
    2: "its rings are not where they can be read, as they are in a process that has them from"
    " another one",
    3: "its files have no descriptors, but are in the ring's own table",
    4: "the kernel chooses which buffers it fills",
    5: "it has operations that are not known",
    6: "its operations leave no result (IOSQE_CQE_SKIP_SUCCESS)",
    7: "results or buffers were used again before they could be read",
}
"""Clauses by enum raw_unseen_uring."""

WHY_UNGATED = {
    1: "its memory has no room for the code that makes calls without stops, or there is no shared"
    " memory (shmget(2)) for both it and the recorder",
    2: "it uses the base of gs, which the code needs that makes calls without stops",
    3: "it has taken away what the code needs that makes calls without stops: memory, the base of"
    " gs, or the clock (prctl(2), PR_SET_TSC)",
    4: "it handles its system calls by where they are made (prctl(2),"
    " PR_SET_SYSCALL_USER_DISPATCH)",
    5: "it cannot be given the code that makes calls without stops, as it or its parent had made"
    " itself not dumpable (PR_SET_DUMPABLE, prctl(2))",
}
"""Clauses by enum raw_ungated."""

WHAT_DIFFERS = {1: "the name", 2: "the file", 3: "the descriptor", 4: "the end"}
"""By enum raw_differs."""


def on_note(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit the notice that a note stands for (RAW_NOTE)."""
    image = task.group.image
    if record.arg1 == Note.IO_URING:  # a note comes for each ring, a notice for each program
        if task.group.uring_noticed is image:
            return
        task.group.uring_noticed = image
    reason, sentence = SENTENCES.get(
        record.arg1, ("engine", f"The engine left note {record.arg1} about {{proc}} ({{pid}})")
    )
    why = WHY_UNGATED.get(record.arg2, "why is not known")
    what = WHAT_DIFFERS.get(record.arg2, "something")
    unseen = WHY_UNSEEN.get(record.arg2, "how is not known")
    message = sentence.replace("{why}", why).replace("{what}", what).replace("{unseen}", unseen)
    message = message.replace("{number}", str(record.arg3))
    message = message.replace("{proc}", image.proc or "a process").replace("{pid}", str(image.pid))
    time_ns = record.entered_ns + state.offset_ns
    state.emit(Noticed(image, task.tid, time_ns, message, reason, 1))
