"""Which SIGKILL ended a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scopetrace.model.process import ProcessEnd
from scopetrace.query.connect import connect
from scopetrace.query.kills import read_kills
from support.session_builder import STARTED_NS, event, image, record

SECOND = 1_000_000_000
KILLED = image(3, pid=71, parent=1, uid=1000)
SENDER = image(2, pid=72, parent=1, uid=1000)
ROOT = image(4, pid=1, uid=0)
OTHER = image(5, pid=74, uid=1001)


def killer(home: Path, *sent: Any, group: int | None = 60, signal: int | None = 9) -> int | None:
    """Return who killed a process that lived for two seconds, after these events."""
    db = connect(record(home, sent, [SENDER, KILLED, ROOT, OTHER]))
    end = ProcessEnd(3, STARTED_NS + 2 * SECOND, None, signal, False)
    return read_kills(db).killer_of([KILLED], end, group)


def kill(process: int = 2, at: float = 1, **target: int) -> Any:
    return event("proc.kill", at=at, process=process, op="kill", **target)


@pytest.mark.parametrize(
    ("sent", "sender"),
    [
        ([kill(target_pid=71)], 72),
        ([kill(target_group=60)], 72),
        ([kill(target_group=-1)], 72),
        ([kill(4, target_group=-1)], 1),
        ([kill(5, target_group=-1)], None),
        ([kill(3, target_group=-1)], None),
        ([kill(3, target_group=60)], 71),
        ([kill(target_group=61)], None),
        ([kill(target_pid=70)], None),
        ([kill()], None),
        ([kill(at=3, target_group=60)], None),
        ([kill(at=2, target_pid=71)], 72),
        ([kill(at=0, target_pid=71)], 72),
        ([kill(at=-1, target_pid=71)], None),
        ([kill(4, target_pid=71), kill(at=0.5, target_group=60)], 72),
    ],
)
def test_the_first_that_was_sent_to_it_while_it_lived(
    sent: list[Any], sender: int | None, tmp_path: Path
) -> None:
    assert killer(tmp_path, *sent) == sender


def test_a_process_lives_through_all_its_programs(tmp_path: Path) -> None:
    db = connect(record(tmp_path, [kill(target_pid=71)], [SENDER, KILLED]))
    later = KILLED._replace(id=6, started_ns=STARTED_NS + SECOND + 1)
    end = ProcessEnd(6, STARTED_NS + 2 * SECOND, None, 9, False)

    assert read_kills(db).killer_of([KILLED, later], end, None) == 72


def test_a_process_without_a_known_group(tmp_path: Path) -> None:
    assert killer(tmp_path, kill(target_group=60), group=None) is None


def test_another_signal_is_known_by_its_delivery(tmp_path: Path) -> None:
    assert killer(tmp_path, kill(target_pid=71), signal=15) is None
