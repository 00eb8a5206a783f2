"""From process images to a tree of processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scopetrace.model.process import Process, ProcessEnd
from scopetrace.model.process_tree import ProcessNode, subtrees
from scopetrace.query import open_session
from support.session_builder import STARTED_NS, begin, event, image

MS = 1_000_000


def ended(number: int, at_ms: int, code: int | None = 0, **changes: Any) -> ProcessEnd:
    end = ProcessEnd(number, STARTED_NS + at_ms * MS, code, None, False)
    return end._replace(**changes)


def replaced(number: int, at_ms: int) -> ProcessEnd:
    return ended(number, at_ms, None, replaced=True)


def tree(
    home: Path, images: list[Process], ends: list[ProcessEnd], events: Any = ()
) -> tuple[ProcessNode, ...]:
    """Write a session whose first image is python3, pid 70, and return its tree."""
    writer = begin(home)
    for each in images:
        writer.add_process(each)
    for end in ends:
        writer.end_process(end)
    writer.add_events(events)
    writer.finish(exit_code=0)
    with open_session(writer.path) as session:
        return session.tree()


def test_a_child_stands_below_its_parent_with_its_end(tmp_path: Path) -> None:
    (root,) = tree(
        tmp_path,
        [image(2, pid=71, parent=1, proc="sh", started_ns=STARTED_NS + 5 * MS)],
        [ended(2, 9, None, signal=9), ended(1, 20)],
        [event("proc.exit", process=2, cpu_own=1500, max_rss=2048, signal="SIGKILL")],
    )

    assert (root.pid, root.exit_code, root.duration_ns, root.failed) == (70, 0, 20 * MS, False)
    (child,) = root.children
    assert (child.pid, child.signal, child.duration_ns, child.failed) == (71, 9, 4 * MS, True)
    assert (child.cpu_us, child.max_rss_kib, root.cpu_us) == (1500, 2048, None)


def test_execs_are_one_process_and_its_shims_are_named(tmp_path: Path) -> None:
    forked = image(2, pid=71, parent=1, proc="python3")
    shim = image(3, pid=71, parent=2, proc="env")
    last = image(4, pid=71, parent=3, proc="perl")
    (root,) = tree(tmp_path, [forked, shim, last], [replaced(2, 1), replaced(3, 2), ended(4, 3, 2)])

    (child,) = root.children
    assert [each.proc for each in child.images] == ["python3", "env", "perl"]
    assert (child.process.proc, child.shims, child.exit_code) == ("perl", ("env",), 2)


def test_a_child_of_a_program_that_was_replaced_is_still_its_child(tmp_path: Path) -> None:
    child = image(2, pid=71, parent=1)
    successor = image(3, parent=1, proc="perl")
    (root,) = tree(tmp_path, [child, successor], [replaced(1, 5), ended(2, 9), ended(3, 10)])

    assert [each.proc for each in root.images] == ["python3", "perl"]
    assert [each.pid for each in root.children] == [71]


def test_a_pid_that_is_used_again_is_another_process(tmp_path: Path) -> None:
    again = image(3, pid=71, parent=1, started_ns=STARTED_NS + 8 * MS)
    (root,) = tree(
        tmp_path, [image(2, pid=71, parent=1), again], [ended(2, 5), ended(3, 9), ended(1, 10)]
    )

    assert [(each.pid, each.ended_ns) for each in root.children] == [
        (71, STARTED_NS + 5 * MS),
        (71, STARTED_NS + 9 * MS),
    ]


def test_a_process_whose_end_was_not_recorded_runs(tmp_path: Path) -> None:
    (root,) = tree(tmp_path, [], [])

    assert (root.ended_ns, root.duration_ns, root.exit_code, root.failed) == (
        None,
        None,
        None,
        False,
    )


def test_a_chain_of_ten_thousand_processes_is_walked(tmp_path: Path) -> None:
    images = [image(number, pid=100 + number, parent=number - 1) for number in range(2, 10_001)]
    (root,) = tree(tmp_path, images, [])

    assert [level for level, _ in root.walk()] == list(range(10_000))
    assert [node.pid for node in subtrees([root], (7000, 5000))] == [5000]


def test_who_killed_a_process_is_who_sent_it_sigkill_while_it_lived(tmp_path: Path) -> None:
    first = image(2, pid=71, parent=1, started_ns=STARTED_NS + 5 * MS)
    later = image(3, pid=71, parent=1, started_ns=STARTED_NS + 30 * MS)
    other = image(4, pid=72, parent=1)
    (root,) = tree(
        tmp_path,
        [first, later, other, image(5, pid=73, parent=1)],
        [*(ended(number, 9, None, signal=9) for number in (2, 5)), ended(3, 40, None, signal=15)],
        [
            event("proc.kill", at=0.001, what="SIGKILL to 71", target_pid=71),
            event("proc.kill", at=0.008, process=4, what="SIGKILL to 71", target_pid=71),
            event("proc.kill", at=0.009, what="SIGKILL to -73"),
            event("proc.kill", at=0.035, what="SIGKILL to 71", target_pid=71),
        ],
    )

    assert [(node.pid, node.killer_pid) for node in root.children] == [
        (71, 72),
        (71, None),
        (72, None),
        (73, None),
    ]
    assert root.children[0].body()["killer_pid"] == 72
