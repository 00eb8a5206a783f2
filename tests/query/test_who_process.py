"""What became of a process."""

from __future__ import annotations

from pathlib import Path

from scopetrace.model.process import ProcessEnd
from scopetrace.query.connect import connect
from scopetrace.query.who_process import pids, process_touches
from support.session_builder import SECOND, STARTED_NS, begin, closed, event, image


def session(home: Path) -> Path:
    """Write one: python3 starts sh, which becomes a server as another user and is killed."""
    writer = begin(home)
    at = {second: STARTED_NS + second * SECOND for second in range(9)}
    for one in (
        image(2, pid=71, proc="python3", parent=1, started_ns=at[1]),
        image(3, pid=71, proc="sh", cmd="sh serve", exe="/bin/sh", parent=2, started_ns=at[2]),
        image(4, pid=71, proc="sh", cmd="sh serve", exe="/bin/sh", uid=5, username="www", parent=3,
              started_ns=at[3]),
        image(5, pid=72, proc="ls", cmd="ls", parent=4, started_ns=at[4]),
    ):  # fmt: skip
        writer.add_process(one)
    for number, replaced in ((2, True), (3, True), (4, False)):
        signal = None if replaced else 15
        writer.end_process(ProcessEnd(number, at[number], None, signal, replaced))
    writer.add_events(
        [
            closed("/home/x"),
            closed("/w/out", file_write_ops=1)._replace(process=4),
            event("fs.open", process=4, file="/w/out", flags="O_CREAT"),
            event("proc.signal", at=3.5, process=4, signal="SIGTERM", sender_pid=70),
            event("proc.signal", at=3.6, process=4, signal="SIGHUP"),
        ]
    )
    writer.finish(exit_code=0)
    return writer.path


def test_its_start_programs_users_children_signals_and_end(tmp_path: Path) -> None:
    answer = process_touches(connect(session(tmp_path)), 71)

    assert answer is not None
    labels = [[doer.label for doer in touch.chain] for touch in answer.touches]
    actions = [touch.action for touch in answer.touches]
    assert list(zip(actions, labels, strict=True)) == [
        ("start", ["python3[70]"]),
        ("exec", ["sh[71]", "python3[70]"]),
        ("user", ["sh[71]", "python3[70]"]),
        ("signal", ["python3[70]"]),
        ("signal", []),
        ("start", ["sh[71]", "python3[70]"]),
        ("end", ["sh[71]", "python3[70]"]),
        ("used", ["sh[71]", "python3[70]"]),
    ]
    by_action = {touch.action: touch.facts for touch in answer.touches}
    assert by_action["user"]["username"] == "www"
    assert by_action["end"]["signal"] == "SIGTERM"
    assert by_action["used"] == {"files": 1, "files_written": 1, "peers": 0}


def test_the_first_process_was_started_from_outside(tmp_path: Path) -> None:
    answer = process_touches(connect(session(tmp_path)), 70)

    assert answer is not None
    assert (answer.touches[0].chain, answer.touches[0].facts["ppid"]) == ((), 1)
    assert answer.touches[-2].action == "running"


def test_a_pid_that_nobody_had(tmp_path: Path) -> None:
    db = connect(session(tmp_path))

    assert process_touches(db, 99) is None
    assert pids(db) == [70, 71, 72]
